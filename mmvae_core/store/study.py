"""A study on disk: what it is called, its test items, its judges, its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmvae_core.config import ModalityConfig, RunConfig
from mmvae_core.errors import RunError, UsageError
from mmvae_core.store.arrays import Contract, read_arrays
from mmvae_core.store.record_files import read_record, read_records
from mmvae_core.store.records import About, JudgeCard
from mmvae_core.store.run import Run

if TYPE_CHECKING:
    from mmvae_core.evaluation.judge import Judge

SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints"
CODES = "categorical"
"""The likelihood of symbols, whose items are codes."""
LABELS = {"labels": Contract(("item",), "iu")}
VALUES = Contract(("item", "..."), "fiu")
TRUTH = {"latents": Contract(("item", "latent"))}


@dataclass(frozen=True)
class Samples:
    """Fixed test items: arrays [item, ...] per modality and labels [item] in 0..classes-1."""

    data: Mapping[str, np.ndarray]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Study:
    """A folder of runs over the same data."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @cached_property
    def about(self) -> About:
        """`title`, `classes` (names of the labels), `alphabets` by modality, `sources`."""
        return read_record(self.folder / "study.json", About, self._anew)

    def runs(self) -> list[Run]:
        """The runs with a configuration and weights, by name."""
        found = sorted(self.folder.glob("*/weights.safetensors"))
        return [Run(path.parent) for path in found if (path.parent / "config.json").is_file()]

    def samples(self) -> Samples:
        """The fixed test items."""
        path = self.folder / "samples.npz"
        arrays = read_arrays(path, LABELS, {}, self._anew, others=VALUES)
        labels, classes = arrays.pop("labels"), len(self.about.classes)
        if not len(labels):
            raise RunError(f"{path} holds no items, expected at least one; {self._anew}.")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or (classes and high >= classes):
            raise RunError(
                f"{path} holds labels from {low} to {high}, expected "
                f"{f'0 to {classes - 1}' if classes else '0 or more'}; {self._anew}."
            )
        return Samples(arrays, labels)

    def samples_of(self, config: RunConfig) -> Samples:
        """The test items as a run takes them; RunError where the study does not fit the run."""
        samples = self.samples()
        self.check(samples, config)
        return samples

    def check(self, samples: Samples, config: RunConfig) -> None:
        """Hold samples, alphabets and judges against a run's configuration."""
        for one in config.modalities:
            if one.name not in samples.data:
                raise RunError(
                    f"{self.folder}/samples.npz lacks {one.name}, expected "
                    f"{', '.join(config.names)}; {self._anew}."
                )
            self._check_values(samples.data[one.name], one)
            alphabet = self.about.alphabets.get(one.name)
            is_codes = one.likelihood.name == CODES
            if is_codes and alphabet is not None and len(alphabet) != one.shape[-1]:
                raise RunError(
                    f"{self.folder}/study.json holds {len(alphabet)} symbols as "
                    f"alphabets.{one.name}, expected {one.shape[-1]} as the runs have; {self._anew}."
                )
            card = self.judge_cards.get(one.name)
            if card is not None and card.shape != one.shape:
                raise RunError(
                    f"{self.folder}/judge/card.json holds {list(card.shape)} as {one.name}.shape, "
                    f"expected {list(one.shape)} as the runs have; {self._anew}."
                )

    def truth(self) -> np.ndarray | None:
        """The items' true latents [item, latent], where the data were made from known ones."""
        if not (path := self.folder / "truth.npz").is_file():
            return None
        sizes = {"item": len(self.samples())}
        return read_arrays(path, TRUTH, sizes, self._anew)["latents"]

    def judges(self) -> dict[str, "Judge"]:
        """One classifier per judged modality."""
        from mmvae_core.evaluation.judge import load_judge

        return {
            name: load_judge(self.folder / "judge" / f"{name}.safetensors", card.shape, self._anew)
            for name, card in self.judge_cards.items()
        }

    @cached_property
    def judge_cards(self) -> dict[str, JudgeCard]:
        """What each judge was trained on and how often it is right on real test data."""
        path = self.folder / "judge" / "card.json"
        return read_records(path, JudgeCard, self._anew) if path.parent.is_dir() else {}

    @property
    def _anew(self) -> str:
        what = "digits" if (self.folder / "judge").is_dir() else "CONFIG.toml"
        return f"make the study anew with `python -m mmvae_core study {what} --out {self.folder}`"

    def _check_values(self, values: np.ndarray, modality: ModalityConfig) -> None:
        """Codes [item, length] below the number of symbols; else numbers, of the modality's shape."""
        is_codes = modality.likelihood.name == CODES
        shape = modality.shape[:-1] if is_codes else modality.shape
        said = f"{self.folder}/samples.npz holds {modality.name}"
        if values.shape[1:] != shape:
            raise RunError(
                f"{said} of shape {list(values.shape[1:])} an item, expected {list(shape)} as the "
                f"runs have; {self._anew}."
            )
        if not is_codes:
            return
        if values.dtype.kind not in "iu":
            raise RunError(
                f"{said} as {values.dtype}, expected whole numbers, codes of symbols; {self._anew}."
            )
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= modality.shape[-1]:
            raise RunError(
                f"{said} with codes from {low} to {high}, expected 0 to {modality.shape[-1] - 1}; "
                f"{self._anew}."
            )


def studies(root: Path = SHIPPED) -> list[Study]:
    """The studies under a folder."""
    return [Study(path.parent) for path in sorted(root.glob("*/study.json"))]


def find_run(text: str, root: Path = SHIPPED) -> Run:
    """The run of an id as `runs` prints it, or of a folder."""
    known = {run.id: run for study in studies(root) for run in study.runs()}
    if text in known:
        return known[text]
    folder = Path(text)
    if (folder / "config.json").is_file() and (folder / "weights.safetensors").is_file():
        return Run(folder)
    listed = ", ".join(known) or "none"
    raise UsageError(f"There is no run {text!r}; known runs are {listed}, or give a run's folder.")


def find_study_of_name(text: str, root: Path = SHIPPED) -> Study:
    """The study of a name under a folder, or of a folder of its own."""
    for folder in (root / text, Path(text)):
        if (folder / "study.json").is_file():
            return Study(folder)
    listed = ", ".join(study.name for study in studies(root)) or "none"
    raise UsageError(
        f"There is no study {text!r}; known studies are {listed}, or give a study's folder."
    )


def find_study(run: Run, root: Path = SHIPPED) -> Study:
    """The study that a run belongs to: its own parent folder, else the shipped one of its name."""
    for folder in (run.folder.resolve().parent, root / run.config.study):
        if (folder / "study.json").is_file():
            return Study(folder)
    raise RunError(
        f"There is no study {run.config.study!r} for the run {run.folder}; put the run's folder "
        "beside the study's study.json and samples.npz."
    )
