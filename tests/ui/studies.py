"""Small studies on disk with untrained models: one like `digits`, others quite different."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from mmvae_core.build import build_model
from mmvae_core.config import RunConfig, from_dict, to_dict
from mmvae_core.data.digits.words import ALPHABET, NAMES, sample_words
from mmvae_core.evaluation.all_subsets import all_posteriors
from mmvae_core.evaluation.judge import Judge, save_judge
from mmvae_core.evaluation.log_likelihood import log_likelihoods
from mmvae_core.evaluation.rates import distortions, rates
from mmvae_core.evaluation.report import sample_batch
from mmvae_core.explore.opening import make_picture
from mmvae_core.files import write_json
from mmvae_core.model import MultimodalVAE
from mmvae_core.projections import fit_pca
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.opening import write_picture
from mmvae_core.store.record_files import write_record, write_records
from mmvae_core.store.records import (
    About,
    JudgeCard,
    Opening,
)
from mmvae_core.store.run import Run
from mmvae_core.store.study import Samples, Study
from mmvae_core.store.weights import save_weights
from mmvae_core.subsets import all_subsets
from tests import small

ITEMS = small.ITEMS
Runs = Mapping[str, Mapping[str, Any]]
"""What each run of a study has of its own: tables that are merged into the study's settings."""


def float64(model: MultimodalVAE) -> MultimodalVAE:
    """The model in float64, where calls of unlike shapes agree; the pages' data are float32."""
    for name in model.names:
        model.modality(name).encoder.register_forward_pre_hook(
            lambda _, given: tuple(one.double() for one in given)
        )
    return model.double()


def _plain(aggregator: str, objective: str) -> dict[str, Any]:
    return {"aggregator": {"name": aggregator}, "objective": {"name": objective}}


RUNS: Runs = {
    "sum_pooling-masked": _plain("sum_pooling", "masked"),
    "moe-masked": _plain("moe", "masked"),
    "poe-mixture": _plain("poe", "mixture"),
    "self_attention-masked": _plain("self_attention", "masked"),
    "concatenation-masked": _plain("concatenation", "masked"),
}
FIVE_RUNS: Runs = {
    "poe": {"aggregator": {"name": "poe"}},
    "mopoe": {"aggregator": {"name": "mopoe"}, "prior": {"name": "mixture", "components": 2}},
    "private": {"aggregator": {"name": "sum_pooling"}, "private": 1},
}
PAIR_RUNS: Runs = {
    "mixture": {"aggregator": {"name": "sum_pooling", "components": 3}},
    "laplace": {"aggregator": {"name": "sum_pooling", "family": "laplace"}},
    "laplaces": {
        "aggregator": {"name": "moe", "family": "laplace"},
        "prior": {"name": "mixture", "family": "laplace", "components": 2},
    },
    "flow": {
        "aggregator": {"name": "self_attention", "components": 2},
        "prior": {"name": "flow", "width": 8, "layers": 1},
    },
}
DIGIT_MODALITIES = [
    {
        "name": "handwriting",
        "shape": [1, 28, 28],
        "network": "image",
        "width": 2,
        "likelihood": {"name": "bernoulli"},
    },
    {
        "name": "photo",
        "shape": [3, 32, 32],
        "network": "image",
        "width": 2,
        "likelihood": {"name": "laplace", "scale": 0.2},
    },
    {
        "name": "word",
        "shape": [8, 27],
        "network": "sequence",
        "width": 16,
        "likelihood": {"name": "categorical"},
    },
]


def build(root: Path) -> Path:
    """All studies under `root`; `root` comes back.

    `digits` has judges; the others have none. `five` has five modalities, linear decoders, and a
    run with private latents; `pair` has a plain vector and a label, and posteriors that are not
    normal.
    """
    digits = small.settings(study="digits", latent=4, modalities=DIGIT_MODALITIES)
    write_study(
        root / "digits",
        digits,
        _digit_items(),
        about("Digits", NAMES, word=ALPHABET),
    )
    for name, shape in (("handwriting", (1, 28, 28)), ("photo", (3, 32, 32))):
        torch.manual_seed(1)
        save_judge(Judge(shape), root / "digits" / "judge" / f"{name}.safetensors")
    write_records(
        root / "digits" / "judge" / "card.json",
        {
            "handwriting": JudgeCard(shape=(1, 28, 28), test_accuracy=0.1),
            "photo": JudgeCard(shape=(3, 32, 32), test_accuracy=0.1),
        },
    )
    other = {name: values.numpy() for name, values in small.data(ITEMS).items()}
    labels = np.arange(ITEMS) % 3
    write_study(
        root / "small",
        small.settings(latent=2),
        Samples(other, labels),
        about("Small", "abc", text="abcde"),
    )
    write_study(
        root / "five",
        small.settings(modalities=vectors(5, "linear")),
        vector_items(5, ITEMS),
        about("Five"),
        FIVE_RUNS,
    )
    pair = [
        *vectors(1),
        {
            "name": "label",
            "shape": [1, 3],
            "network": "sequence",
            "width": 8,
            "likelihood": {"name": "categorical"},
        },
    ]
    items = vector_items(1, ITEMS)
    items = Samples({**items.data, "label": labels[:, None].astype(np.uint8)}, labels)
    write_study(
        root / "pair",
        small.settings(modalities=pair, latent=2),
        items,
        about("Pair", "abc"),
        PAIR_RUNS,
    )
    return root


