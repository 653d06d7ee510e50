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
        keep = shown.reshape(-1, *[1] * (data.dim() - 1))
        return self.encoder(torch.where(keep, data, torch.zeros((), dtype=data.dtype)))

    def decode(self, latent: Tensor) -> Tensor:
        """The likelihood's outputs [..., *outputs] for latents [..., latent]."""
        if self.columns:
            latent = torch.cat([latent[..., part] for part in self.columns], -1)
        flat = self.decoder(latent.reshape(-1, latent.shape[-1]))
        return flat.unflatten(0, latent.shape[:-1])
