"""Caches around the core: runs, samples, latents, generations, verdicts, figures.

Nothing here imports torch until a page asks for a generation. A run's stamp (its hash and the age
of its files) is part of every key, so that a run trained anew is read anew.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from mmvae_core.data.digits.words import ALPHABET, LENGTH
from mmvae_core.errors import MMVAEError, RunError
from mmvae_core.explore import finding
from mmvae_core.store.records import RunReport
from mmvae_core.store.results import Report, read_report, report_files
from mmvae_core.store.run import Latents, Run
from mmvae_core.store.study import SHIPPED, Samples, Study, find_study, runs_in
from mmvae_core.store.study import studies as find_studies
from ui.draw.names import run_title

if TYPE_CHECKING:
    from mmvae_core.evaluation.coherence import Judge
    from mmvae_core.evaluation.familiarity import Familiarity
    from mmvae_core.explore.inference import Generated, Verdict
    from mmvae_core.explore.lattice import Lattice
    from mmvae_core.explore.plane import Plane
    from mmvae_core.model import MultimodalVAE
    from mmvae_core.probability.posteriors import Posterior

LIKELIHOOD_DRAWS = 128
"""Of an item: with a few the bound is so loose that it may turn the order of two models."""


def root() -> Path:
    """The folder of studies that `mmvae app --checkpoints FOLDER` named, else the shipped one."""
    return _folder("--checkpoints", SHIPPED)


def own_runs() -> Path:
    """The folder of runs that belong to studies elsewhere: `--runs FOLDER`, else `runs`."""
    return _folder("--runs", Path("runs"))


def _folder(option: str, default: Path) -> Path:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(option, type=Path, default=default, dest="folder")
    return parser.parse_known_args(sys.argv[1:])[0].folder


def studies() -> dict[str, Study]:
    """The studies that hold at least one run, by name."""
    found = {
        study.name: _study(str(study.folder), _study_stamp(study)) for study in find_studies(root())
    }
    found = {name: study for name, study in found.items() if study.runs()}
    if not found:
        raise RunError(
            f"There is no trained run in {root()}. Train one with `python -m mmvae_core train`, or "
            "name another folder: `mmvae app --checkpoints FOLDER`."
        )
    return found


def experiments() -> dict[Path, Report | RunError]:
    """The reports of the experiments by their file, or why one cannot be read."""
    return {path: _experiment(str(path), _stamp(path)) for path in report_files(root())}


def older_models(report: Path) -> int:
    """How many of a report's models were trained by an earlier configuration; 0 if unknown."""
    table = report.with_suffix(".csv")
    return _older_models(str(table), _stamp(table))


def runs(study: Study) -> dict[str, Run]:
    """A study's runs by their folder's name: those that can be opened."""
    faulty = faults(study)
    return {name: run for name, run in _all_runs(study).items() if name not in faulty}


def faults(study: Study) -> dict[str, str]:
    """Why each of the study's other runs cannot be opened: one sentence each.

    A run's configuration, card and report are read, and held against the study's items.
    """
    age = _study_stamp(study)
    found = {
        name: _fault(str(study.folder), age, str(run.folder), stamp(run), study, run)
        for name, run in _all_runs(study).items()
    }
    return {name: fault for name, fault in found.items() if fault}


def stamp(run: Run) -> tuple[int, ...]:
    """Changes whenever a file of the run does."""
    names = (
        "config.json",
        "card.json",
        "weights.safetensors",
        "report.json",
        "latents.npz",
        "priors.json",
    )
    return tuple(_stamp(run.folder / name) for name in names)


def samples(study: Study) -> Samples:
    """The study's test items."""
    return _samples(str(study.folder), _study_stamp(study))


def latents(run: Run) -> Latents:
    """The stored posteriors of the test items."""
    if not run.is_evaluated:
        raise RunError(
            f"The run {run.id} has not been evaluated; `python -m mmvae_core evaluate {run.named} "
            "--save` makes what this page shows. Generate and Compare work without it."
        )
    return _latents(str(run.folder), stamp(run), _items(run))


def report(run: Run) -> RunReport | None:
    """What was measured, or nothing if that has not been done yet."""
    return run.report if run.is_measured else None