def about(title: str, classes: Sequence[str] = (), **alphabets: str) -> About:
    """What a made study says of itself."""
    return About(
        title=title, classes=tuple(classes), alphabets=alphabets, sources=("made for a test",)
    )


def vectors(count: int, network: str = "mlp") -> list[dict[str, Any]]:
    """Settings of plain vector modalities."""
    return [
        {
            "name": f"part{index}",
            "shape": [3 + index],
            "width": 8,
            "network": network,
            "likelihood": {"name": "normal"},
        }
        for index in range(count)
    ]


def vector_items(count: int, items: int) -> Samples:
    """Items of `vectors`."""
    generator = np.random.default_rng(0)
    return Samples(
        {
            f"part{index}": generator.normal(size=(items, 3 + index)).astype(np.float32)
            for index in range(count)
        },
        np.zeros(items, np.uint8),
    )


def _digit_items() -> Samples:
    generator = np.random.default_rng(0)
    labels = np.arange(ITEMS) % 10
    return Samples(
        {
            "handwriting": generator.integers(0, 255, (ITEMS, 1, 28, 28)).astype(np.uint8),
            "photo": generator.integers(0, 255, (ITEMS, 3, 32, 32)).astype(np.uint8),
            "word": sample_words(labels, generator).astype(np.uint8),
        },
        labels,
    )


def write_study(
    folder: Path,
    settings: dict[str, Any],
    items: Samples,
    told: About,
    runs: Runs = RUNS,
) -> None:
    """A study's folder with one untrained run for each entry of `runs`."""
    folder.mkdir(parents=True)
    write_record(folder / "study.json", told)
    write_arrays(folder / "samples.npz", {**items.data, "labels": items.labels})
    for name, own in runs.items():
        merged = {
            key: settings.get(key, {}) | value if isinstance(value, dict) else value
            for key, value in own.items()
        }
        _run(folder / name, from_dict(settings | {"study": folder.name} | merged), items)


def write_opening(
    folder: Path,
    run: str,
    item: int,
    masks: Mapping[str, tuple[str, ...]],
    picture: bool = False,
) -> None:
    """What a study opens with, as if it had been chosen."""
    study, names = Study(folder), Run(folder / run).config.names
    opening = Opening(run=run, item=item, mask=names, masks=dict(masks))
    write_record(folder / "study.json", msgspec.structs.replace(study.about, opening=opening))
    if picture:
        first = Run(folder / run)
        write_picture(study, make_picture(study, first, item, first.model()))


def _run(folder: Path, config: RunConfig, items: Samples) -> None:
    model = build_model(config).eval().requires_grad_(False)
    small.spread(model, len(folder.name))
    folder.mkdir()
    write_json(folder / "config.json", to_dict(config))
    save_weights(model, folder / "weights.safetensors")
    count = sum(value.numel() for value in model.parameters())
    card = small.card(config, folder / "weights.safetensors", count)
    write_record(folder / "card.json", card)
    batch = sample_batch(model, items)
    posterior = all_posteriors(model, batch)
    rate = rates(posterior, model.prior(), 16, 0)
    distortion, bound = distortions(model, batch, posterior, 4, 0)
    mean = posterior.mean.numpy()
    centre, axes, explained = fit_pca(mean[-1])
    flat = (mean - centre) @ axes.T
    write_arrays(
        folder / "latents.npz",
        {
            "masks": all_subsets(len(config.names)).numpy(),
            "mean": mean,
            "stddev": posterior.stddev.numpy(),
            "rate": torch.stack([one.value for one in rate]).numpy(),
            "pca": flat,
            "pca_explained": explained,
            "umap": np.tanh(flat),
            "distortion": distortion.numpy(),
            "log_likelihood": bound.numpy(),
            "marginal": log_likelihoods(model, batch, 8, 0).numpy(),
        },
    )
    report = small.made_report(config.names, len(folder.name))
    write_record(folder / "report.json", report)
