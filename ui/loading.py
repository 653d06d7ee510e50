"""Caches around the core: runs, samples, latents, generations, verdicts, figures.

Nothing here imports torch until a page asks for a generation. A run's stamp (its hash and the age
of its files) is part of every key, so that a run trained anew is read anew.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from mmvae_core.checkpoints import SHIPPED, Latents, Run, Samples, Study
from mmvae_core.checkpoints import studies as find_studies
from mmvae_core.config import ModalityConfig
from mmvae_core.errors import RunError

if TYPE_CHECKING:
    from mmvae_core.evaluation.coherence import Judge
    from mmvae_core.model import MultimodalVAE
    from ui.inference import Generated, Verdict


def root() -> Path:
    """The folder of studies: `streamlit run app.py -- --checkpoints DIR`, else the shipped one."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--checkpoints", type=Path, default=SHIPPED)
    return parser.parse_known_args(sys.argv[1:])[0].checkpoints


def studies() -> dict[str, Study]:
    """The studies that hold at least one run, by name."""
    found = {study.name: _study(str(study.folder), _stamp(study.folder / "study.json"))
             for study in find_studies(root())}
    found = {name: study for name, study in found.items() if study.runs()}
    if not found:
        raise RunError(
            f"There is no trained run in {root()}. Train one with `python -m mmvae_core train`, or "
            "start the app with `streamlit run app.py -- --checkpoints FOLDER`."
        )
    return found


def runs(study: Study) -> dict[str, Run]:
    """A study's runs by their folder's name."""
    return {run.folder.name: _run(str(run.folder), stamp(run)) for run in study.runs()}


def stamp(run: Run) -> tuple[int, ...]:
    """Changes whenever a file of the run does."""
    names = ("config.json", "card.json", "weights.safetensors", "report.json", "latents.npz")
    return tuple(_stamp(run.folder / name) for name in names)


def samples(study: Study) -> Samples:
    """The study's test items."""
    return _samples(str(study.folder), _stamp(study.folder / "samples.npz"))


def latents(run: Run) -> Latents:
    """The stored posteriors of the test items."""
    if not (run.folder / "latents.npz").is_file():
        raise RunError(
            f"The run {run.id} has not been evaluated; `python -m mmvae_core evaluate {run.id} "
            "--save` makes what this page shows. Generate and Compare work without it."
        )
    return _latents(str(run.folder), stamp(run))


def report(run: Run) -> Mapping[str, Any]:
    """What was measured, or nothing if that has not been done yet."""
    return run.report if (run.folder / "report.json").is_file() else {}


def run_hash(run: Run) -> str:
    """The hash of the run's weights, as shown beside every number of it."""
    return str(run.card.get("weights", "unknown"))[:12]


def row_of(found: Latents, mask: tuple[bool, ...]) -> int:
    """The row of a subset in the stored latents."""
    rows = np.flatnonzero((found.masks == np.array(mask)).all(1))
    if not len(rows):
        raise RunError("latents.npz has no row for this mask; make it anew with `evaluate`.")
    return int(rows[0])


def item_values(study: Study, item: int, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The named modalities of one test item, as stored."""
    return {name: samples(study).data[name][item] for name in names}


def model(run: Run) -> "MultimodalVAE":
    """The trained model."""
    return _model(str(run.folder), stamp(run))


def generated(run: Run, given: Mapping[str, np.ndarray], count: int, seed: int) -> "Generated":
    """Generations of every modality from the given ones; see `inference.generate`."""
    return _generated(str(run.folder), stamp(run), dict(given), count, seed)


def verdict(study: Study, modality: ModalityConfig, values: np.ndarray) -> "Verdict | None":
    """The judge's labels of generations, or nothing if the modality has no judge."""
    from ui import inference

    if not inference.is_judged(study, modality):
        return None
    age = _stamp(study.folder / "judge" / "card.json")
    return _verdict(str(study.folder), age, modality.name, values)


@st.cache_resource(show_spinner=False)
def _study(folder: str, age: int) -> Study:
    return Study(Path(folder))


@st.cache_resource(show_spinner=False, max_entries=64)
def _run(folder: str, age: tuple[int, ...]) -> Run:
    return Run(Path(folder))


@st.cache_resource(show_spinner=False, max_entries=4)
def _samples(folder: str, age: int) -> Samples:
    return Study(Path(folder)).samples()


@st.cache_resource(show_spinner=False, max_entries=16)
def _latents(folder: str, age: tuple[int, ...]) -> Latents:
    found = Run(Path(folder)).latents()
    if not all(np.isfinite(values).all() for values in (found.mean, found.stddev, found.rate)):
        raise RunError(
            f"{folder}/latents.npz holds NaN or infinity; the run has diverged, train it anew."
        )
    return found


@st.cache_resource(show_spinner="Reading the model …", max_entries=8)
def _model(folder: str, age: tuple[int, ...]) -> "MultimodalVAE":
    return Run(Path(folder)).model()


@st.cache_resource(show_spinner=False, max_entries=4)
def _judges(folder: str, age: int) -> "dict[str, Judge]":
    from mmvae_core.evaluation.digit_judges import digit_judges

    return digit_judges(Study(Path(folder)).judges())


@st.cache_data(show_spinner=False, max_entries=1_024)
def _verdict(folder: str, age: int, name: str, values: np.ndarray) -> "Verdict | None":
    from ui import inference

    judges = _judges(folder, age)
    return inference.judge(judges[name], values) if name in judges else None


@st.cache_data(show_spinner=False, max_entries=256)
def _generated(
    folder: str, age: tuple[int, ...], given: dict[str, np.ndarray], count: int, seed: int
) -> "Generated":
    from ui import inference

    return inference.generate(_model(folder, age), given, count, seed)


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0
