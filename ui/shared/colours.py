"""Colours of a map that come from the data: an annotation of the items, or an entry of a modality."""

import numpy as np
import streamlit as st

from mmvae_core.modalities.picture import Picture
from mmvae_core.modalities.symbols import Symbols
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.shared import views
from ui.shell import caching, loading, state
from ui.shell.state import Here

NOTE, ENTRY = "annotation ", "entry of "


def of_study(study: Study, run: Run) -> list[str]:
    """What the items can be coloured by beside the class, as options."""
    samples, kinds = loading.samples(study), study.kinds(run.config)
    notes = [
        NOTE + name
        for name, values in samples.notes.items()
        if values.dtype.kind == "f" or not np.array_equal(values, samples.labels)
    ]
    numbers = [
        ENTRY + name
        for name, kind in kinds.items()
        if name in samples.data and not isinstance(kind, Picture | Symbols)
    ]
    return [*notes, *numbers]


def with_entry(here: Here, picked: str) -> str:
    """Ask which entry of a modality; `entry of NAME NUMBER`."""
    name = picked.removeprefix(ENTRY)
    count = _entries(here.study, here.run, name).shape[1]
    state.offer("entry", range(count), 0, here.study.name, expected=f"0 to {count - 1}")
    entry = st.number_input(
        f"Entry (0 to {count - 1})", 0, count - 1, key="entry", bind="query-params"
    )
    return f"{picked} {int(entry)}"


def of_items(
    study: Study, run: Run, colour: str
) -> tuple[np.ndarray, list[str], np.ndarray | None]:
    """Labels [item], their names, and values [item] with NaN where a number is the colour."""
    samples = loading.samples(study)
    if colour.startswith(NOTE):
        name = colour.removeprefix(NOTE)
        values = samples.notes[name]
        if values.dtype.kind != "f":
            return values.astype(int), list(study.about.notes[name]), None
    else:
        name, _, entry = colour.removeprefix(ENTRY).rpartition(" ")
        values = _entries(study, run, name)[:, int(entry)]
    return samples.labels.astype(int), views.classes_of(study), values.astype(float)


def said(study: Study, run: Run, colour: str) -> str:
    """What the colour is, and how many items have none."""
    labels, _, values = of_items(study, run, colour)
    lacking = int((labels < 0).sum() if values is None else np.isnan(values).sum())
    what = f"{colour} of the data"
    if values is None:
        what += f", {len(np.unique(labels[labels >= 0])):,} different ones"
    return what + (f"; {lacking:,} of {len(labels):,} items have none" if lacking else "")


@caching.resource(max_entries=16)
def _entries(study: Study, run: Run, name: str) -> np.ndarray:
    """A modality's numbers [item, entry], NaN where one is missing."""
    samples, kind = loading.samples(study), study.kinds(run.config)[name]
    values = samples.data[name]
    numbers = kind.plain(values).astype(float).reshape(len(values), -1)
    numbers[(values < 0).reshape(len(values), -1) & (values.dtype.kind == "i")] = np.nan
    numbers[~samples.has(name)] = np.nan
    return numbers
