"""A small run with three modalities of three kinds, its data, and folders of it on disk."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec.structs import asdict
from torch import Tensor, nn

from mmvae_core.aggregators.base import About, Learned
from mmvae_core.build import build_model
from mmvae_core.config import RunConfig, from_dict, to_dict
from mmvae_core.evaluation.all_subsets import subset_names
from mmvae_core.evaluation.coherence import share
from mmvae_core.evaluation.conflict import side_names, sides
from mmvae_core.files import write_json
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import About as StudyAbout
from mmvae_core.store.records import (
    Auroc,
    Card,
    Clash,
    Conflicts,
    JointShare,
    LogLikelihood,
    Mean,
    RateMean,
    RunReport,
    Winners,
)
from mmvae_core.store.run import Run
from mmvae_core.store.weights import file_hash, save_weights

ITEMS = 40
"""Of which invented reports tell."""
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
    write_record(folder / "card.json", card(made, folder / "weights.safetensors", 1))
    return Run(folder)


def card(made: RunConfig, weights: Path, parameters: int) -> Card:
    """As if the weights had been trained for two passes in half a second."""
    return Card(
        seed=made.training.seed,
        epochs=2,
        device="cpu",
        hardware="a test",
        threads=1,
        seconds=0.5,
        parameters=parameters,
        bytes=weights.stat().st_size,
        weights=file_hash(weights),
    )


def write_study(root: Path, made: RunConfig | None = None, items: int = 4) -> Run:
    """A study of one run under `root`; returns the run `<study>/first`."""
    made = made or config()
    folder = root / made.study
    arrays = {name: values.numpy() for name, values in data(items).items()}
    write_arrays(folder / "samples.npz", arrays | {"labels": np.arange(items) % 10})
    about = StudyAbout(title="Small", classes=tuple("abcdefghij"), alphabets={"text": "abcde"})
    write_record(folder / "study.json", about)
    return write_run(folder / "first", made)


def linear(items: int, epochs: int, batch: int) -> RunConfig:
    """Two vectors of a made world, which need no files: trained in a moment."""
    return from_dict(
        settings(
            modalities=[
                {"name": name, "shape": [size], "width": 4, "likelihood": {"name": "normal"}}
                for name, size in (("second", 6), ("first", 7))
            ],
            data={"name": "linear", "epoch_size": items},
            training={"epochs": epochs, "batch": batch},
        )
    )


def made_report(names: Sequence[str], seed: int) -> RunReport:
    """A report of invented figures, which differ between seeds."""
    subsets = subset_names(names)

    def rate(mean: float) -> RateMean:
        return RateMean(mean=mean, error=0.5, exact=True)

    joint = share(4, ITEMS)
    return RunReport(
        seed=0,
        items=ITEMS,
        rate_samples=16,
        log_likelihood=LogLikelihood(
            samples=8,
            items=ITEMS,
            estimate="importance-weighted lower bound",
            joint=Mean(mean=-100.0 - 10 * seed, error=0.5),
            marginal={name: Mean(mean=-50.0, error=0.5) for name in subsets[1:]},
            conditional={name: Mean(mean=-60.0, error=0.5) for name in subsets[1:-1]},
        ),
        rate={name: rate(1.0 + seed) for name in subsets},
        cross_rate={name: rate(2.0) for name in subsets},
        distortion_samples=4,
        distortion={name: Mean(mean=90.0 - seed, error=0.5) for name in subsets},
        coherence={
            subset: {name: share(seed + 3, ITEMS) for name in names} for subset in subsets[1:]
        },
        joint_coherence=JointShare(**asdict(joint), modalities=tuple(names)),
        probe=dict.fromkeys(subsets, 0.5),
        conflict=Conflicts(
            items=ITEMS,
            samples=16,
            given={
                side_names(one, two, tuple(names)): _against(names)
                for one, two in sides(len(names))
            },
        ),
    )


def _against(names: Sequence[str]) -> Clash:
    won = Winners(first=share(20, ITEMS), second=share(12, ITEMS), neither=share(8, ITEMS))
    return Clash(
        auroc=Auroc(value=0.9, low=0.85, high=0.95),
        exact=True,
        matched=(1.0, 2.0, 3.0, 4.0, 5.0),
        swapped=(3.0, 5.0, 7.0, 9.0, 11.0),
        won=dict.fromkeys(names, won),
    )
