"""What a visitor gives of each modality: drawn, uploaded, photographed, typed, or in a table."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from mmvae_core.config import ModalityConfig
from mmvae_core.errors import DataError
from mmvae_core.modalities import strokes
from mmvae_core.modalities.kind import MAX_BYTES
from ui.components.drawing_pad import drawing_pad
from ui.kinds.view import CAMERA, DRAW, TABLE, TYPE, UPLOAD, View
from ui.shared import views
from ui.shell import address, loading, messages, state
from ui.shell.state import Here

COLUMNS = 3


def own_inputs(here: Here) -> dict[str, np.ndarray]:
    """The visitor's own values of the modalities that the mask shows and that have been filled."""
    given: dict[str, np.ndarray] = {}
    shown = [one for one in here.run.config.modalities if one.name in here.shown]
    for start in range(0, len(shown), COLUMNS):
        row = shown[start : start + COLUMNS]
        for column, modality in zip(st.columns(len(row), gap="large"), row, strict=True):
            with column:
                values = _own(here, modality)
            if values is not None:
                given[modality.name] = values
    return given


def _own(here: Here, modality: ModalityConfig) -> np.ndarray | None:
    st.subheader(messages.literal(modality.name), anchor=False)
    look = views.look(here.study, modality)
    try:
        return ASK[_way(look)](here, look)
    except DataError as error:
        st.error(messages.literal(error))
        return None


def _way(look: View) -> str:
    """How a value is given; asked only where there are several ways."""
    ways = list(look.ways)
    if len(ways) == 1:
        return ways[0]
    key = f"way_{look.name}"
    state.offer(key, ways, ways[0])
    way = st.segmented_control(
        f"How to give {look.name}",
        ways,
        default=ways[0],
        required=True,
        key=key,
        bind="query-params",
    )
    return str(way)


def _upload(here: Here, look: View) -> np.ndarray | None:
    file = st.file_uploader(
        f"Upload your own {look.name}",
        type=["png", "jpg", "jpeg"],
        max_upload_size=MAX_BYTES // 1_000_000,
        key=f"file_{look.name}",
    )
    return _read_once(look, file) if file else None


def _photograph(here: Here, look: View) -> np.ndarray | None:
    file = st.camera_input(f"Photograph your own {look.name}", key=f"cam_{look.name}")
    return _read_once(look, file) if file else None


def _read_once(look: View, file: UploadedFile) -> np.ndarray:
    """What a picture holds, understood when it is given and not at every click afterwards."""
    key = f"_read_{look.name}"
    given = (file.file_id, look.kind.modality)
    if st.session_state.get(key, (None,))[0] != given:
        try:
            answer = look.kind.read(file.getvalue())
        except DataError as error:
            answer = error
        st.session_state[key] = (given, answer)
    answer = st.session_state[key][1]
    if isinstance(answer, DataError):
        raise answer
    return answer


def _drawing(here: Here, look: View) -> np.ndarray | None:
    text = drawing_pad(look.name, f"pad_{look.name}", address.drawn(look.name))
    drawn = strokes.from_text(text)
    address.keep_drawn(look.name, text)
    return strokes.draw(drawn, *look.kind.modality.shape[1:]) if drawn else None


def _text(here: Here, look: View) -> np.ndarray | None:
    text = st.text_input(
        f"Type your own {look.name}",
        max_chars=64,
        key=address.own(look.name),
        bind="query-params",
        placeholder=look.hint,
    )
    return look.kind.read(text) if text else None


def _numbers(here: Here, look: View) -> np.ndarray | None:
    """A table that starts with the values of the item at hand."""
    own = loading.item_values(here.study, here.item, (look.name,))
    start = own.get(look.name, np.zeros(look.kind.item, np.float32))
    flat = look.kind.plain(start).astype(float).ravel()
    table = st.data_editor(
        [{"value": None if np.isnan(one) else float(one)} for one in flat],
        height=260,
        key=f"table_{look.name}_{here.item}",
        column_config={"value": st.column_config.NumberColumn(required=not look.kind.gaps)},
        alt=f"{len(flat)} numbers of {look.name}, starting as those of item {here.item}",
    )
    values = np.array(
        [np.nan if row["value"] is None else row["value"] for row in table], np.float32
    )
    if not look.kind.gaps and not np.isfinite(values).all():
        raise DataError(
            f"The table of {look.name} has an empty cell, expected {len(flat)} numbers; fill it."
        )
    return look.kind.checked(values.reshape(start.shape))


ASK: dict[str, Callable[[Here, View], np.ndarray | None]] = {
    DRAW: _drawing,
    UPLOAD: _upload,
    CAMERA: _photograph,
    TYPE: _text,
    TABLE: _numbers,
}
