"""Small runs over the whole family: aggregators, heads, families, priors, private parts."""

from typing import Any

import torch
from torch import nn

from mmvae_core import build
from mmvae_core.config import RunConfig, from_dict

SIZES = (3, 2, 4)
LATENT, FEATURES = 2, 6

torch.set_num_threads(1)  # more would only wait for each other at these sizes


def run(
    prior: str = "standard_normal", private: int = 0, start: str = "torch", **aggregator: Any
) -> RunConfig:
    """A run of three numeric modalities."""
    likelihood = {"name": "normal", "scale": 0.7}
    modalities = [
        {"name": f"m{index}", "shape": [size], "width": 8, "likelihood": likelihood}
        for index, size in enumerate(SIZES)
    ]
    family = "laplace" if prior == "laplace_mixture" else "normal"
    name = "mixture" if prior.endswith("mixture") else prior
    return from_dict(
        {
            "study": "family",
            "start": start,
            "latent": LATENT,
            "features": FEATURES,
            "modalities": modalities,
            "private": private,
            "objective": {"name": "masked"},
            "data": {},
            "training": {"epochs": 1},
            "prior": {"name": name, "family": family, "components": 3, "width": 8, "layers": 2},
            "aggregator": {"width": 8, "heads": 2, "layers": 2} | aggregator,
        }
    )


ABOUT = {name: build.about_aggregator(run(name=name)) for name in build.AGGREGATORS}
FORMULAS = [name for name, about in ABOUT.items() if about.fixed]
FIXED: dict[str, dict[str, Any]] = {
    "poe": {"name": "poe"},
    "poe, mixture prior": {"name": "poe", "prior": "mixture"},
    "moe": {"name": "moe"},
    "moe, mixture prior": {"name": "moe", "prior": "mixture"},
    "moe, laplace": {"name": "moe", "family": "laplace", "prior": "laplace_mixture"},
    "mopoe": {"name": "mopoe"},
    "mopoe, mixture prior": {"name": "mopoe", "prior": "mixture"},
}
LEARNED: dict[str, dict[str, Any]] = {
    f"{name}, {family}, {components}": {"name": name, "family": family, "components": components}
    for name in build.AGGREGATORS
    if name not in FORMULAS
    for family in ("normal", "laplace")
    for components in (1, 3)
}
RESIDUAL: dict[str, dict[str, Any]] = {
    f"{name}, residual": {"name": name, "residual": True}
    for name in build.AGGREGATORS
    if name not in FORMULAS
}
PRODUCT: dict[str, dict[str, Any]] = {
    f"{name}, {components}, times {prior} prior": {
        "name": name,
        "components": components,
        "prior": prior,
        "prior_product": True,
    }
    for name in build.AGGREGATORS
    if "laplace" in ABOUT[name].families
    for components in ((1,) if name in FORMULAS else (1, 3))
    for prior in ("standard_normal", "mixture")
}
"""Those that are multiplied by the prior, as products are by their rule."""
LEARNED |= RESIDUAL
PRIVATE: dict[str, dict[str, Any]] = {
    f"{label}, private": settings | {"private": 2}
    for label, settings in (FIXED | LEARNED | PRODUCT).items()
    if settings["name"] in build.PRIVATE
}
EXACT_EMPTY = (
    FIXED
    | PRODUCT
    | {
        label: settings
        for label, settings in PRIVATE.items()
        if label.removesuffix(", private") in FIXED | PRODUCT
    }
)
"""Nothing shown gives the prior exactly."""
EVERY = FIXED | LEARNED | PRODUCT | PRIVATE
SETS = {label: settings for label, settings in EVERY.items() if not ABOUT[settings["name"]].ordered}
"""Those for which the order of the modalities has no meaning."""


def spread(module: nn.Module, seed: int = 0, size: float = 0.5) -> None:
    """Draw all weights anew and larger, so that no two parts of a model are nearly alike."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in module.parameters():
            value.copy_(size * torch.randn(value.shape, generator=generator, dtype=value.dtype))
