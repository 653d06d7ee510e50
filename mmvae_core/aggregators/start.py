"""How aggregators start where every layer keeps the variance of what it is given."""

from torch import nn

from mmvae_core.aggregators.base import Aggregator, GaussianHead
from mmvae_core.aggregators.heads import MixtureHead
from mmvae_core.aggregators.self_attention import AttentionBlock
from mmvae_core.networks.mlp import ResidualMLP
from mmvae_core.networks.start import GAIN, keep_variance


def start_aggregator(part: nn.Module, first: float = GAIN) -> None:
    """Draw all weights anew, but those of heads, which begin near the prior's width.

    Branches of the residual form and of quiet blocks start at zero; `first` is the gain of a
    chain's first layer, 1 for `rho`, which sees a sum.
    """
    if isinstance(part, GaussianHead | MixtureHead):
        return
    if isinstance(part, ResidualMLP):
        keep_variance(part.straight, first=1.0)
        keep_variance(part.branch, factor=0.0, first=first)
    elif isinstance(part, AttentionBlock):
        keep_variance(part.to_query_key_value)
        keep_variance(part.out, factor=0.0 if part.quiet else 1.0)
        keep_variance(part.body, factor=0.0 if part.quiet else 1.0)
    elif isinstance(part, nn.Sequential | nn.Linear):
        keep_variance(part, first=first)
    else:
        side_by_side = isinstance(part, Aggregator) and part.about.ordered
        for name, child in part.named_children():
            sums = name == "rho" and not side_by_side
            start_aggregator(child, 1.0 if sums else GAIN)
