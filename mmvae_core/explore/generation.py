"""Generate what is missing from what is given."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mmvae_core.errors import UsageError
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.seeding import generator_of

MAX_TEMPERATURE = 10.0


def posterior_given(model: MultimodalVAE, given: Mapping[str, Tensor]) -> Posterior:
    """q(z | given), batch shape [1]; `given` maps names to single items, see `Kind.tensor`.

    Raises UsageError for a modality that is not there, DataError for values that it cannot have.
    """
    subset = torch.tensor([[name in given for name in model.names]])
    unknown = [name for name in given if name not in model.names]
    if unknown:
        raise UsageError(
            f"There is no modality {unknown[0]!r} in this model; it has {', '.join(model.names)}."
        )
    for name, value in given.items():
        model.modality(name).kind.checked(value.detach().cpu().numpy())
    return model.infer({name: value[None] for name, value in given.items()}, subset)


@torch.no_grad()
def generate(
    model: MultimodalVAE,
    given: Mapping[str, Tensor],
    samples: int = 16,
    seed: int = 0,
    temperature: float = 1.0,
) -> dict[str, Tensor]:
    """E[x_s | z] [sample, ...] of every modality for `samples` draws z ~ q(z | given).

    Nothing given means draws from the prior p(z). For `temperature` see `latents`.
    """
    posterior = posterior_given(model, given) if given else model.prior()
    generator = generator_of(seed, model.device)
    draws = latents(posterior, samples, temperature, generator=generator)
    return model.means(draws[:, 0] if given else draws)


def latents(
    posterior: Posterior, samples: int, temperature: float = 1.0, *, generator: torch.Generator
) -> Tensor:
    """Draws m + t (z - m), z ~ posterior, m its mean and t the temperature: [sample, ..., latent].

    One leaves the draws as they are, less brings them closer to the mean and zero onto it. The
    same generator gives the same noise, whatever the temperature.
    """
    if not 0 <= temperature <= MAX_TEMPERATURE:
        raise UsageError(
            f"The temperature {temperature} was given, expected 0 to {MAX_TEMPERATURE:g}."
        )
    draws = posterior.rsample((samples,), generator=generator)
    return draws if temperature == 1 else torch.lerp(posterior.mean, draws, temperature)
