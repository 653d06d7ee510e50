"""A trained run on disk: configuration, card, weights, report and latents, each by its contract."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmvae_core.config import RunConfig, load_config
from mmvae_core.errors import RunError
from mmvae_core.places import SHIPPED
from mmvae_core.store.arrays import Contract, read_arrays
from mmvae_core.store.record_files import plain, read_record
from mmvae_core.store.records import Card, RunReport
from mmvae_core.store.weights import load_model

if TYPE_CHECKING:
    from mmvae_core.model import MultimodalVAE

TRAINED = "trained"
FITTED = ("mixture", "flow")
"""Priors that `second_stage` fits to a finished run, beside the trained one."""
TRAIN = "copy it from where the run was trained, or `python -m mmvae_core train` the run anew"
LATENTS = {
    "masks": Contract(("subset", "modality"), "b"),
    "mean": Contract(("subset", "item", "latent")),
    "stddev": Contract(("subset", "item", "latent")),
    "rate": Contract(("subset", "item")),
    "pca": Contract(("subset", "item", "2")),
    "pca_explained": Contract(("2",)),
    "umap": Contract(("subset", "item", "2")),
    "distortion": Contract(("subset", "item"), optional=True),
    "log_likelihood": Contract(("subset", "item"), optional=True),
    "marginal": Contract(("subset", "first"), optional=True),
}
"""The arrays of latents.npz; see `Latents`."""


@dataclass(frozen=True)
class Latents:
    """Posteriors of the samples under every subset, ordered as `subsets.all_subsets`.

    `masks` [subset, modality]; `mean` and `stddev` [subset, item, latent] (a mixture's are its
    moments); `rate` [subset, item] in nats; `pca` and `umap` [subset, item, 2]. Of runs evaluated
    by an earlier version these are None: `distortion` and `log_likelihood` [subset, item] (see
    `evaluation.rates.distortions`), and `marginal` [subset, first], log p(x_S) of the first items,
    whose means are in the report.
    """

    masks: np.ndarray
    mean: np.ndarray
    stddev: np.ndarray
    rate: np.ndarray
    pca: np.ndarray
    pca_explained: np.ndarray
    umap: np.ndarray
    distortion: np.ndarray | None = None
    log_likelihood: np.ndarray | None = None
    marginal: np.ndarray | None = None


@dataclass(frozen=True)
class Run:
    """One trained run, read from its folder when asked."""

    folder: Path

    @property
    def id(self) -> str:
        """`study/run` by its folders' names, as every command prints and takes it."""
        folder = self.folder.resolve()
        return f"{folder.parent.name}/{folder.name}"

    @property
    def named(self) -> str:
        """What a command takes for this run, as one word of a shell: its id if shipped, or its folder."""
        is_shipped = self.folder.resolve().parent.parent == SHIPPED.resolve()
        return self.id if is_shipped else shlex.quote(str(self.folder))

    @cached_property
    def config(self) -> RunConfig:
        """How the model is built and was trained."""
        return load_config(self.folder / "config.json")

    @cached_property
    def card(self) -> Card:
        """Epochs, device, hardware, threads, wall time, parameters, weights' hash."""
        return read_record(self.folder / "card.json", Card, TRAIN)

    @property
    def is_measured(self) -> bool:
        """Whether the run has a report."""
        return (self.folder / "report.json").is_file()

    @cached_property
    def report(self) -> RunReport:
        """What `evaluate` measured."""
        path = self.folder / "report.json"
        report = read_record(path, RunReport, self._evaluate)
        self._check_subsets(path, report)
        return report

    @property
    def priors(self) -> tuple[str, ...]:
        """The trained prior's name, then those of priors that were fitted to the run afterwards."""
        files = [self.folder / name for name in ("priors.json", "priors.safetensors")]
        return (TRAINED, *FITTED) if any(one.is_file() for one in files) else (TRAINED,)

    @property
    def weights(self) -> Path:
        """The weights' file."""
        return self.folder / "weights.safetensors"

    @property
    def is_evaluated(self) -> bool:
        """Whether the posteriors of the study's samples are stored."""
        return (self.folder / "latents.npz").is_file()

    def latents(self, items: int | None = None) -> Latents:
        """Stored posteriors and coordinates of the study's samples, of which there are `items`."""
        path, count = self.folder / "latents.npz", len(self.config.names)
        sizes = {"modality": count, "subset": 2**count, "latent": self.config.latents}
        sizes |= {} if items is None else {"item": items}
        found = Latents(**read_arrays(path, LATENTS, sizes, self._evaluate))
        every = [[index in one for index in range(count)] for one in _subsets(count)]
        if found.masks.tolist() != every:
            raise RunError(
                f"{path} holds masks in an order of its own, expected every subset once, small ones "
                f"first; {self._evaluate}."
            )
        return found

    def model(self) -> "MultimodalVAE":
        """The trained model on the CPU in float32, in evaluation mode."""
        return load_model(self.config, self.weights)

    @property
    def _evaluate(self) -> str:
        return f"make it anew with `python -m mmvae_core evaluate {self.named} --save`"

    def _check_subsets(self, path: Path, report: RunReport) -> None:
        """RunError where a report is of other modalities than the run."""
        names = self.config.names
        every = {_name(names, one) for one in _subsets(len(names))}
        held = {
            "log_likelihood.marginal": report.log_likelihood.marginal,
            "log_likelihood.conditional": report.log_likelihood.conditional,
            "rate": report.rate,
            "cross_rate": report.cross_rate,
            "distortion": report.distortion,
            "coherence": report.coherence,
            "probe": report.probe,
        }
        wrong = [
            f"holds {field}.{plain(one)}" for field in held for one in held[field].keys() - every
        ]
        wrong += [f"lacks rate.{one}" for one in every - report.rate.keys()]
        if wrong:
            raise RunError(
                f"{path} {min(wrong)}, expected the subsets of {', '.join(names)}; "
                f"{self._evaluate}."
            )


def _subsets(count: int) -> Iterator[Sequence[int]]:
    """The members of every subset, ordered as `subsets.all_subsets`."""
    return (one for size in range(count + 1) for one in combinations(range(count), size))


def _name(names: Sequence[str], members: Sequence[int]) -> str:
    """As `subsets.subset_name` calls it, which needs torch."""
    return "+".join(names[index] for index in members) or "nothing"
