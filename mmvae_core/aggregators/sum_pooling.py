"""SumPooling: a learned permutation-invariant aggregator (Deep Sets)."""

from torch import Tensor

from mmvae_core.aggregators.base import Aggregator, GaussianHead, blanked
from mmvae_core.aggregators.heads import MakeHead
from mmvae_core.networks.mlp import make_mlp
from mmvae_core.probability.posteriors import Batched


class SumPooling(Aggregator):
    """q(z | x_S) = head(rho(sum_S chi(h_s))), chi and rho MLPs, or their residual forms.

    Source: Zaheer et al. 2017, arXiv 1703.06114; Hirt et al. 2024, arXiv 2309.00380.
    """

    def __init__(
        self,
        features: int,
        latent: int,
        width: int,
        head: MakeHead = GaussianHead,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.chi = make_mlp([features, width, width], residual)
        self.rho = make_mlp([width, width, width], residual)
        self.head = head(width, latent)

    def prepare(self, features: Tensor) -> Tensor:
        """chi(h_s) [batch, modality, width]."""
        return self.chi(features)

    def aggregate(self, features: Tensor, subset: Tensor) -> Batched:
        """Pool the members' vectors and read the posterior off the sum."""
        return self.head.posterior(self.rho(features.sum(-2)))

    def summands(self, features: Tensor, subset: Tensor) -> Tensor:
        """chi(h_s) [batch, modality, width], zero outside the subset."""
        return blanked(self.chi(features), subset)
