"""A small run with three modalities of three kinds, its data, and folders of it on disk."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmvae_core.aggregators.base import About, Learned
from mmvae_core.build import build_model
from mmvae_core.config import RunConfig, from_dict, to_dict
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.store.run import Run, file_hash, save_weights, write_arrays, write_json

SETTINGS: dict[str, Any] = {
    "study": "small",
    "latent": 3,
    "features": 6,
    "modalities": [
        {"name": "numbers", "shape": [4], "width": 8, "likelihood": {"name": "normal"}},
        {
            "name": "picture",
            "shape": [1, 12, 12],
            "network": "image",
            "width": 2,
            "likelihood": {"name": "bernoulli"},
            "weight": 0.5,
        },
        {
            "name": "text",
            "shape": [3, 5],
            "network": "sequence",
            "width": 8,
            "likelihood": {"name": "categorical"},
            "weight": 2.0,
        },
    ],
    "aggregator": {"name": "poe", "width": 8, "heads": 2, "layers": 2},
    "objective": {"name": "masked"},
    "data": {"epoch_size": 32},
    "training": {"epochs": 2, "batch": 16, "learning_rate": 0.01},
}


class Written(Learned):
    """Base of aggregators that a test writes down: of the features as they are, with no parts."""

    @property
    def about(self) -> About:
        return About("A formula that a test has written down.")

    def prepare(self, features: Tensor) -> Tensor:
        return features

    def parts(self, known: Tensor, subset: Tensor, prior: Posterior, names: tuple) -> None:
        return None


def settings(**changes: Any) -> dict[str, Any]:
    """A copy of SETTINGS; a dict given for a table is merged into it."""
    made = deepcopy(SETTINGS)
    for key, value in changes.items():
        made[key] = made[key] | value if isinstance(value, dict) else value
    return made


def config(aggregator: str = "poe", **changes: Any) -> RunConfig:
    """The small run with an aggregator and other changes."""
    return from_dict(settings(**{"aggregator": {"name": aggregator}} | changes))


def spread(module: nn.Module, seed: int = 0) -> None:
    """Draw all weights anew and larger, so that no two parts of a model are nearly alike."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in module.parameters():
            value.copy_(0.5 * torch.randn(value.shape, generator=generator, dtype=value.dtype))


def data(items: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Data of the small run's modalities."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "numbers": torch.randn(items, 4, generator=generator).to(dtype),
        "picture": torch.rand(items, 1, 12, 12, generator=generator).to(dtype),
        "text": torch.randint(0, 5, (items, 3), generator=generator),
    }


def write_run(folder: Path, made: RunConfig | None = None) -> Run:
    """A run's folder with random weights, as if it had been trained."""
    made = made or config()
    model = build_model(made)
    spread(model, made.training.seed)
    save_weights(model, folder / "weights.safetensors")
    write_json(folder / "config.json", to_dict(made))
    write_json(
        folder / "card.json",
        {
            "study": made.study,
            "aggregator": made.aggregator.name,
            "objective": made.objective.name,
            "seed": made.training.seed,
            "epochs": 2,
            "device": "cpu",
            "hardware": "a test",
            "threads": 1,
            "seconds": 0.5,
            "parameters": 1,
            "bytes": 1,
            "weights": file_hash(folder / "weights.safetensors"),
        },
    )
    return Run(folder)


def write_study(root: Path, made: RunConfig | None = None, items: int = 4) -> Run:
    """A study of one run under `root`; returns the run `<study>/first`."""
    made = made or config()
    folder = root / made.study
    arrays = {name: values.numpy() for name, values in data(items).items()}
    write_arrays(folder / "samples.npz", arrays | {"labels": np.arange(items) % 10})
    write_json(
        folder / "study.json",
        {
            "title": "Small",
            "classes": ["a", "b"],
            "alphabets": {"text": "abcde"},
            "sources": [],
        },
    )
    return write_run(folder / "first", made)
