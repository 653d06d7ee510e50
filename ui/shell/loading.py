"""Studies, runs, test items, posteriors and reports, read once and kept.

Nothing here imports torch: what a model answers is in `answers.py`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.data.digits.words import ALPHABET, LENGTH
from mmvae_core.errors import MMVAEError, RunError
from mmvae_core.explore import finding
from mmvae_core.store.history import EpochReport, read_history
from mmvae_core.store.records import RunReport
from mmvae_core.store.results import Report, read_report, report_files
from mmvae_core.store.run import Latents, Run
from mmvae_core.store.study import SHIPPED, Samples, Study, find_study, misnamed, runs_in
from mmvae_core.store.study import studies as find_studies
from ui.draw.names import run_title
from ui.shell import caching


def root() -> Path:
    """The folder of studies that `mmvae app --checkpoints FOLDER` named, else the shipped one."""
    return _given("--checkpoints", SHIPPED)


def own_runs() -> Path:
    """The folder of runs that belong to studies elsewhere: `--runs FOLDER`, else `runs`."""
    return _given("--runs", Path("runs"))


def cards(shipped: Path) -> Path:
    """The folder of cards of the page Learn: `--cards FOLDER`, else the shipped ones."""
    return _given("--cards", shipped)


def collects() -> bool:
    """Whether predictions on cards are counted for all to see: `--collect`, by itself not."""
    return "--collect" in sys.argv[1:]


def trains() -> bool:
    """Whether pages may start trainings: by itself yes, not where others are let in."""
    return "--no-training" not in sys.argv[1:]


def studies() -> dict[str, Study]:
    """The studies that hold at least one run, by name."""
    every = [*find_studies(own_runs()), *find_studies(root())]  # of one name the root's counts
    by_name = {study.name: _kept_study(study) for study in every}
    by_name = {name: study for name, study in by_name.items() if study.runs()}
    if not by_name:
        raise RunError(
            f"There is no trained run in {root()}. Train one with `python -m mmvae_core train`, or "
            "name another folder: `mmvae app --checkpoints FOLDER`."
        )
    return by_name


def experiments() -> dict[Path, Report | RunError]:
    """The reports of the experiments by their file, or why one cannot be read."""
    return {path: _experiment(path, caching.age(path)) for path in report_files(root())}


def older_models(report: Path) -> int:
    """How many of a report's models were trained by an earlier configuration; 0 if unknown."""
    table = report.with_suffix(".csv")
    return _older_models(table, caching.age(table))


def runs(study: Study) -> dict[str, Run]:
    """A study's runs by their folder's name: those that can be opened."""
    faulty = faults(study)
    return {name: run for name, run in _all_runs(study).items() if name not in faulty}


def faults(study: Study) -> dict[str, str]:
    """Why each of the study's other runs cannot be opened: one sentence each.

    A run's configuration, card and report are read, and held against the study's items.
    """
    by_name = {name: _fault(study, run) for name, run in _all_runs(study).items()}
    return {name: fault for name, fault in by_name.items() if fault}


def misnamed_folders(study: Study) -> list[str]:
    """A sentence for each folder of a study or a run that is left out for its name."""
    places = (root(), study.folder, own_runs())
    return [said for place in places for said in misnamed(place)]


@caching.resource(max_entries=4)
def samples(study: Study) -> Samples:
    """The study's test items."""
    return study.samples()


def latents(run: Run) -> Latents:
    """The stored posteriors of the test items."""
    if not run.is_evaluated:
        raise RunError(
            f"The run {run.id} has not been evaluated; `python -m mmvae_core evaluate {run.named} "
            "--save` makes what this page shows. Generate and Compare work without it."
        )
    return _latents(run, len(samples(study_of(run))))


def study_of(run: Run) -> Study:
    """The study that a run belongs to: beside it, else one of the visitor's own, else of the root."""
    name = "" if (run.folder.parent / "study.json").is_file() else run.config.study
    own = name and (own_runs() / name / "study.json").is_file() and name not in _names_in_root()
    return find_study(run, own_runs() if own else root())


def _names_in_root() -> set[str]:
    return {study.name for study in find_studies(root())}


def report(run: Run) -> RunReport | None:
    """What was measured, or nothing if that has not been done yet."""
    return run.report if run.is_measured else None


def title(run: Run) -> str:
    """What a run is called: by what it fuses with and what it was trained on."""
    config = run.config
    return run_title(run.folder.name, config.aggregator.name, config.objective.name)


def history(run: Run) -> list[EpochReport]:
    """What each pass of the run's training came to; nothing where the file is not there."""
    path = run.folder / "history.csv"
    return _history(path, caching.age(path)) if path.is_file() else []


