"""A study on disk: what it is called, its test items, its judges, its runs."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mmvae_core.config import RunConfig
from mmvae_core.errors import RunError, UsageError
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.kinds import kinds_of
from mmvae_core.places import SHIPPED
from mmvae_core.store.arrays import Contract, read_arrays
from mmvae_core.store.held import SAMPLES, check_named
from mmvae_core.store.record_files import read_record, read_records
from mmvae_core.store.records import About, JudgeCard
from mmvae_core.store.run import EMBEDDED, EMBEDDINGS, Run
from mmvae_core.store.samples import Samples, read_samples

LONGEST_NAME = 80
"""So much of a name that is unknown is repeated."""
MODELS = ("weights.safetensors", EMBEDDINGS)
TRUTH = {"latents": Contract(("item", "latent"))}


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
        return read_record(self.folder / "study.json", About, self.anew)

    def runs(self) -> list[Run]:
        """The runs with a configuration and weights, by name."""
        return runs_in(self.folder)

    def kinds(self, config: RunConfig) -> dict[str, Kind]:
        """What the modalities of a run are, by name, with the study's alphabets."""
        return kinds_of(config, self.about.signs)

    def samples(self) -> Samples:
        """The fixed test items."""
        path = self.folder / SAMPLES
        samples = read_samples(path, lambda: self.about, self.anew)
        check_named(path, self.about.samples, "study.json", self.anew)
        return samples

    def samples_of(self, config: RunConfig) -> Samples:
        """The test items as a run takes them; RunError where the study does not fit the run."""
        samples = self.samples()
        self.check(samples, config)
        return samples

    def check(self, samples: Samples, config: RunConfig) -> None:
        """Hold samples, alphabets and judges against a run's configuration."""
        kinds = self.kinds(config)
        for one in config.modalities:
            if one.name not in samples.data and config.data.name == EMBEDDED:
                continue
            if one.name not in samples.data:
                raise RunError(
                    f"{self.folder}/samples.npz lacks {one.name}, expected "
                    f"{', '.join(config.names)}; {self.anew}."
                )
            self._check_values(samples.data[one.name][samples.has(one.name)], kinds[one.name])
            card = self.judge_cards.get(one.name)
            if card is not None and card.shape != one.shape:
                raise RunError(
                    f"{self.folder}/judge/card.json holds {list(card.shape)} as {one.name}.shape, "
                    f"expected {list(one.shape)} as the runs have; {self.anew}."
                )

    def truth(self) -> np.ndarray | None:
        """The items' true latents [item, latent], where the data were made from known ones."""
        if not (path := self.folder / "truth.npz").is_file():
            return None
        sizes = {"item": len(self.samples())}
        return read_arrays(path, TRUTH, sizes, self.anew)["latents"]

    @cached_property
    def judge_cards(self) -> dict[str, JudgeCard]:
        """What each judge was trained on and how often it is right on real test data."""
        path = self.folder / "judge" / "card.json"
        return read_records(path, JudgeCard, self.anew) if path.parent.is_dir() else {}

    def check_card(self, run: Run) -> None:
        """RunError where a run was trained on other data than the study holds now."""
        trained, now = run.card.study, self.about.content
        if trained and now and trained != now:
            raise RunError(
                f"{run.folder} was trained on data with the hash {trained[:12]}, and the study in "
                f"{self.folder} has since been made of others, {now[:12]}; train the run anew, or "
                "bring the data back."
            )

    @property
    def anew(self) -> str:
        """How to make the study again: what an error about one of its files ends in."""
        if (self.folder / "study.toml").is_file():
            return f"make the study anew with `python -m mmvae_core study make {self.folder}`"
        what = "digits" if (self.folder / "judge").is_dir() else "CONFIG.toml"
        return f"make the study anew with `python -m mmvae_core study {what} --out {self.folder}`"

    def _check_values(self, values: np.ndarray, kind: Kind) -> None:
        """Hold a modality's values and alphabet against its kind."""
        name, signs = kind.modality.name, kind.alphabet
        if len(values) and (fault := kind.fault(values)) is not None:
            raise RunError(f"{self.folder}/samples.npz holds {name} {fault}; {self.anew}.")
        if signs is not None and kind.signs is not None and len(signs) != kind.signs:
            raise RunError(
                f"{self.folder}/study.json holds {len(signs)} symbols as alphabets.{name}, "
                f"expected {kind.signs} as the runs have; {self.anew}."
            )


def studies(root: Path | str = SHIPPED) -> list[Study]:
    """The studies under a folder."""
    files = sorted(Path(root).glob("*/study.json"))
    return [Study(path.parent) for path in files if is_text(path.parent.name)]


def runs_in(folder: Path) -> list[Run]:
    """The runs in a folder that have a configuration and weights or embeddings, by name."""
    files = {path.parent for name in MODELS for path in folder.glob(f"*/{name}")}
    return [
        Run(one) for one in sorted(files) if (one / "config.json").is_file() and is_text(one.name)
    ]


def misnamed(folder: Path) -> list[str]:
    """A sentence for each run or study in a folder whose own folder has a name that is no text."""
    files = [*folder.glob("*/weights.safetensors"), *folder.glob("*/study.json")]
    names = sorted({ascii(path.parent.name) for path in files if not is_text(path.parent.name)})
    return [
        f"A folder in {folder} has the name {name}, which is no text; rename it." for name in names
    ]


def is_text(name: str) -> bool:
    """Whether a folder's name can be shown: its bytes are UTF-8, and none is a control."""
    return name.isprintable()


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
    with suppress(OSError):  # of a name that is too long for a file
        if (folder / "config.json").is_file() and (folder / "weights.safetensors").is_file():
            return Run(folder)
    text = text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…"
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
