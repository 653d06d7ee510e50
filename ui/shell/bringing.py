"""Runs, studies and embeddings that a visitor drops on the app: opened, or told why not."""

from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from mmvae_core.errors import MMVAEError, UsageError
from mmvae_core.store.bringing import bring
from mmvae_core.store.run import Run
from ui.shell import loading, messages, state

KEY, _TURN, _SAID, _OPENED = "brought", "_brought_turn", "_brought_said", "_brought_opened"


def pick_brought() -> None:
    """A place for files, folded away; nothing on a server that lets others in."""
    if not loading.trains():
        return
    with st.popover("Open your own", width="stretch"):
        st.file_uploader(
            "A run's folder as a zip, or npz files of embeddings",
            type=["zip", "npz"],
            accept_multiple_files=True,
            key=_key(),
            on_change=_take,
            help="A zip of a run, of a study with its runs, or of `mmvae export RUN --out FILE.zip`. "
            "Files of embeddings, one a run, are told of in docs/own_data.md.",
        )
    if said := st.session_state.pop(_SAID, ""):
        st.error(messages.literal(said))
    if opened := st.session_state.pop(_OPENED, ""):
        messages.html(
            f'<p class="source">{escape(opened)} is kept in the folder {escape(str(loading.own_runs()))}; '
            "delete it there to be rid of it.</p>",
            aside=True,
        )


def _key() -> str:
    """Another one for each drop: so the widget is empty again afterwards."""
    return f"{KEY}_{st.session_state.get(_TURN, 0)}"


def _take() -> None:
    files = st.session_state.get(_key()) or []
    if not files:
        return
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    try:
        run = _opened(files)
    except MMVAEError as error:
        st.session_state[_SAID] = str(error)
        return
    study = loading.study_of(run)
    st.session_state[_OPENED] = study.name if run in study.runs() else run.folder.name
    state.take_run(study.name, run.folder.name)


def _opened(files: list) -> Run:
    """The run to look at, of one zip or of several npz files."""
    zips = [one for one in files if one.name.lower().endswith(".zip")]
    runs = loading.own_runs()
    if zips:
        if len(files) > 1:
            raise UsageError("Several files were given, expected one zip, or npz files; drop one.")
        return bring(zips[0], zips[0].name, runs, (loading.root(), runs))
    from mmvae_core.explore.embeddings import embed, plain_name

    with TemporaryDirectory() as folder:
        named = {plain_name(one.name): one for one in files}
        if len(named) < len(files):
            raise UsageError("Two of the files have one name; rename one.")
        paths = [Path(folder) / f"{name}.npz" for name in named]
        for path, one in zip(paths, named.values(), strict=True):
            path.write_bytes(one.getvalue())
        study = embed(runs / next(iter(named)), paths, umap=False)
    return study.runs()[0]