def run_hash(run: Run) -> str:
    """The hash of the run's weights, as shown beside every number of it."""
    return run.card.weights[:12]


def row_of(latents: Latents, mask: tuple[bool, ...]) -> int:
    """The row of a subset in the stored latents."""
    same = latents.masks.shape[1] == len(mask)
    rows = np.flatnonzero((latents.masks == np.array(mask)).all(1)) if same else np.zeros(0, int)
    if same and not len(rows):
        code = "".join("01"[int(kept)] for kept in mask)
        known = ", ".join("".join("01"[int(one)] for one in row) for row in latents.masks[:16])
        raise RunError(
            f"There are no embeddings of the subset {code}; show another one, of {known} as the "
            "modalities stand in their row."
        )
    if not len(rows):
        raise RunError(
            f"The stored posteriors have masks of {latents.masks.shape[1]} modalities, expected "
            f"{len(mask)}; evaluate the run anew."
        )
    return int(rows[0])


def item_values(study: Study, item: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Those of the named modalities that one test item has, as stored."""
    return samples(study).item(item, names)


def lacks(study: Study, run: Run, item: int) -> tuple[str, ...]:
    """The run's modalities that one test item does not have."""
    items = samples(study)
    return tuple(name for name in run.config.names if not items.has(name)[item])


def item_order(study: Study, run: Run, way: str, other: Run | None) -> np.ndarray:
    """Test items in an order of `explore.finding`; an evaluated run, where that asks of one."""
    if way == finding.NUMBER:
        return np.arange(len(samples(study)))
    return _item_order(study, run, way, other)


def is_judged(study: Study, modality: ModalityConfig) -> bool:
    """Whether the study's judges can name the class of this modality's generations."""
    alphabet = study.about.alphabets.get(modality.name)
    is_number_word = alphabet == ALPHABET and modality.shape == (LENGTH, len(ALPHABET))
    return modality.name in study.judge_cards or is_number_word


def decodes_in_browser() -> bool:
    """Whether browsers shall decode: `--decode browser`, which is the default, or `server`."""
    return str(_given("--decode", Path("browser"))) != "server"


def _given(option: str, default: Path) -> Path:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(option, type=Path, default=default, dest="given")
    return parser.parse_known_args(sys.argv[1:])[0].given


def _all_runs(study: Study) -> dict[str, Run]:
    """Those in the study's folder, then those of the visitor's own that name the study."""
    by_name = {run.folder.name: _kept_run(run) for run in study.runs()}
    for run in runs_in(own_runs()):
        own = _kept_run(run)
        if own.folder.name not in by_name and _is_of(own, study):
            by_name[own.folder.name] = own
    return by_name


def _is_of(run: Run, study: Study) -> bool:
    """Whether a run was trained for the study; one that cannot be read is told in every study."""
    try:
        return run.config.study == study.name
    except MMVAEError:
        return True


# What a run or a study has read of its files stays with it: each is kept until a file changes.
@caching.resource(max_entries=64)
def _kept_study(study: Study) -> Study:
    return study


@caching.resource(max_entries=256)
def _kept_run(run: Run) -> Run:
    return run


@caching.resource(max_entries=256)
def _fault(study: Study, run: Run) -> str:
    try:
        study.check(samples(study), run.config)
        study.check_card(run)
        _ = report(run)
        run.check_weights()
        run.check_samples(study.folder / "samples.npz")
    except MMVAEError as error:
        return str(error)
    return ""


@caching.resource(max_entries=64)
def _history(path: Path, age: int) -> list[EpochReport]:
    return read_history(path)


@caching.resource(max_entries=16)
def _latents(run: Run, items: int) -> Latents:
    return run.latents(items)


@caching.resource(max_entries=16)
def _experiment(path: Path, age: int) -> Report | RunError:
    try:
        return read_report(path)
    except RunError as error:
        return error


@caching.data(max_entries=16)
def _older_models(table: Path, age: int) -> int:
    from mmvae_core.experiments.freshness import older_models

    try:
        return older_models(table)
    except RunError:
        return 0


@caching.data(max_entries=64)
def _item_order(study: Study, run: Run, way: str, other: Run | None) -> np.ndarray:
    if way == finding.MOVED and other is not None:
        return finding.by(finding.drift(_near(run), _near(other)), largest=True)
    if way == finding.MIXED:
        strangers = finding.strangers(samples(study).labels, _near(run))
        return finding.by(strangers, largest=True)
    known = latents(run).log_likelihood
    if known is None:
        return np.arange(len(samples(study)))
    return finding.by(known[-1], largest=way == finding.LIKELY)


def _near(run: Run) -> np.ndarray:
    return finding.neighbours(latents(run).mean[-1])
