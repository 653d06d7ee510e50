"""What a visitor gives of each modality: drawn, uploaded, photographed, typed, or in a table."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from mmvae_core.errors import DataError
from mmvae_core.modalities import own_input, strokes
from ui.components.drawing_pad import drawing_pad
from ui.kinds.pictures import kind_of
from ui.shared import views
from ui.shell import loading, messages, state
from ui.shell.state import Here

DRAW, UPLOAD, CAMERA = "draw", "upload", "camera"
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
    ask: dict[str, Callable[[Here, ModalityConfig], np.ndarray | None]] = {
        "image": _picture,
        "symbols": _text,
        "vector": _numbers,
    }
    try:
        return ask[kind_of(modality)](here, modality)
    except DataError as error:
        st.error(messages.literal(error))
        return None


def _picture(here: Here, modality: ModalityConfig) -> np.ndarray | None:
    ways = [DRAW if modality.shape[0] == 1 else CAMERA, UPLOAD]
    ways = ways if modality.shape[0] == 1 else ways[::-1]  # a camera asks before it looks
    key = f"way_{modality.name}"
    state.offer(key, ways, ways[0])
    way = st.segmented_control(
        f"How to give {modality.name}",
        ways,
        default=ways[0],
        required=True,
        key=key,
        bind="query-params",
    )
    if way == DRAW:
        return _drawing(modality)
    if way == CAMERA:
        file = st.camera_input(f"Photograph your own {modality.name}", key=f"cam_{modality.name}")
    else:
        file = st.file_uploader(
            f"Upload your own {modality.name}",
            type=["png", "jpg", "jpeg"],
            max_upload_size=own_input.MAX_BYTES // 1_000_000,
            key=f"file_{modality.name}",
        )
    return own_input.read_picture(file.getvalue(), modality.shape) if file else None


def _drawing(modality: ModalityConfig) -> np.ndarray | None:
    text = drawing_pad(
        f"Drawing pad for {modality.name}", f"pad_{modality.name}", state.drawn(modality.name)
    )
    drawn = strokes.from_text(text)
    state.keep_drawn(modality.name, text)
    return strokes.draw(drawn, modality.shape) if drawn else None


def _text(here: Here, modality: ModalityConfig) -> np.ndarray | None:
    length, symbols = modality.shape
    alphabet, key = views.alphabet_of(here.study, modality.name), state.own(modality.name)
    hint = (
        f"{length} whole numbers from 0 to {symbols - 1}"
        if alphabet is None
        else f"up to {length} of {alphabet.strip()}"
    )
    text = st.text_input(
        f"Type your own {modality.name}",
        max_chars=64,
        key=key,
        bind="query-params",
        placeholder=hint,
    )
    return own_input.read_symbols(text, alphabet, modality.shape) if text else None


def _numbers(here: Here, modality: ModalityConfig) -> np.ndarray | None:
    """A table that starts with the values of the item at hand."""
    start = loading.item_values(here.study, here.item, (modality.name,))[modality.name]
    flat = views.unit(start, modality).astype(float).ravel()
    table = st.data_editor(
        [{"value": float(one)} for one in flat],
        height=260,
        key=f"table_{modality.name}_{here.item}",
        column_config={"value": st.column_config.NumberColumn(required=True)},
        alt=f"{len(flat)} numbers of {modality.name}, starting as those of item {here.item}",
    )
    values = np.array(
        [np.nan if row["value"] is None else row["value"] for row in table], np.float32
    )
    if not np.isfinite(values).all():
        raise DataError(
            f"The table of {modality.name} has an empty cell, expected "
            f"{len(flat)} numbers; fill it."
        )
    return values.reshape(start.shape)
