"""A modality: its name, networks, likelihood and weight."""

import torch
from torch import Tensor, nn

from mmvae_core.config import ModalityConfig
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.networks.start import Decoder, Standardise
from mmvae_core.probability.likelihoods import Likelihood


class Modality(nn.Module):
    """Encoder h_s = enc_s(x_s), decoder dec_s(z) and likelihood p(x_s | z) of one modality.

    `columns` are the parts of the latent that the decoder sees, all of it by default; with private
    latents z' and z_s. `inputs` stands before the encoder, `norm` behind it, and `likelihood` and
    all densities are in the latents' own precision, whatever the networks compute in.
    """

    half_precision = False
    """Whether encoder and decoder compute in bfloat16, where that is quicker."""

    def __init__(
        self,
        config: ModalityConfig,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        columns: tuple[slice, ...] = (),
    ) -> None:
        super().__init__()
        self.config, self.name = config, config.name
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.columns = columns
        self.compressed = kind_of(config).compressed
        self.inputs: nn.Module = nn.Identity()
        self.norm: nn.Module = nn.Identity()

    @property
    def kind(self) -> Kind:
        """What its values are."""
        return kind_of(self.config)

    def encode(self, data: Tensor, shown: Tensor) -> Tensor:
        """Features [batch, feature]; data of items not shown are replaced by zeros first.

        So a missing value may be anything, NaN too, and has exactly no effect. A missing entry of
        a shown value, NaN, is zero to the encoder, after centring and scaling.
        """
        data = data.clamp_min(0).log1p() if self.compressed else data
        inputs = _blanked(self.inputs(data), shown)
        inputs = inputs.nan_to_num(nan=0.0) if inputs.is_floating_point() else inputs
        with self._precision(data.device):
            return self._full(self.norm(self.encoder(inputs)))

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
        with self._precision(latent.device):
            flat = self._full(self.decoder(latent.reshape(-1, latent.shape[-1])))
        return flat.unflatten(0, latent.shape[:-1])

    def start_at(self, mean: Tensor, stddev: Tensor, seen: tuple[Tensor, Tensor]) -> None:
        """Centre and scale the inputs by the data's own, and begin the outputs at the mean.

        All [*shape], of codes each symbol's share [length, symbols]; `seen` are mean and standard
        deviation of what the encoder sees, which of counts are their logarithms.
        """
        if isinstance(self.inputs, Standardise):
            self.inputs.adopt(*(seen if self.compressed else (mean, stddev)))
        if isinstance(self.decoder, Decoder):
            self.decoder.begin_at(self.likelihood.outputs_at(mean))

    def _precision(self, device: torch.device) -> torch.autocast:
        return torch.autocast(device.type, torch.bfloat16, enabled=self.half_precision)

    def _full(self, values: Tensor) -> Tensor:
        return values.float() if self.half_precision else values


def _blanked(data: Tensor, kept: Tensor) -> Tensor:
    """The data [batch, ...] with zeros where an item is not kept, NaN included."""
    keep = kept.reshape(-1, *[1] * (data.dim() - 1))
    return torch.where(keep, data, torch.zeros((), dtype=data.dtype))
