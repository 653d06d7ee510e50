"""A modality: its name, networks, likelihood and weight."""

import torch
from torch import Tensor, nn

from mmvae_core.config import ModalityConfig
from mmvae_core.probability.likelihoods import Likelihood


class Modality(nn.Module):
    """Encoder h_s = enc_s(x_s), decoder dec_s(z) and likelihood p(x_s | z) of one modality.

    `columns` are the parts of the latent that the decoder sees, all of it by default; with private
    latents z' and z_s.
    """

    def __init__(
        self, config: ModalityConfig, encoder: nn.Module, decoder: nn.Module,
        likelihood: Likelihood, columns: tuple[slice, ...] = (),
    ) -> None:
        super().__init__()
        self.config, self.name = config, config.name
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.columns = columns

    def encode(self, data: Tensor, shown: Tensor) -> Tensor:
        """Features [batch, feature]; data of items not shown are replaced by zeros first.

        So a missing value may be anything, NaN too, and has exactly no effect.
        """
        return self.encoder(_blanked(data, shown))

    def log_prob(self, latent: Tensor, data: Tensor, seen: Tensor) -> Tensor:
        """log p(x_s | z) in nats [sample, batch] at latents [sample, batch, latent].

        Items not `seen` [batch] have exactly zero, whatever stands in their data.
        """
        value = self.likelihood.log_prob(self.decode(latent), _blanked(data, seen))
        return torch.where(seen, value, 0.0)

    def decode(self, latent: Tensor) -> Tensor:
        """The likelihood's outputs [..., *outputs] for latents [..., latent]."""
        if self.columns:
            latent = torch.cat([latent[..., part] for part in self.columns], -1)
        flat = self.decoder(latent.reshape(-1, latent.shape[-1]))
        return flat.unflatten(0, latent.shape[:-1])


def _blanked(data: Tensor, kept: Tensor) -> Tensor:
    """The data [batch, ...] with zeros where an item is not kept, NaN included."""
    keep = kept.reshape(-1, *[1] * (data.dim() - 1))
    return torch.where(keep, data, torch.zeros((), dtype=data.dtype))
