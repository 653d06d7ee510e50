"""SumPooling: a learned permutation-invariant aggregator (Deep Sets)."""

from torch import Tensor

from mmvae_core.aggregators.base import CHI, RHO, About, GaussianHead, Inside, Learned, of_sum
from mmvae_core.aggregators.heads import MakeHead
from mmvae_core.networks.mlp import make_mlp
from mmvae_core.probability.posteriors import Batched, Posterior


class SumPooling(Learned):
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

    @property
    def about(self) -> About:
        """A learned sum."""
        return About(
            f"Each shown modality gives a vector {CHI}(h), the vectors are added, and an MLP {RHO} "
            "reads the posterior off the sum t. A vector's share is v · t / |t|²: its length along "
            "the sum. The shares add up to 1; a vector against the sum has a negative one.",
            f"A share is of what enters {RHO}, not of what {RHO} makes of it.",
        )

    def prepare(self, features: Tensor) -> Tensor:
        """chi(h_s) [batch, modality, width]."""
        return self.chi(features)

    def aggregate(self, known: Tensor, subset: Tensor) -> Batched:
        """Pool the members' vectors and read the posterior off the sum."""
        return self.head.posterior(self.rho(known.sum(-2)))

    def parts(
        self, known: Tensor, subset: Tensor, prior: Posterior, names: tuple[str, ...]
    ) -> Inside:
        """The vectors chi(h_s) that are added."""
        return of_sum(names, known)
