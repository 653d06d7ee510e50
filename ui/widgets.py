"""Inputs that more than one page shares: each owns its key and gives back core values.

They are drawn by the frame (app.py), not by the pages: only there does a widget bound to the
address keep its value over a page switch.
"""

import numpy as np
import streamlit as st

from mmvae_core.checkpoints import Run, Study
from mmvae_core.config import ModalityConfig
from mmvae_core.data import own_input
from mmvae_core.errors import DataError
from ui import loading, state
from ui.pictures import kind_of

MAX_COMPARED = 4


def pick_study() -> Study:
    """The study, from those that hold runs."""
    found = loading.studies()
    state.check_link(state.STUDY, state.is_among(list(found)), "one of " + ", ".join(found))
    name = st.selectbox("Study", list(found), key=state.STUDY, bind="query-params",
                        on_change=state.forget_notes)
    return found[str(name)]


def pick_run(study: Study) -> Run:
    """The run, from those of the study."""
    found = loading.runs(study)
    state.check_link(state.RUN, state.is_among(list(found)), "one of " + ", ".join(found))
    name = st.selectbox("Trained model", list(found), index=_favourite(found), key=state.RUN,
                        bind="query-params", on_change=state.forget_notes)
    return found[str(name)]


def pick_item(study: Study) -> int:
    """A test item by its number."""
    count = len(loading.samples(study))
    state.check_link(state.ITEM, state.is_whole(0, count - 1), f"a number from 0 to {count - 1}")
    item = st.number_input(f"Item (0 to {count - 1})", 0, count - 1, key=state.ITEM,
                           bind="query-params", on_change=state.forget_notes)
    st.button("Another item", on_click=state.another_item, args=(count,), width="stretch",
              help="A random other item of the test set")
    return int(item)


def take_item(chosen: list[int], present: int) -> None:
    """Offer to go on with the one item that was clicked."""
    if len(chosen) == 1 and chosen[0] != present:
        st.button(f"Take item {chosen[0]} on every page", on_click=state.take_item,
                  args=(chosen[0],))


def pick_seed() -> int:
    """The seed of all random draws on the pages."""
    state.check_link(state.SEED, state.is_whole(0, state.MAX_SEED),
                     f"a whole number from 0 to {state.MAX_SEED}")
    return int(st.number_input(
        "Seed of the draws", 0, state.MAX_SEED, key=state.SEED, bind="query-params",
        on_change=state.forget_notes, help="The same seed gives the same noise, to every model.",
    ))


def toggle_mask(run: Run) -> tuple[bool, ...]:
    """Which modalities the model is shown."""
    names = list(run.config.names)
    state.check_link(state.MASK, state.is_among(names, empty=True),
                     "some of " + ", ".join(names) + ", or empty")
    kept = st.pills("Shown to the model", names, selection_mode="multi", default=names,
                    key=state.MASK, bind="query-params", on_change=state.forget_notes)
    return tuple(name in kept for name in names)


def pick_runs(present: Run, found: dict[str, Run]) -> list[Run]:
    """Two to four runs with the present run's modalities and latent size."""
    fitting = [name for name, run in found.items() if comparable(run, present)]
    same = [name for name in fitting
            if found[name].config.objective.name == present.config.objective.name]
    first = [present.folder.name, *(name for name in same if name != present.folder.name)]
    state.check_link(state.RUNS, state.is_among(fitting), "some of " + ", ".join(fitting))
    chosen = st.multiselect(
        f"Runs side by side (2 to {MAX_COMPARED})", fitting, default=first[:MAX_COMPARED],
        max_selections=MAX_COMPARED, key=state.RUNS, bind="query-params",
    )
    return [found[name] for name in chosen]


def own_inputs(study: Study, run: Run) -> dict[str, np.ndarray]:
    """What the visitor gives of each modality: an uploaded picture, a typed word."""
    given: dict[str, np.ndarray] = {}
    alphabets = study.about.get("alphabets", {})
    columns = st.columns(len(run.config.modalities))
    for column, modality in zip(columns, run.config.modalities, strict=True):
        with column:
            values = _own_input(modality, alphabets.get(modality.name))
        if values is not None:
            given[modality.name] = values
    return given


def _own_input(modality: ModalityConfig, alphabet: str | None) -> np.ndarray | None:
    kind = kind_of(modality)
    try:
        if kind == "image":
            return _upload(modality)
        if kind == "symbols" and alphabet:
            return _typed(modality, alphabet)
    except DataError as error:
        st.error(str(error))
        return None
    st.caption(f"{modality.name} can be taken from a test item only.")
    return None


def _typed(modality: ModalityConfig, alphabet: str) -> np.ndarray | None:
    length = modality.shape[0]
    text = st.text_input(f"Your own {modality.name}", max_chars=64, key=f"own_{modality.name}",
                         placeholder=f"up to {length} of {alphabet.strip()}")
    return own_input.read_text(text, alphabet, length) if text else None


def _upload(modality: ModalityConfig) -> np.ndarray | None:
    file = st.file_uploader(f"Your own {modality.name}", type=["png", "jpg", "jpeg"],
                            max_upload_size=own_input.MAX_BYTES // 1_000_000,
                            key=f"own_{modality.name}")
    return own_input.read_picture(file.getvalue(), modality.shape) if file else None


def comparable(run: Run, present: Run) -> bool:
    """Whether both have the same modalities and latent size."""
    return (run.config.names == present.config.names
            and run.config.latent == present.config.latent)


def _favourite(found: dict[str, Run]) -> int:
    """Which run opens by itself: an evaluated one with a learned aggregator and the tight bound."""
    names = list(found)
    ready = [name for name in names if (found[name].folder / "latents.npz").is_file()]
    wished = [name for name in ready if name == "sum_pooling-masked"]
    return names.index((wished or ready or names)[0])