def title(run: Run) -> str:
    """What a run is called: by what it fuses with and what it was trained on."""
    config = run.config
    return run_title(run.folder.name, config.aggregator.name, config.objective.name)


def run_hash(run: Run) -> str:
    """The hash of the run's weights, as shown beside every number of it."""
    return run.card.weights[:12]


def row_of(found: Latents, mask: tuple[bool, ...]) -> int:
    """The row of a subset in the stored latents."""
    rows = np.flatnonzero((found.masks == np.array(mask)).all(1))
    if not len(rows):
        raise RunError(
            f"The stored posteriors have masks of {found.masks.shape[1]} modalities, expected "
            f"{len(mask)}; evaluate the run anew."
        )
    return int(rows[0])


def item_values(study: Study, item: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The named modalities of one test item, as stored."""
    return {name: samples(study).data[name][item] for name in names}


def model(run: Run) -> "MultimodalVAE":
    """The trained model."""
    return _model(str(run.folder), stamp(run))


def generated(
    run: Run,
    given: Mapping[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float = 1.0,
    prior: str | None = None,
) -> "Generated":
    """Generations of every modality from the given ones; see `inference.generate`.

    Where nothing is given they are of q(z | nothing), or of the `prior` that is named: the trained
    one or one fitted afterwards.
    """
    return _generated(str(run.folder), stamp(run), dict(given), count, seed, temperature, prior)


def item_order(study: Study, run: Run, way: str, other: Run | None) -> np.ndarray:
    """Test items in an order of `explore.finding`; an evaluated run, where that asks of one."""
    if way == finding.NUMBER:
        return np.arange(len(samples(study)))
    others = () if other is None else (str(other.folder), stamp(other))
    age = _study_stamp(study)
    return _item_order(str(run.folder), stamp(run), age, way, others, study, run, other)


def likelihood(run: Run, given: Mapping[str, np.ndarray], seed: int) -> tuple[float, float]:
    """log p(x_S) of one item from LIKELIHOOD_DRAWS draws, and its standard error, in nats."""
    return _likelihood(str(run.folder), stamp(run), dict(given), seed)


def prior_draws(run: Run, prior: str, count: int) -> np.ndarray:
    """Draws [draw, latent] of the trained prior or of one fitted afterwards, seed 0."""
    return _prior_draws(str(run.folder), stamp(run), prior, count)


def decoded(run: Run, points: np.ndarray) -> dict[str, np.ndarray]:
    """E[x_s | z] [n, *shape] of every modality at latents [n, latent]."""
    return _decoded(str(run.folder), stamp(run), points)


def strips(
    run: Run, mean: np.ndarray, scale: np.ndarray, steps: int, reach: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """One latent moved at a time: values [latent, step, ...] and change [latent] by modality."""
    return _strips(str(run.folder), stamp(run), mean, scale, steps, reach)


def prior_scale(run: Run) -> np.ndarray:
    """The prior's standard deviations [latent]; needs the model only where they are not 1."""
    if run.config.prior.name == "standard_normal":
        return np.ones(run.config.latents, np.float32)
    return _prior_scale(str(run.folder), stamp(run))


def familiar(run: Run, given: Mapping[str, np.ndarray]) -> "Familiarity | None":
    """How likely what is given is, among the test items whose likelihoods are stored."""
    told = report(run)
    others = latents(run).marginal if run.is_evaluated else None
    if told is None or others is None:
        return None
    from mmvae_core.explore import inference

    row = row_of(latents(run), tuple(name in given for name in run.config.names))
    return inference.familiar(model(run), given, others[row], told.log_likelihood.samples)


def lattice(
    run: Run,
    study: Study,
    item: int,
    mask: tuple[bool, ...],
    draws: int,
    seed: int,
    plane: "Plane | None",
) -> "Lattice":
    """All subsets of one item, or of many modalities those next to the mask; see `lattice.lattice`."""
    from mmvae_core.explore.lattice import masks_near

    age = _stamp(study.folder / "samples.npz")
    return _lattice(
        str(run.folder),
        stamp(run),
        (str(study.folder), age, item),
        masks_near(mask),
        draws,
        seed,
        study,
        run,
        plane,
    )


def plane(run: Run) -> "Plane":
    """The plane in which a run's posteriors are drawn."""
    return _plane(str(run.folder), stamp(run), latents(run))


def is_judged(study: Study, modality: ModalityConfig) -> bool:
    """Whether the study's judges can name the class of this modality's generations."""
    alphabet = study.about.alphabets.get(modality.name)
    is_number_word = alphabet == ALPHABET and modality.shape == (LENGTH, len(ALPHABET))
    return modality.name in study.judge_cards or is_number_word


def judged_items(study: Study, run: Run, name: str, row: int) -> np.ndarray:
    """What the judge says of a modality of every item, made at the mean of q(z | the row's subset).

    Made when first asked for, and kept.
    """
    age = _stamp(study.folder / "judge" / "card.json")
    return _judged_items(str(run.folder), stamp(run), str(study.folder), age, name, row, run)


def verdict(study: Study, modality: ModalityConfig, values: np.ndarray) -> "Verdict | None":
    """The judge's labels of generations, or nothing if the modality has no judge."""
    if not is_judged(study, modality):
        return None
    age = _stamp(study.folder / "judge" / "card.json")
    return _verdict(str(study.folder), age, modality.name, values)


@st.cache_resource(show_spinner=False)
def _study(folder: str, age: tuple[int, ...]) -> Study:
    return Study(Path(folder))


def _all_runs(study: Study) -> dict[str, Run]:
    """Those in the study's folder, then those of the visitor's own that name the study."""
    found = {run.folder.name: _run(str(run.folder), stamp(run)) for run in study.runs()}
    for run in runs_in(own_runs()):
        own = _run(str(run.folder), stamp(run))
        if own.folder.name not in found and _is_of(own, study):
            found[own.folder.name] = own
    return found


def _is_of(run: Run, study: Study) -> bool:
    """Whether a run was trained for the study; one that cannot be read is told in every study."""
    try:
        return run.config.study == study.name
    except MMVAEError:
        return True


@st.cache_resource(show_spinner=False, max_entries=256)
def _fault(
    folder: str, age: tuple[int, ...], run: str, run_age: tuple[int, ...], _study: Study, _run: Run
) -> str:
    try:
        _study.check(samples(_study), _run.config)
        _ = _run.card, report(_run)
    except MMVAEError as error:
        return str(error)
    return ""


@st.cache_resource(show_spinner=False, max_entries=16)
def _experiment(path: str, age: int) -> Report | RunError:
    try:
        return read_report(Path(path))
    except RunError as error:
        return error


@st.cache_data(show_spinner=False, max_entries=16)
def _older_models(table: str, age: int) -> int:
    from mmvae_core.experiments.freshness import older_models

    try:
        return older_models(Path(table))
    except RunError:
        return 0


@st.cache_resource(show_spinner=False, max_entries=256)
def _run(folder: str, age: tuple[int, ...]) -> Run:
    return Run(Path(folder))


@st.cache_resource(show_spinner=False, max_entries=4)
def _samples(folder: str, age: tuple[int, ...]) -> Samples:
    return Study(Path(folder)).samples()


@st.cache_resource(show_spinner=False, max_entries=16)
def _latents(folder: str, age: tuple[int, ...], items: int) -> Latents:
    return Run(Path(folder)).latents(items)


@st.cache_resource(show_spinner="Reading the model …", max_entries=8)
def _model(folder: str, age: tuple[int, ...]) -> "MultimodalVAE":
    return Run(Path(folder)).model()


@st.cache_resource(show_spinner=False, max_entries=4)
def _judges(folder: str, age: int) -> "dict[str, Judge]":
    from mmvae_core.evaluation.digit_judges import study_judges

    return study_judges(Study(Path(folder)))


@st.cache_resource(show_spinner="Judging every item …", max_entries=64)
def _judged_items(
    folder: str, age: tuple[int, ...], study: str, judge_age: int, name: str, row: int, _run: Run
) -> np.ndarray:
    from mmvae_core.explore import inference

    judge = _judges(study, judge_age)[name]
    return inference.judged_items(_model(folder, age), judge, name, latents(_run).mean[row])


@st.cache_data(show_spinner=False, max_entries=1_024)
def _verdict(folder: str, age: int, name: str, values: np.ndarray) -> "Verdict | None":
    from mmvae_core.explore import inference

    judges = _judges(folder, age)
    return inference.judge(judges[name], values) if name in judges else None


@st.cache_data(show_spinner=False, max_entries=256)
def _generated(
    folder: str,
    age: tuple[int, ...],
    given: dict[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float,
    prior: str | None,
) -> "Generated":
    from mmvae_core.explore import inference

    return inference.generate(
        _model(folder, age),
        given,
        count,
        seed,
        temperature,
        None if prior is None else _prior(folder, age, prior),
    )


@st.cache_data(show_spinner=False, max_entries=64)
def _item_order(
    folder: str,
    age: tuple[int, ...],
    study_age: tuple[int, ...],
    way: str,
    others: tuple[object, ...],
    _study: Study,
    _run: Run,
    _other: Run | None,
) -> np.ndarray:
    if way == finding.MOVED and _other is not None:
        return finding.by(finding.drift(_near(_run), _near(_other)), largest=True)
    if way == finding.MIXED:
        strangers = finding.strangers(samples(_study).labels, _near(_run))
        return finding.by(strangers, largest=True)
    known = latents(_run).log_likelihood
    if known is None:
        return np.arange(len(samples(_study)))
    return finding.by(known[-1], largest=way == finding.LIKELY)


def _near(run: Run) -> np.ndarray:
    return finding.neighbours(latents(run).mean[-1])


@st.cache_data(show_spinner=False, max_entries=256)
def _likelihood(
    folder: str, age: tuple[int, ...], given: dict[str, np.ndarray], seed: int
) -> tuple[float, float]:
    from mmvae_core.evaluation.live_likelihood import live_likelihood
    from mmvae_core.explore.inference import tensors

    model = _model(folder, age)
    found = live_likelihood(model, tensors(model, given), LIKELIHOOD_DRAWS, seed)
    return float(found.value), 0.0 if found.error is None else float(found.error)


def _prior(folder: str, age: tuple[int, ...], prior: str) -> "Posterior":
    from mmvae_core.explore.inference import prior_of

    return prior_of(Run(Path(folder)), _model(folder, age), prior)


@st.cache_resource(show_spinner=False, max_entries=16)
def _prior_draws(folder: str, age: tuple[int, ...], prior: str, count: int) -> np.ndarray:
    from mmvae_core.explore import inference

    return inference.prior_draws(_prior(folder, age, prior), count)


# A grid of digits takes 8 MB; kept as it is, not copied, as nobody changes it.
@st.cache_resource(show_spinner=False, max_entries=16)
def _decoded(folder: str, age: tuple[int, ...], points: np.ndarray) -> dict[str, np.ndarray]:
    from mmvae_core.explore import inference

    return inference.decoded(_model(folder, age), points)


@st.cache_resource(show_spinner=False, max_entries=16)
def _prior_scale(folder: str, age: tuple[int, ...]) -> np.ndarray:
    from mmvae_core.explore import inference

    return inference.prior_scale(_model(folder, age))


@st.cache_resource(show_spinner=False, max_entries=16)
def _strips(
    folder: str, age: tuple[int, ...], mean: np.ndarray, scale: np.ndarray, steps: int, reach: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    from mmvae_core.explore import inference

    return inference.strips(_model(folder, age), mean, scale, steps, reach)


@st.cache_resource(show_spinner=False, max_entries=24)
def _lattice(
    folder: str,
    age: tuple[int, ...],
    item: tuple[str, int, int],
    masks: tuple[tuple[bool, ...], ...],
    draws: int,
    seed: int,
    _study: Study,
    _run: Run,
    _plane: "Plane | None",
) -> "Lattice":
    from mmvae_core.explore.lattice import lattice as made

    values = item_values(_study, item[-1], _run.config.names)
    return made(_model(folder, age), values, np.array(masks), draws, seed, _plane)


@st.cache_resource(show_spinner=False, max_entries=16)
def _plane(folder: str, age: tuple[int, ...], _latents: Latents) -> "Plane":
    from mmvae_core.explore.lattice import plane_of

    return plane_of(_model(folder, age), _latents.mean[-1])


def _items(run: Run) -> int:
    """How many test items the study has in which a run lies."""
    return len(samples(find_study(run, root())))


def _study_stamp(study: Study) -> tuple[int, ...]:
    names = ("study.json", "samples.npz", "judge/card.json")
    return tuple(_stamp(study.folder / name) for name in names)


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0
