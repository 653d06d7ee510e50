"""A linear-Gaussian model in float64 with everything in closed form, for any loadings and prior.

z ~ sum_k w_k N(m_k, diag(s_k^2)), by default N(0, I); x_s = W_s z + b_s + sigma * noise.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from mmvae_core.probability.posteriors import GaussianMixture


@dataclass(frozen=True)
class ExactLinear:
    """Loadings [size, latent], offsets [size] and the noise's standard deviation."""

    loadings: tuple[Tensor, ...]
    offsets: tuple[Tensor, ...]
    sigma: float

    @classmethod
    def random(
        cls,
        sizes: tuple[int, ...],
        shared: int,
        private: int = 0,
        sigma: float = 0.7,
        orthogonal: bool = False,
        seed: int = 0,
    ) -> "ExactLinear":
        """Of z = (z', z_1, ..): modality s has zero loadings on the others' private latents.

        Orthogonal columns make the posterior of every subset diagonal.
        """
        generator = torch.Generator().manual_seed(seed)
        loadings = []
        for index, size in enumerate(sizes):
            values = torch.randn(size, shared + private, generator=generator, dtype=torch.float64)
            if orthogonal:
                scales = values.square().sum(0).sqrt()
                values = torch.linalg.qr(values)[0] * scales
            whole = torch.zeros(size, shared + private * len(sizes), dtype=torch.float64)
            whole[:, :shared] = values[:, :shared]
            start = shared + private * index
            whole[:, start : start + private] = values[:, shared:]
            loadings.append(whole)
        offsets = [torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes]
        return cls(tuple(loadings), tuple(offsets), sigma)

    def sample(self, count: int, seed: int = 1) -> list[Tensor]:
        """Data [count, size] of each modality under the standard normal prior."""
        generator = torch.Generator().manual_seed(seed)
        latent = torch.randn(
            count, self.loadings[0].shape[1], generator=generator, dtype=torch.float64
        )
        return [
            latent @ w.T
            + b
            + self.sigma * torch.randn(count, len(b), generator=generator, dtype=torch.float64)
            for w, b in zip(self.loadings, self.offsets, strict=True)
        ]

    def log_marginal(
        self, data: list[Tensor], mask: Tensor, prior: GaussianMixture | None = None
    ) -> Tensor:
        """log p(x_A) [count] for one mask [modality] in nats; 0 for the empty one."""
        kept = [index for index in range(len(mask)) if mask[index]]
        if not kept:
            return torch.zeros(len(data[0]), dtype=torch.float64)
        w, b = (torch.cat([one[index] for index in kept]) for one in (self.loadings, self.offsets))
        x = torch.cat([data[index] for index in kept], -1)
        noise = self.sigma**2 * torch.eye(len(b), dtype=torch.float64)
        if prior is None:
            return MultivariateNormal(b, w @ w.T + noise).log_prob(x)
        parts = [
            log_weight + MultivariateNormal(w @ m + b, (w * s**2) @ w.T + noise).log_prob(x)
            for log_weight, m, s in zip(*prior.parameters(), strict=True)
        ]
        return torch.stack(parts).logsumexp(0)

    def posterior(self, data: list[Tensor], mask: Tensor) -> tuple[Tensor, Tensor]:
        """p(z | x_A) under N(0, I): mean [count, latent] and covariance [latent, latent]."""
        size = self.loadings[0].shape[1]
        precision = torch.eye(size, dtype=torch.float64)
        shift = torch.zeros(len(data[0]), size, dtype=torch.float64)
        for index in range(len(mask)):
            if mask[index]:
                w = self.loadings[index] / self.sigma**2
                precision = precision + w.T @ self.loadings[index]
                shift = shift + (data[index] - self.offsets[index]) @ w
        covariance = torch.linalg.inv(precision)
        return shift @ covariance, covariance


def inverse_softplus(value: Tensor) -> Tensor:
    """x with log(1 + exp(x)) = value."""
    return value + torch.log(-torch.expm1(-value))
