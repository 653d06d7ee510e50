"""A study on disk: what it is called, its test items, its judges, its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmvae_core.config import RunConfig
from mmvae_core.errors import RunError, UsageError
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.kinds import kinds_of
from mmvae_core.places import SHIPPED
from mmvae_core.store.arrays import Contract, read_arrays
from mmvae_core.store.record_files import read_record, read_records
from mmvae_core.store.records import About, JudgeCard
from mmvae_core.store.run import Run

if TYPE_CHECKING:
    from mmvae_core.evaluation.judge import Judge

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

    def item(self, row: int) -> dict[str, np.ndarray]:
        """All modalities of one item, as stored."""
        return {name: values[row] for name, values in self.data.items()}


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
        return runs_in(self.folder)

    def kinds(self, config: RunConfig) -> dict[str, Kind]:
        """What the modalities of a run are, by name, with the study's alphabets."""
        return kinds_of(config, self.about.alphabets)

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
        kinds = self.kinds(config)
        for one in config.modalities:
            if one.name not in samples.data:
                raise RunError(
                    f"{self.folder}/samples.npz lacks {one.name}, expected "
                    f"{', '.join(config.names)}; {self._anew}."
                )
            self._check_values(samples.data[one.name], kinds[one.name])
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

    def _check_values(self, values: np.ndarray, kind: Kind) -> None:
        """Hold a modality's values and alphabet against its kind."""
        name, signs = kind.modality.name, kind.alphabet
        if (fault := kind.fault(values)) is not None:
            raise RunError(f"{self.folder}/samples.npz holds {name} {fault}; {self._anew}.")
        if signs is not None and kind.signs is not None and len(signs) != kind.signs:
            raise RunError(
                f"{self.folder}/study.json holds {len(signs)} symbols as alphabets.{name}, "
                f"expected {kind.signs} as the runs have; {self._anew}."
            )


def studies(root: Path | str = SHIPPED) -> list[Study]:
    """The studies under a folder."""
    return [Study(path.parent) for path in sorted(Path(root).glob("*/study.json"))]


def runs_in(folder: Path) -> list[Run]:
    """The runs in a folder that have a configuration and weights, by name."""
    found = sorted(folder.glob("*/weights.safetensors"))
    return [Run(path.parent) for path in found if (path.parent / "config.json").is_file()]


def find_run(text: str, root: Path | str = SHIPPED) -> Run:
    """The run of an id `study/run` as `runs` prints it, or of a folder.

    `root` is the folder of studies: by default `checkpoints` of the checkout, else where one works.
    Raises UsageError, which lists the known runs, where there is none.

    >>> find_run("digits/sum_pooling-masked").config.names
    ('handwriting', 'photo', 'word')
    """
    known = {run.id: run for study in studies(root) for run in study.runs()}
    if text in known:
        return known[text]
    folder = Path(text)
    if (folder / "config.json").is_file() and (folder / "weights.safetensors").is_file():
        return Run(folder)
    if not known:
        raise UsageError(
            f"There is no run {text!r} and no study in the folder {str(root)!r}; name the folder of "
            "studies (`--checkpoints FOLDER`, in Python `root=`), or give a run's folder."
        )
    raise UsageError(
        f"There is no run {text!r}; known runs are {', '.join(known)}, or give a run's folder."
    )


def find_study(of: Run | str, root: Path | str = SHIPPED) -> Study:
    """The study of a name, or the one that a run belongs to.

    That is the run's own parent folder, else the study in the folder `root` of the name that the
    run's configuration gives. Raises UsageError for a name, RunError for a run that has none.

    >>> study = find_study("digits")
    >>> len(study.samples())
    2000
    """
    name, places = (of, []) if isinstance(of, str) else (of.config.study, [of.folder.resolve()])
    for folder in (*(place.parent for place in places), Path(root) / name):
        if (folder / "study.json").is_file():
            return Study(folder)
    if isinstance(of, str):
        known = ", ".join(study.name for study in studies(root)) or "none"
        raise UsageError(
            f"There is no study {of!r} in the folder {str(root)!r}, where the known ones are {known}; "
            "name the folder of studies with `root=`."
        )
    raise RunError(
        f"There is no study {name!r} for the run {of.folder}; put the run's folder "
        "beside the study's study.json and samples.npz."
    )
