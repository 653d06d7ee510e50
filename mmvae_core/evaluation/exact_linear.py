"""What is exact where a model is linear-Gaussian: log p(x_A) and p(z | x_S) of every subset.

With x_s | z ~ N(W_s z + b_s, scale_s^2 I) and z ~ N(0, I), the posterior given S has precision
P = I + sum_S W_s' W_s / scale_s^2 and mean P^-1 h, h = sum_S W_s' (x_s - b_s) / scale_s^2, and
log p(x_S) = sum_S [-d_s log(2 pi scale_s^2) / 2 - |x_s - b_s|^2 / 2 scale_s^2]
             + h' P^-1 h / 2 - log det P / 2,
all in nats. Source: Tipping and Bishop, "Probabilistic Principal Component Analysis", 1999.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from mmvae_core.evaluation.rates import Estimate
from mmvae_core.modalities.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.networks.mlp import LinearDecoder
from mmvae_core.probability.likelihoods import LocationScale
from mmvae_core.probability.posteriors import Gaussian, Posterior
from mmvae_core.probability.priors import PrivatePrior, StandardNormalPrior
from mmvae_core.seeding import generator_of


@dataclass(frozen=True)
class LinearGaussian:
    """Loadings W_s [size, latent], offsets b_s [size] and scales by modality, in float64."""

    loadings: Mapping[str, Tensor]
    offsets: Mapping[str, Tensor]
    scales: Mapping[str, float]

    @property
    def latent(self) -> int:
        """The number of latents."""
        return next(iter(self.loadings.values())).shape[1]

    def posterior(self, data: Mapping[str, Tensor], subset: Tensor) -> MultivariateNormal:
        """p(z | x_S), batch shape [batch], for data [batch, size] and masks [batch, modality]."""
        shift, factor = self._natural(data, subset)
        mean = torch.cholesky_solve(shift[..., None], factor)[..., 0]
        return MultivariateNormal(mean, torch.cholesky_inverse(factor), validate_args=False)

    def log_evidence(self, data: Mapping[str, Tensor], subset: Tensor) -> Tensor:
        """log p(x_S) in nats [batch]; 0 where S is empty."""
        shift, factor = self._natural(data, subset)
        solved = torch.linalg.solve_triangular(factor, shift[..., None], upper=False)[..., 0]
        value = 0.5 * solved.square().sum(-1) - factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        for index, name in enumerate(self.loadings):
            error, scale = self._error(data, name), self.scales[name]
            size = error.shape[-1]
            own = -0.5 * (
                size * math.log(2 * math.pi * scale**2) + error.square().sum(-1) / scale**2
            )
            value = value + torch.where(subset[:, index], own, 0.0)
        return value

    def _natural(self, data: Mapping[str, Tensor], subset: Tensor) -> tuple[Tensor, Tensor]:
        """h [batch, latent] and the Cholesky factor of P [batch, latent, latent]."""
        shift = torch.zeros(len(subset), self.latent, dtype=torch.float64)
        precision = torch.eye(self.latent, dtype=torch.float64).expand(len(subset), -1, -1)
        for index, (name, loading) in enumerate(self.loadings.items()):
            scaled, kept = loading / self.scales[name] ** 2, subset[:, index]
            shift = shift + torch.where(kept[:, None], self._error(data, name) @ scaled, 0.0)
            precision = precision + kept[:, None, None] * (loading.T @ scaled)
        return shift, torch.linalg.cholesky(precision)

    def _error(self, data: Mapping[str, Tensor], name: str) -> Tensor:
        return data[name].double() - self.offsets[name]


def exact_linear(model: MultimodalVAE) -> LinearGaussian | None:
    """The closed form of a model, or None if it is not linear-Gaussian.

    It is with linear decoders, normal likelihoods and a standard normal prior; private latents
    are among `latent`, each loading being zero on those that its decoder does not see.
    """
    shared = model.prior.shared if isinstance(model.prior, PrivatePrior) else model.prior
    parts = [model.modality(name) for name in model.names]
    if not isinstance(shared, StandardNormalPrior) or not all(map(_is_linear, parts)):
        return None
    latent = model.prior().mean.shape[-1]
    layers = {part.name: _layer(part) for part in parts}
    return LinearGaussian(
        {part.name: _loading(part, layers[part.name], latent) for part in parts},
        {name: layer.bias.detach().double() for name, layer in layers.items()},
        {part.name: _scale(part) for part in parts},
    )


@torch.no_grad()
def kl_from_exact(q: Posterior, exact: MultivariateNormal, samples: int, seed: int) -> Estimate:
    """KL(q(z | x_S) || p(z | x_S)) in nats per item [batch].

    For a diagonal normal q by formula, with covariance C of the exact posterior:
    (log det C - sum log s^2 + tr(C^-1 diag s^2) + (m_q - m)' C^-1 (m_q - m) - D) / 2. Else the mean
    over seeded draws of q, with its standard error.
    """
    if isinstance(q, Gaussian):
        precision, error = exact.precision_matrix, q.loc.double() - exact.loc
        variance = q.scale.double().square()
        inside = (precision.diagonal(dim1=-2, dim2=-1) * variance).sum(-1)
        mahalanobis = torch.einsum("...i,...ij,...j->...", error, precision, error)
        volume = exact.covariance_matrix.logdet() - variance.log().sum(-1)
        return Estimate(0.5 * (volume + inside + mahalanobis - error.shape[-1]))
    latent = q.rsample((samples,), generator=generator_of(seed, q.mean.device))
    ratio = q.log_prob(latent).double() - exact.log_prob(latent.double())
    return Estimate(ratio.mean(0), ratio.std(0) / samples**0.5)


def _is_linear(part: Modality) -> bool:
    return (
        isinstance(part.decoder, LinearDecoder | nn.Linear)
        and isinstance(part.likelihood, LocationScale)
        and part.likelihood.family == "normal"
        and part.likelihood.log_scale.dim() == 0
    )


def _layer(part: Modality) -> nn.Linear:
    layer = part.decoder.body if isinstance(part.decoder, LinearDecoder) else part.decoder
    assert isinstance(layer, nn.Linear)
    return layer


def _loading(part: Modality, layer: nn.Linear, latent: int) -> Tensor:
    weight = layer.weight.detach().double()
    if not part.columns:
        return weight
    loading = torch.zeros(len(weight), latent, dtype=torch.float64)
    seen = torch.cat([torch.arange(latent)[columns] for columns in part.columns])
    loading[:, seen] = weight
    return loading


def _scale(part: Modality) -> float:
    assert isinstance(part.likelihood, LocationScale)
    return float(part.likelihood.log_scale.detach().double().exp())
