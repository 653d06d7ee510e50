"""What generating starts from: the posterior of what is given, and draws of it."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mmvae_core.errors import UsageError
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior

MAX_TEMPERATURE = 10.0


def posterior_given(model: MultimodalVAE, given: Mapping[str, Tensor]) -> Posterior:
    """q(z | given), batch shape [1]; `given` maps names to single items, see `Kind.tensor`.

    Raises UsageError for a modality that is not there, DataError for values that it cannot have.
    """
    subset = torch.tensor([[name in given for name in model.names]])
    check_names(model.names, given)
    for name, value in given.items():
        model.modality(name).kind.checked(value.detach().cpu().numpy())
    items = given or _unseen(model)
    return model.infer({name: value[None] for name, value in items.items()}, subset)


def _unseen(model: MultimodalVAE) -> dict[str, Tensor]:
    """A value of one modality that no one looks at: the model asks for one even if none is shown."""
    name = model.names[0]
    kind = model.modality(name).kind
    value = kind.tensor(np.zeros(kind.item, np.float32)).to(model.device)
    own = next(model.parameters()).dtype
    return {name: value.to(own) if value.is_floating_point() else value}


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
    if samples < 1:
        raise UsageError(f"{samples} draws were asked for, expected 1 or more.")
    draws = posterior.rsample((samples,), generator=generator)
    return draws if temperature == 1 else torch.lerp(posterior.mean, draws, temperature)


def check_names(names: Sequence[str], given: Iterable[str]) -> None:
    """Raise UsageError unless all that is given is of a model's modalities."""
    unknown = [name for name in given if name not in names]
    if unknown:
        raise UsageError(
            f"There is no modality {unknown[0]!r} in this model; it has {', '.join(names)}."
        )
