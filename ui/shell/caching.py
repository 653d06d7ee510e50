"""How Streamlit's caches tell one run, or study, from another: by its folder and its files' age.

A cached function takes a `Run` or a `Study` as it is; one that was trained or made anew, or
replaced under the app, is read anew.
"""

from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import Any

import streamlit as st

from mmvae_core.store.run import Run
from mmvae_core.store.study import Study

RUN_FILES = (
    "config.json",
    "card.json",
    "weights.safetensors",
    "report.json",
    "latents.npz",
    "embeddings.npz",
    "priors.json",
)
STUDY_FILES = ("study.json", "samples.npz", "judge/card.json", "opening.npz")


def age(path: Path) -> int:
    """When a file was last written, in nanoseconds; 0 where there is none."""
    try:
        state = path.stat()
    except OSError:
        return 0
    return state.st_mtime_ns if S_ISREG(state.st_mode) else 0


def run_key(run: Run) -> str:
    """Changes whenever a file of the run does."""
    return _key(run.folder, RUN_FILES)


def study_key(study: Study) -> str:
    """Changes whenever a file of the study does."""
    return _key(study.folder, STUDY_FILES)


def _key(folder: Path, names: tuple[str, ...]) -> str:
    # One text: Streamlit hashes each entry of a tuple by itself, at every call of a kept function.
    return "|".join([str(folder), *(str(age(folder / name)) for name in names)])


KEYS: dict[Any, Any] = {Run: run_key, Study: study_key}

data = partial(st.cache_data, show_spinner=False, hash_funcs=KEYS)
"""`st.cache_data`, which gives each caller a copy, for functions of runs and studies."""
resource = partial(st.cache_resource, show_spinner=False, hash_funcs=KEYS)
"""`st.cache_resource`, which gives all callers the one thing that nobody may change."""
