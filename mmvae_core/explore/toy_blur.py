"""What hiding a view does to its decoder: expected bounds of toy worlds that take less from the latent.

A decoder takes the share s of a modality's loading from the latent and calls the rest noise:
W_m -> s W_m, sigma_m^2 -> sigma_m^2 + (1 - s^2) |w_m|^2, |w_m|^2 the mean squared length of the rows, so
that each number keeps its spread where the rows are equally long. The items are those of the world
itself, s = 1, and every posterior is exact: the masked bound is then log p(x), and the mixture bound
lacks KL(p(z | x_S) || p(z | x)) of it whenever S is all but the modality. In numpy, nats.
"""

import numpy as np

from mmvae_core.data.worlds.toy import LATENT, ToyWorld
from mmvae_core.errors import UsageError

STEPS = 100
HIDDEN = 1 / 3
"""How often the modality is hidden, else all is shown."""


def expected_bounds(
    world: ToyWorld, modality: int, share: float, hidden: float = HIDDEN
) -> dict[str, float]:
    """The `masked` and the `mixture` bound, expected over items of `world`."""
    if not (0 <= share <= 1 and 0 <= hidden <= 1 and 0 <= modality < len(world.names)):
        raise UsageError(
            f"The share {share:g} of modality {modality}, hidden {hidden:g} of the time, was given; "
            f"expected shares from 0 to 1 and a modality from 0 to {len(world.names) - 1}."
        )
    (true, true_noise), (loading, noise) = map(_joined, (world, world.blurred(modality, share)))
    spread = true @ true.T + np.diag(true_noise)
    own = loading @ loading.T + np.diag(noise)
    log_p = -0.5 * (
        len(own) * np.log(2 * np.pi)
        + np.linalg.slogdet(own)[1]
        + np.trace(np.linalg.solve(own, spread))
    )
    counts = [len(one) for one in world.offsets]
    kept = np.repeat(np.arange(len(counts)) != modality, counts)
    (whole, gain), (part, part_gain) = (
        _posterior(loading, noise, one) for one in (kept | True, kept)
    )
    apart = part_gain - gain
    kl = 0.5 * (
        np.trace(whole @ np.linalg.inv(part))
        - LATENT
        + np.linalg.slogdet(part)[1]
        - np.linalg.slogdet(whole)[1]
        + np.trace(whole @ apart @ spread @ apart.T)
    )
    return {"masked": float(log_p), "mixture": float(log_p - hidden * kl)}


def best_share(world: ToyWorld, modality: int, kind: str, hidden: float = HIDDEN) -> float:
    """The share, in hundredths, at which a bound is highest."""
    shares = np.arange(STEPS + 1) / STEPS
    values = [expected_bounds(world, modality, share, hidden)[kind] for share in shares]
    return float(shares[np.argmax(values)])


def _joined(world: ToyWorld) -> tuple[np.ndarray, np.ndarray]:
    """All loadings [number, 2] and noise variances [number]."""
    counts = [len(one) for one in world.offsets]
    return np.concatenate(world.loadings), np.repeat(np.square(world.noises), counts)


def _posterior(
    loading: np.ndarray, noise: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Precision [2, 2] of p(z | kept numbers), and the map [2, number] from x - b to its mean."""
    told = (loading / noise[:, None]) * kept[:, None]
    precision = np.eye(LATENT) + told.T @ loading
    return precision, np.linalg.solve(precision, told.T)
