"""Small studies on disk with untrained models: one like `digits`, one of quite other modalities."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmvae_core.build import build_model
from mmvae_core.checkpoints import Samples, file_hash, save_weights, write_arrays, write_json
from mmvae_core.config import RunConfig, from_dict, to_dict
from mmvae_core.data.words import ALPHABET, NAMES, sample_words
from mmvae_core.evaluation.all_subsets import all_posteriors, subset_names
from mmvae_core.evaluation.coherence import share
from mmvae_core.evaluation.conflict import side_names, sides
from mmvae_core.evaluation.judge import Judge, save_judge
from mmvae_core.evaluation.rates import rates
from mmvae_core.evaluation.report import sample_batch
from mmvae_core.projections import fit_pca
from mmvae_core.subsets import all_subsets
from tests import small

ITEMS = 40
RUNS = (("sum_pooling", "masked"), ("moe", "masked"), ("poe", "mixture"),
        ("self_attention", "masked"), ("concatenation", "masked"))
DIGIT_MODALITIES = [
    {"name": "handwriting", "shape": [1, 28, 28], "network": "image", "width": 2,
     "likelihood": {"name": "bernoulli"}},
    {"name": "photo", "shape": [3, 32, 32], "network": "image", "width": 2,
     "likelihood": {"name": "laplace", "scale": 0.2}},
    {"name": "word", "shape": [8, 27], "network": "sequence", "width": 16,
     "likelihood": {"name": "categorical"}},
]


def build(root: Path) -> Path:
    """Both studies under `root`; `root` comes back."""
    digits = small.settings(study="digits", latent=4, modalities=DIGIT_MODALITIES)
    _study(root / "digits", digits, _digit_items(),
           {"title": "Digits", "classes": list(NAMES), "alphabets": {"word": ALPHABET}})
    for name, shape in (("handwriting", (1, 28, 28)), ("photo", (3, 32, 32))):
        torch.manual_seed(1)
        save_judge(Judge(shape), root / "digits" / "judge" / f"{name}.safetensors")
    write_json(root / "digits" / "judge" / "card.json", {
        "handwriting": {"shape": [1, 28, 28], "test_accuracy": 0.1},
        "photo": {"shape": [3, 32, 32], "test_accuracy": 0.1},
    })
    other = {name: values.numpy() for name, values in small.data(ITEMS).items()}
    labels = np.arange(ITEMS) % 3
    _study(root / "small", small.settings(latent=2), Samples(other, labels),
           {"title": "Small", "classes": ["a", "b", "c"], "alphabets": {"text": "abcde"}})
    return root


def _digit_items() -> Samples:
    generator = np.random.default_rng(0)
    labels = np.arange(ITEMS) % 10
    return Samples({
        "handwriting": generator.integers(0, 255, (ITEMS, 1, 28, 28)).astype(np.uint8),
        "photo": generator.integers(0, 255, (ITEMS, 3, 32, 32)).astype(np.uint8),
        "word": sample_words(labels, generator).astype(np.uint8),
    }, labels)


def _study(folder: Path, settings: dict[str, Any], items: Samples, about: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    write_json(folder / "study.json", about | {"sources": ["made for a test"]})
    write_arrays(folder / "samples.npz", {**items.data, "labels": items.labels})
    for aggregator, objective in RUNS:
        made = settings | {"aggregator": settings["aggregator"] | {"name": aggregator},
                           "objective": {"name": objective}}
        _run(folder / f"{aggregator}-{objective}", from_dict(made), items)


def _run(folder: Path, config: RunConfig, items: Samples) -> None:
    model = build_model(config).eval().requires_grad_(False)
    small.spread(model, len(folder.name))
    folder.mkdir()
    write_json(folder / "config.json", to_dict(config))
    save_weights(model, folder / "weights.safetensors")
    write_json(folder / "card.json", {
        "parameters": sum(value.numel() for value in model.parameters()), "epochs": 0,
        "weights": file_hash(folder / "weights.safetensors"),
    })
    posterior = all_posteriors(model, sample_batch(model, items))
    rate = rates(posterior, model.prior(), 16, 0)
    mean = posterior.mean.numpy()
    centre, axes, explained = fit_pca(mean[-1])
    flat = (mean - centre) @ axes.T
    write_arrays(folder / "latents.npz", {
        "masks": all_subsets(len(config.names)).numpy(), "mean": mean,
        "stddev": posterior.stddev.numpy(),
        "rate": torch.stack([one.value for one in rate]).numpy(),
        "pca": flat, "pca_explained": explained, "umap": np.tanh(flat),
    })
    write_json(folder / "report.json", _report(config.names, subset_names(config.names),
                                               len(folder.name)))


def _report(names: Sequence[str], subsets: Sequence[str], seed: int) -> dict[str, Any]:
    def figure(mean: float) -> dict[str, Any]:
        return {"mean": mean, "error": 0.5, "exact": True}

    return {
        "seed": 0, "items": ITEMS, "rate_samples": 16,
        "log_likelihood": {
            "samples": 8, "items": ITEMS, "estimate": "importance-weighted lower bound",
            "joint": figure(-100.0 - 10 * seed),
            "marginal": {name: figure(-50.0) for name in subsets[1:]},
        },
        "rate": {name: figure(1.0) for name in subsets},
        "coherence": {subset: {name: share(seed + 3, ITEMS) for name in names}
                      for subset in subsets[1:]},
        "joint_coherence": share(4, ITEMS),
        "probe": dict.fromkeys(subsets, 0.5),
        "conflict": {"items": ITEMS, "samples": 16, "given": {
            side_names(one, two, tuple(names)): _against(names) for one, two in sides(len(names))}},
    }


def _against(names: Sequence[str]) -> dict[str, Any]:
    won = {"first": share(20, ITEMS), "second": share(12, ITEMS), "neither": share(8, ITEMS)}
    return {"auroc": {"value": 0.9, "low": 0.85, "high": 0.95}, "exact": True,
            "matched": [1.0, 2.0, 3.0, 4.0, 5.0], "swapped": [3.0, 5.0, 7.0, 9.0, 11.0],
            "won": dict.fromkeys(names, won)}
