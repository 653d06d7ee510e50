"""The plane to drag in, and the verdicts on where the visitor let go."""

import hashlib
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.components.latent_plane import latent_plane
from ui.draw.marks import class_name
from ui.shared import live_views, views
from ui.shell import address, answers, caching, drawing, messages, weights
from ui.shell.state import Here
from ui.shell.weights import Packed

if TYPE_CHECKING:
    from mmvae_core.explore.traversal import Plane

COLUMNS, LINE_COLUMNS = 21, 101


@dataclass(frozen=True)
class Chosen:
    """A plane, what it is in words, and the items that are marked on it (place, label)."""

    plane: "Plane"
    words: str
    marks: tuple[tuple[tuple[float, float], str], ...]


def drag(here: Here, chosen: Chosen) -> None:
    """The plane; below it the verdicts on what is decoded where the visitor let go."""
    columns = LINE_COLUMNS if chosen.plane.is_line else COLUMNS
    latents = chosen.plane.grid(columns).reshape(-1, len(chosen.plane.origin)).astype(np.float32)
    mark = hashlib.sha256(latents.tobytes() + str(here.run.folder).encode()).hexdigest()[:16]
    packed = None if drawing.leaves_decoding() else live_views.packed(here)
    key = f"{'line' if chosen.plane.is_line else 'plane'}_{mark}{'' if packed else '_grid'}"
    kept = st.session_state.get(key)
    linked = address.place(mark)
    place = kept["place"] if kept and kept["place"] else linked
    start = place or (chosen.marks[0][0] if chosen.marks else (0.0, 0.0))
    point = chosen.plane.at(np.array(start))[None].astype(np.float32)
    exact = answers.decoded(here.run, point)
    data: dict[str, Any] = {
        "id": mark,
        "columns": columns,
        "rows": len(latents) // columns,
        "label": f"Plane through the latent space: {chosen.words}",
        "start": list(start),
        "marks": [{"at": list(at), "label": label} for at, label in chosen.marks],
    }
    if packed:
        data["live"] = _live(here, chosen.plane, packed)
        how = "every place decoded as you come by, in this browser"
    else:
        data |= _grid_data(here.study, here.run, mark, latents, columns)
        data |= {"exact_at": list(start), "exact": _exact(here, exact, latents)}
        is_jpeg = any("image/jpeg" in (one.get("sprite") or "")[:20] for one in data["modalities"])
        how = f"{len(latents)} places decoded beforehand, the one where you let go exactly"
        how += ", colours of the preview as JPEG" if is_jpeg else ""
    latent_plane(key, data, drawing.leave_decoding)
    address.keep_place(None if place is None else (float(place[0]), float(place[1])))
    _verdicts(here, exact)
    views.source(
        chosen.words,
        f"E[x | z]; {how}",
        views.run_mark(here.run),
    )


def _live(here: Here, plane: "Plane", packed: Packed) -> dict[str, Any]:
    """What a browser needs to decode any place itself."""
    looks = [views.look(here.study, one) for one in here.run.config.modalities]
    return {
        "weights": weights.hold(packed),
        "parts": [one.told | {"ground": one.is_ground} for one in looks],
        "origin": plane.origin.tolist(),
        "across": plane.across.tolist(),
        "up": plane.up.tolist(),
    }


@caching.resource(show_spinner="Decoding the plane …", max_entries=8)
def _grid_data(
    study: Study, run: Run, mark: str, _latents: np.ndarray, columns: int
) -> dict[str, Any]:
    values = answers.decoded(run, _latents)
    looks = [views.look(study, one) for one in run.config.modalities]
    parts = [one.plane(values[one.name], columns) for one in looks]
    rows = len(_latents) // columns
    grounds = (part["sprite"] for part, one in zip(parts, looks, strict=True) if one.is_ground)
    return {
        "modalities": parts,
        "ground": next(grounds, None) if rows > 1 else None,
    }


def _exact(here: Here, exact: dict[str, np.ndarray], latents: np.ndarray) -> dict[str, Any]:
    grid = answers.decoded(here.run, latents)
    return {
        one.name: views.look(here.study, one).exact(exact[one.name][0], grid[one.name])
        for one in here.run.config.modalities
    }


def _verdicts(here: Here, exact: dict[str, np.ndarray]) -> None:
    said = []
    for modality in here.run.config.modalities:
        verdict = answers.verdict(here.study, modality, exact[modality.name])
        if verdict is None:
            continue
        sure = "" if verdict.confidence is None else f", probability {verdict.confidence[0]:.2f}"
        name = class_name(int(verdict.labels[0]), views.classes_of(here.study))
        said.append(f"{modality.name} is judged {name}{sure}")
    if said:
        messages.html(f'<p class="plain">There: {escape("; ".join(said))}.</p>')
