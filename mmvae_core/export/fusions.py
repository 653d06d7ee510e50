"""Aggregators, heads and priors as plain records of steps and arrays."""

from collections.abc import Callable
from typing import Any

from torch import nn

from mmvae_core.aggregators.base import Aggregator, Fusion, GaussianHead
from mmvae_core.aggregators.concatenation import Concatenation
from mmvae_core.aggregators.fixed import (
    FixedAggregator,
    MixtureOfExperts,
    MixtureOfProducts,
    ProductOfExperts,
)
from mmvae_core.aggregators.heads import GivenHead, LaplaceHead, MixtureHead
from mmvae_core.aggregators.private import (
    PlainSplit,
    SelfAttentionPrivate,
    SumPoolingPrivate,
    WithPrivate,
)
from mmvae_core.aggregators.self_attention import SelfAttention
from mmvae_core.aggregators.sum_pooling import SumPooling
from mmvae_core.errors import RunError
from mmvae_core.export.layers import Arrays, Step, steps
from mmvae_core.probability.posteriors import Diagonal, DiagonalLaplace, LaplaceMixture
from mmvae_core.probability.priors import MixturePrior, PrivatePrior, StandardNormalPrior

NORMAL, LAPLACE = "normal", "laplace"
SHARED_PARTS = {
    SumPooling: ("chi", "rho"),
    SelfAttention: ("embed", "blocks", "norm", "rho"),
    Concatenation: ("rho",),
}
PRIVATE_PARTS = {
    PlainSplit: (),
    SumPoolingPrivate: ("others", "own", "shared", "rho"),
    SelfAttentionPrivate: ("embed", "shared", "blocks", "norm", "rho"),
}
RULES: dict[type[nn.Module], str] = {
    ProductOfExperts: "poe",
    MixtureOfExperts: "moe",
    MixtureOfProducts: "mopoe",
    SumPooling: "sum_pooling",
    SelfAttention: "self_attention",
    Concatenation: "concatenation",
    PlainSplit: "plain",
    SumPoolingPrivate: "sum_pooling",
    SelfAttentionPrivate: "self_attention",
}


def written_aggregator(module: Aggregator, arrays: Arrays) -> Step:
    """How features become a posterior: `rule`, its networks, its head and, if any, `private`."""
    if isinstance(module, WithPrivate):
        private = module.private
        written = _parts(
            private, arrays, "private", _named(PRIVATE_PARTS, private, "private network")
        )
        written["head"] = _head(private.get_submodule("head"), arrays, "private.head")
        written["family"] = family_name(module.family)
        return written_aggregator(module.shared, arrays) | {"private": written}
    if isinstance(module, FixedAggregator):
        written = {"rule": _named(RULES, module, "aggregator")}
    else:
        written = _parts(module, arrays, "aggregator", _named(SHARED_PARTS, module, "aggregator"))
    assert isinstance(module, Fusion)
    written["prior_product"] = module.prior_product
    written["head"] = _head(module.get_submodule("head"), arrays, "aggregator.head")
    if isinstance(module, MixtureOfExperts):
        written["family"] = family_name(module.family.family)
    return written


def written_prior(module: nn.Module, arrays: Arrays) -> Step:
    """p(z): a standard normal, or a mixture's logits, locations and raw scales."""
    if type(module) is PrivatePrior:
        return written_prior(module.shared, arrays) | {"private": len(module.zeros)}
    if type(module) is StandardNormalPrior:
        return {"family": NORMAL}
    if type(module) is MixturePrior:
        named = {
            key: arrays.keep(f"prior.{key}", getattr(module, key))
            for key in ("logits", "loc", "raw_scale")
        }
        return {"family": family_name(module.family.family), **named}
    raise RunError(
        f"The prior is a {type(module).__name__}, which the export does not know; it knows the "
        "standard normal and mixtures, so choose a run with one of those."
    )


def family_name(family: type[Diagonal]) -> str:
    """What a family of posteriors is called in a configuration."""
    return LAPLACE if issubclass(family, DiagonalLaplace) else NORMAL


def _parts(module: nn.Module, arrays: Arrays, name: str, keys: tuple[str, ...]) -> Step:
    """The rule and networks of a learned fusion; blocks one after the other are one network."""
    written: Step = {"rule": RULES[type(module)]}
    for key in keys:
        part = module.get_submodule(key)
        if isinstance(part, nn.ModuleList):
            part = nn.Sequential(*part)
        written[key] = steps(part, arrays, f"{name}.{key}")
    return written


def _head(module: nn.Module, arrays: Arrays, name: str) -> Step:
    write = _named(HEADS, module, "head")
    if isinstance(module, GivenHead):
        return write(module) | {"linear": []}
    return write(module) | {"linear": steps(module.get_submodule("linear"), arrays, name)}


def _named(known: dict[type[Any], Any], module: nn.Module, what: str) -> Any:
    if type(module) not in known:
        raise RunError(
            f"The {what} is a {type(module).__name__}, which the export does not know; it knows "
            f"{', '.join(one.__name__ for one in known)}, so choose a run with one of those."
        )
    return known[type(module)]


HEADS: dict[type[nn.Module], Callable[[Any], Step]] = {
    GaussianHead: lambda head: {"components": 1, "mixture": False, "family": NORMAL},
    LaplaceHead: lambda head: {"components": 1, "mixture": False, "family": LAPLACE},
    GivenHead: lambda head: {
        "components": 1,
        "mixture": False,
        "family": NORMAL,
        "scales": "softmax" if head.softmax else "log_variance",
    },
    MixtureHead: lambda head: {
        "components": head.components,
        "mixture": True,
        "family": LAPLACE if issubclass(head.family, LaplaceMixture) else NORMAL,
    },
}
"""What each head reads off its linear layer."""
