"""A trained run on disk: configuration, card, weights, report and latents, each by its contract."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmvae_core.config import RunConfig
from mmvae_core.config_files import load_config
from mmvae_core.errors import RunError
from mmvae_core.places import SHIPPED
from mmvae_core.store.arrays import Contract, read_arrays
from mmvae_core.store.held import check_latents, check_report, check_samples, check_weights
from mmvae_core.store.record_files import plain, read_record
from mmvae_core.store.records import Card, RunReport
from mmvae_core.store.weights import load_model

if TYPE_CHECKING:
    from mmvae_core.model import MultimodalVAE

TRAINED = "trained"
FITTED = ("mixture", "flow")
"""Priors that `second_stage` fits to a finished run, beside the trained one."""
EMBEDDINGS, EMBEDDED = "embeddings.npz", "embeddings"
"""The file of a run without a model, see `explore.embeddings`, and its data set's name."""
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
    moments); `rate` [subset, item] in nats; `pca` and `umap` [subset, item, 2]. Of embeddings
    alone there may be fewer subsets, `stddev` and `rate` are zero where they are not known, and `umap`
    is empty where it was not made. Of runs evaluated by an earlier version these are None: `distortion` and `log_likelihood` [subset,
    item] (see `evaluation.rates.distortions`), and `marginal` [subset, first], log p(x_S) of the
    first items, whose means are in the report.
    """

    masks: np.ndarray
    mean: np.ndarray
    stddev: np.ndarray
    rate: np.ndarray
    pca: np.ndarray
    pca_explained: np.ndarray
    umap: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 2)))
    distortion: np.ndarray | None = None
    log_likelihood: np.ndarray | None = None
    marginal: np.ndarray | None = None

    @property
    def has_width(self) -> bool:
        """Whether more is known than means."""
        return bool(self.stddev.any())


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
        if report.measured is not None:
            check_report(self.folder, report, self.card, self._evaluate)
        return report

    @property
    def has_model(self) -> bool:
        """Whether there are weights, and not embeddings alone."""
        return self.config.data.name != EMBEDDED

    @property
    def priors(self) -> tuple[str, ...]:
        """The trained prior's name, then those of priors that were fitted to the run afterwards."""
        if not self.has_model:
            return ()
        files = [self.folder / name for name in ("priors.json", "priors.safetensors")]
        return (TRAINED, *FITTED) if any(one.is_file() for one in files) else (TRAINED,)

    @property
    def weights(self) -> Path:
        """The file whose hash the card names: the weights, or the embeddings where there are none."""
        return self.folder / ("weights.safetensors" if self.has_model else EMBEDDINGS)

    @property
    def is_evaluated(self) -> bool:
        """Whether the posteriors of the study's samples are stored."""
        return any((self.folder / name).is_file() for name in ("latents.npz", EMBEDDINGS))

    def latents(self, items: int | None = None) -> Latents:
        """Stored posteriors and coordinates of the study's samples, of which there are `items`."""
        path, count = self._latents, len(self.config.names)
        sizes = {"modality": count, "latent": self.config.latents}
        sizes |= {"subset": 2**count} if self.has_model else {}
        sizes |= {} if items is None else {"item": items}
        optional = {"umap": replace(LATENTS["umap"], optional=not self.has_model)}
        latents = Latents(**read_arrays(path, LATENTS | optional, sizes, self._evaluate))
        every = [[index in one for index in range(count)] for one in _subsets(count)]
        if self.has_model and latents.masks.tolist() != every:
            raise RunError(
                f"{path} holds masks in an order of its own, expected every subset once, small ones "
                f"first; {self._evaluate}."
            )
        if self.is_measured:
            check_latents(self.folder, self.report, self._evaluate)
        return latents

    def model(self) -> "MultimodalVAE":
        """The trained model on the CPU in float32, in evaluation mode.

        RunError where its weights are not those that its card names.
        """
        if not self.has_model:
            raise RunError(
                f"{self.folder} holds embeddings without a model; Latent space and Compare show them."
            )
        if (self.folder / "card.json").exists():
            self.check_weights()
        return load_model(self.config, self.weights)

    def check_weights(self) -> None:
        """RunError unless the weights are those that the card was written for."""
        check_weights(self.weights, self.card)

    def check_samples(self, samples: Path) -> None:
        """RunError where the run was measured on other test items than the file holds."""
        if self.is_measured:
            check_samples(self.folder, self.report, samples, self._evaluate)

    @property
    def _latents(self) -> Path:
        return self.folder / ("latents.npz" if self.has_model else EMBEDDINGS)

    @property
    def _evaluate(self) -> str:
        if not self.has_model:
            return "make it anew with `python -m mmvae_core study embed`"
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
