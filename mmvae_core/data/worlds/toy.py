"""Toy worlds: linear-Gaussian, a latent of two numbers, modalities of one to three. Needs no torch.

z ~ N(0, I) in the plane, x_m = W_m z + b_m + sigma_m noise. What is exact of them is computed by
`mmvae_core.explore.toy`, and in the browser by `ui/components/toy_world/world.js`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmvae_core.errors import DataError

LATENT, MOST_MODALITIES, MOST_NUMBERS = 2, 5, 3
NETWORKS = Path(__file__).with_name("toy_networks.safetensors")
"""The learned aggregators that `python -m mmvae_core toy` trains on random worlds."""
NAMES = ("sight", "sound", "touch", "smell", "taste")


@dataclass(frozen=True)
class ToyWorld:
    """Loadings W_m [size, 2], offsets b_m [size] and noise sigma_m of each modality, float64."""

    names: tuple[str, ...]
    loadings: tuple[np.ndarray, ...]
    offsets: tuple[np.ndarray, ...]
    noises: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the sizes; DataError in one plain sentence."""
        count = len(self.names)
        if not 2 <= count <= MOST_MODALITIES:
            raise DataError(f"A toy world has 2 to {MOST_MODALITIES} modalities, got {count}.")
        if not count == len(self.loadings) == len(self.offsets) == len(self.noises):
            raise DataError("A toy world needs one loading, offset and noise for each modality.")
        for name, loading, offset, noise in zip(
            self.names, self.loadings, self.offsets, self.noises, strict=True
        ):
            size = len(offset)
            if loading.shape != (size, LATENT) or not 1 <= size <= MOST_NUMBERS:
                raise DataError(
                    f"Modality {name!r} has loadings of shape {list(loading.shape)} and {size} "
                    f"offsets, expected [n, {LATENT}] and n, n from 1 to {MOST_NUMBERS}."
                )
            finite = np.isfinite(loading).all() and np.isfinite(offset).all() and noise > 0
            if not finite:
                raise DataError(f"Modality {name!r} needs finite numbers and a noise above 0.")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ToyWorld":
        """The world that `to_dict` wrote; DataError where it is none."""
        try:
            return cls(
                tuple(str(name) for name in data["names"]),
                tuple(np.array(one, float).reshape(-1, LATENT) for one in data["loadings"]),
                tuple(np.array(one, float).reshape(-1) for one in data["offsets"]),
                tuple(float(one) for one in data["noises"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                "A toy world needs names, loadings [n, 2], offsets [n] and noises, one of each "
                f"for every modality; got {error}."
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, as JSON and the browser take them."""
        return {
            "names": list(self.names),
            "loadings": [one.tolist() for one in self.loadings],
            "offsets": [one.tolist() for one in self.offsets],
            "noises": list(self.noises),
        }

    def turned(self, modality: int, degrees: float) -> "ToyWorld":
        """The same world, a modality's loadings turned in the latent plane, counter-clockwise."""
        angle = np.deg2rad(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        loadings = list(self.loadings)
        loadings[modality] = loadings[modality] @ turn.T
        return replace(self, loadings=tuple(loadings))

    def with_noise(self, modality: int, noise: float) -> "ToyWorld":
        """The same world with another noise of one modality."""
        noises = list(self.noises)
        noises[modality] = noise
        return replace(self, noises=tuple(noises))

    def blurred(self, modality: int, share: float) -> "ToyWorld":
        """The same world, of a modality's loading only a share, what it lacks in spread as noise."""
        loadings, noises = list(self.loadings), list(self.noises)
        lost = (1 - share**2) * float(np.square(loadings[modality]).sum(-1).mean())
        loadings[modality] = share * loadings[modality]
        noises[modality] = float(np.sqrt(noises[modality] ** 2 + lost))
        return replace(self, loadings=tuple(loadings), noises=tuple(noises))

    def clean(self, latent: Sequence[float]) -> list[np.ndarray]:
        """W_m z + b_m [size] of each modality: data without noise."""
        place = np.asarray(latent, float)
        return [w @ place + b for w, b in zip(self.loadings, self.offsets, strict=True)]

    def draw(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Latents [count, 2], then the data [count, size] of each modality."""
        latent = generator.standard_normal((count, LATENT))
        return latent, *(
            latent @ w.T + b + noise * generator.standard_normal((count, len(b)))
            for w, b, noise in zip(self.loadings, self.offsets, self.noises, strict=True)
        )


def random_world(
    generator: np.random.Generator, modalities: int, sizes: Sequence[int] | None = None
) -> ToyWorld:
    """Standard normal loadings and offsets, noises log-uniform between 0.2 and 1.5."""
    counts = generator.integers(1, MOST_NUMBERS + 1, modalities) if sizes is None else sizes
    return ToyWorld(
        NAMES[:modalities],
        tuple(generator.standard_normal((size, LATENT)) for size in counts),
        tuple(generator.standard_normal(size) for size in counts),
        tuple(np.exp(generator.uniform(np.log(0.2), np.log(1.5), modalities)).tolist()),
    )


def _world(*parts: tuple[list[list[float]], list[float], float]) -> ToyWorld:
    return ToyWorld(
        NAMES[: len(parts)],
        tuple(np.array(loading, float) for loading, _, _ in parts),
        tuple(np.array(offset, float) for _, offset, _ in parts),
        tuple(noise for _, _, noise in parts),
    )


_SIGHT = ([[1.2, 0.0], [0.0, 0.8]], [0.5, -0.5], 0.6)
_SOUND = ([[0.4, 1.2]], [0.0], 0.5)
_TOUCH = ([[0.9, -0.5], [0.3, 0.8], [0.5, 0.6]], [0.0, 0.5, -0.5], 1.0)
_SMELL = ([[1.0, -0.8]], [0.3], 0.7)
_TASTE = ([[0.7, 0.2], [-0.4, 0.9]], [0.0, 0.0], 0.9)
WORLDS = {
    "axes": _world(([[1.4, 0.0]], [0.0], 0.5), ([[0.0, 1.4]], [0.0], 0.5)),
    "two": _world(_SIGHT, _SOUND),
    "own": _world(([[1.0, 0.0]], [0.0], 0.6), ([[0.0, 1.0]] * 3, [0.0] * 3, 0.6)),
    "same": _world(_SIGHT, ([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], 0.6)),
    "three": _world(_SIGHT, _SOUND, _TOUCH),
    "four": _world(_SIGHT, _SOUND, _TOUCH, _SMELL),
    "five": _world(_SIGHT, _SOUND, _TOUCH, _SMELL, _TASTE),
}
"""`axes`: one number for each latent, so that a product of experts is exact; `own`: likewise, the
second with three numbers of its latent; `same`: two that tell of both latents alike; the others:
what is told of the two latents is mixed."""
