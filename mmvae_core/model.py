"""The model: encoders, aggregator, prior and decoders. No loss lives here."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from mmvae_core.aggregators.base import Aggregator
from mmvae_core.errors import DataError
from mmvae_core.modalities.modality import Modality
from mmvae_core.probability.posteriors import Batched, Posterior


class MultimodalVAE(nn.Module):
    """p(z) prod_s p(x_s | z) with one posterior q(z | x_S) for every subset S.

    With private latents z is (z', z_1, .., z_M) in one vector, of which each decoder takes its own.
    """

    def __init__(
        self, modalities: Iterable[Modality], aggregator: Aggregator, prior: nn.Module
    ) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({modality.name: modality for modality in modalities})
        self.aggregator, self.prior = aggregator, prior

    @property
    def names(self) -> tuple[str, ...]:
        """Modality names, in the order of every mask."""
        return tuple(self.parts)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def modality(self, name: str) -> Modality:
        """One modality by its name."""
        part = self.parts[name]
        assert isinstance(part, Modality)
        return part

    def encode(self, data: Mapping[str, Tensor], shown: Tensor) -> Tensor:
        """Features [batch, modality, feature]; what is not shown may be missing from `data`."""
        given = {
            name: self.modality(name).encode(data[name], shown[:, index])
            for index, name in enumerate(self.names)
            if name in data
        }
        for index, name in enumerate(self.names):
            if name not in given and bool(shown[:, index].any()):
                raise DataError(f"The mask shows {name!r} but no data of it were given; give them.")
        if not given:
            raise DataError("No data of any modality were given; use the prior instead.")
        zeros = torch.zeros_like(next(iter(given.values())))
        return torch.stack([given.get(name, zeros) for name in self.names], 1)

    def posterior(self, features: Tensor, subset: Tensor) -> Posterior:
        """q(z | x_S) for features [batch, modality, feature] and masks [batch, modality]."""
        return self.aggregator(features, subset, self.prior())

    def posteriors(self, features: Tensor, *subsets: Tensor) -> list[Batched]:
        """The same for several masks at once, for less than one after the other costs."""
        return self.aggregator.several(features, subsets, self.prior())

    def infer(self, data: Mapping[str, Tensor], subset: Tensor) -> Posterior:
        """q(z | x_S) straight from data."""
        return self.posterior(self.encode(data, subset), subset)

    def decode(self, latent: Tensor, names: Iterable[str] | None = None) -> dict[str, Tensor]:
        """Likelihood outputs [..., *outputs] of each named modality (all, if none is named)."""
        return {name: self.modality(name).decode(latent) for name in names or self.names}

    def means(self, latent: Tensor, names: Iterable[str] | None = None) -> dict[str, Tensor]:
        """E[x_s | z] of each named modality."""
        outputs = self.decode(latent, names)
        return {name: self.modality(name).likelihood.mean(out) for name, out in outputs.items()}
