"""Planes and lines through the latent space to drag in, and what each latent by itself changes."""

import hashlib
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from ui.components.latent_plane import latent_plane
from ui.draw.marks import class_name
from ui.shared import views
from ui.shell import loading, messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated
    from mmvae_core.explore.traversal import Plane

AXES, LATENTS, THREE, TWO = "principal axes", "two latents", "three items", "two items"
POSTERIOR, PRIOR = "posterior", "prior"
COLUMNS, LINE_COLUMNS, REACH, STEPS = 21, 101, 3.0, 7
MOST_STRIPS = 8


@dataclass(frozen=True)
class Chosen:
    """A plane, what it is in words, and the items that are marked on it (place, label)."""

    plane: "Plane"
    words: str
    marks: tuple[tuple[tuple[float, float], str], ...]


def posterior(here: Here, item: int) -> "Generated":
    """q(z | shown part of an item)."""
    return loading.generated(
        here.run, loading.item_values(here.study, item, here.shown), 1, here.seed
    )


def pick_way(here: Here, made: "Generated") -> str:
    """What kind of plane or line to drag in."""
    ways = [AXES] if here.run.is_evaluated else []
    ways += [LATENTS, THREE, TWO] if len(made.mean) > 1 else [TWO]
    state.offer("plane", ways, ways[0])
    way = st.segmented_control(
        "Drag along", ways, default=ways[0], required=True, key="plane", bind="query-params"
    )
    return str(way)


def pick_plane(here: Here, made: "Generated", way: str, scale: np.ndarray, whose: str) -> Chosen:
    """The plane or line itself."""
    from mmvae_core.explore import traversal

    if way == AXES:
        plane = traversal.of_principal_axes(
            loading.latents(here.run).mean[-1].astype(float), REACH, made.mean.astype(float)
        )
        return Chosen(
            plane,
            f"through item {here.item} along the two principal axes of the test "
            f"items' means with everything shown, ± {REACH:g} standard deviations",
            _marks(plane, [(made.mean, f"item {here.item}")]),
        )
    if way == LATENTS:
        return _two_latents(here, made, scale, whose)
    return _items(here, made, 3 if way == THREE else 2)


def pick_scale(here: Here, made: "Generated") -> tuple[np.ndarray, str]:
    """Standard deviations [latent] to move a latent by, and whose they are."""
    state.check_link("scale", state.is_among([POSTERIOR, PRIOR]), f"{POSTERIOR} or {PRIOR}")
    whose = st.segmented_control(
        "Standard deviations of the",
        [POSTERIOR, PRIOR],
        default=PRIOR,
        required=True,
        key="scale",
        bind="query-params",
        help="How far -3 to 3 reaches.",
    )
    return (made.stddev if whose == POSTERIOR else loading.prior_scale(here.run)), str(whose)


def drag(here: Here, chosen: Chosen) -> None:
    """The plane; below it the verdicts on what is decoded where the visitor let go."""
    columns = LINE_COLUMNS if chosen.plane.is_line else COLUMNS
    latents = chosen.plane.grid(columns).reshape(-1, len(chosen.plane.origin)).astype(np.float32)
    mark = hashlib.sha256(latents.tobytes() + str(here.run.folder).encode()).hexdigest()[:16]
    key = f"plane_{mark}"
    kept = st.session_state.get(key)
    linked = state.place(mark)
    place = kept["place"] if kept and kept["place"] else linked
    start = place or (chosen.marks[0][0] if chosen.marks else (0.0, 0.0))
    point = chosen.plane.at(np.array(start))[None].astype(np.float32)
    exact = loading.decoded(here.run, point)
    data = _grid_data(str(here.run.folder), loading.stamp(here.run), here, mark, latents, columns)
    latent_plane(
        key,
        {
            **data,
            "label": f"Plane through the latent space: {chosen.words}",
            "start": list(start),
            "marks": [{"at": list(at), "label": label} for at, label in chosen.marks],
            "exact_at": list(start),
            "exact": _exact(here, exact, latents),
        },
    )
    is_jpeg = any("image/jpeg" in (one.get("sprite") or "")[:20] for one in data["modalities"])
    state.keep_place(None if place is None else (float(place[0]), float(place[1])))
    _verdicts(here, exact)
    views.source(
        f"{chosen.words}; {len(latents)} places decoded beforehand, the one where you let go "
        "exactly",
        "E[x | z], colours of the preview as JPEG" if is_jpeg else "E[x | z]",
        views.run_mark(here.run),
    )


def strips(here: Here, made: "Generated", scale: np.ndarray, whose: str) -> None:
    """A row for each latent: its traversal in every modality, sorted by what it changes."""
    values, change = loading.strips(here.run, made.mean, scale, STEPS, REACH)
    names = list(here.names)
    state.offer("by", names, names[0], here.study.name)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        by = str(
            st.segmented_control(
                "Sort by the change of",
                names,
                default=names[0],
                required=True,
                key="by",
                bind="query-params",
            )
        )
    order, every = np.argsort(-change[by], kind="stable"), False
    if len(order) > MOST_STRIPS:
        with right:
            every = st.toggle(f"All {len(order)} latents", key="every", bind="query-params")
    rows = order if every else order[:MOST_STRIPS]
    head = "".join(f"<h3>{escape(name)}</h3>" for name in names)
    body = "".join(_row(here, int(latent), values, change) for latent in rows)
    messages.html(
        f'<div class="strips" style="--modalities:{len(names)}"><h3></h3>{head}{body}</div>'
    )
    views.source(
        f"{len(rows)} of {len(order)} latents, each from -{REACH:g} to {REACH:g} {whose} standard "
        f"deviations around the mean of q(z | {here.subset}) of item {here.item}, the others kept",
        "change: root mean square of E[x | z] against the middle, over the steps and entries"
        + ("; zero for another modality's private latents" if here.run.config.private else ""),
        views.run_mark(here.run),
    )


def latent_name(here: Here, latent: int) -> str:
    """`latent 3`, or `private photo 1` where modalities have latents of their own."""
    config = here.run.config
    if latent < config.latent:
        return f"latent {latent}"
    owner, number = divmod(latent - config.latent, config.private)
    return f"private {config.names[owner]} {number}"


def _two_latents(here: Here, made: "Generated", scale: np.ndarray, whose: str) -> Chosen:
    from mmvae_core.explore import traversal

    names = [latent_name(here, latent) for latent in range(len(made.mean))]
    left, right = st.columns(2)
    picked = []
    for column, key, label, start in ((left, "across", "Across", 0), (right, "up", "Up", 1)):
        with column:
            state.offer(key, names, names[start], expected=f"{names[0]} to {names[-1]}")
            name = st.selectbox(label, names, index=start, key=key, bind="query-params")
        picked.append(names.index(str(name)))
    plane = traversal.of_latents(made.mean.astype(float), scale, picked[0], picked[1], REACH)
    return Chosen(
        plane,
        f"{names[picked[0]]} and {names[picked[1]]}, ± {REACH:g} {whose} standard "
        f"deviations around item {here.item}",
        _marks(plane, [(made.mean, f"item {here.item}")]),
    )


def _items(here: Here, made: "Generated", count: int) -> Chosen:
    from mmvae_core.explore import traversal

    most, items = len(loading.samples(here.study)) - 1, [here.item]
    keys = ("second", "third")[: count - 1]
    firsts = views.partners(here, len(keys))
    for column, key, first in zip(st.columns(len(keys)), keys, firsts, strict=False):
        with column:
            state.offer(
                key,
                range(most + 1),
                first,
                here.study.name,
                expected=f"a number from 0 to {most}",
            )
            items.append(
                int(
                    st.number_input(
                        f"The {key} item (0 to {most})",
                        0,
                        most,
                        first,
                        key=key,
                        bind="query-params",
                    )
                )
            )
    points = [made.mean, *(posterior(here, item).mean for item in items[1:])]
    plane = traversal.through(*(point.astype(float) for point in points))
    words = (
        ("the line" if count == 2 else "the plane")
        + " through items "
        + ", ".join(map(str, items))
        + f", each at the mean of q(z | {here.subset})"
    )
    return Chosen(
        plane,
        words,
        _marks(plane, [(point, f"item {item}") for point, item in zip(points, items, strict=True)]),
    )


def _marks(
    plane: "Plane", points: list[tuple[np.ndarray, str]]
) -> tuple[tuple[tuple[float, float], str], ...]:
    places = [(plane.place(point.astype(float)), label) for point, label in points]
    return tuple(
        ((round(float(at[0]), 4), round(float(at[1]), 4)), label)
        for at, label in places
        if np.abs(at).max() <= 1.001
    )


@st.cache_resource(show_spinner="Decoding the plane …", max_entries=8)
def _grid_data(
    folder: str, age: tuple[int, ...], _here: Here, mark: str, _latents: np.ndarray, columns: int
) -> dict[str, Any]:
    values = loading.decoded(_here.run, _latents)
    looks = [views.look(_here.study, one) for one in _here.run.config.modalities]
    parts = [one.plane(values[one.name], columns) for one in looks]
    rows = len(_latents) // columns
    grounds = (part["sprite"] for part, one in zip(parts, looks, strict=True) if one.is_ground)
    return {
        "id": mark,
        "columns": columns,
        "rows": rows,
        "modalities": parts,
        "ground": next(grounds, None) if rows > 1 else None,
    }


def _exact(here: Here, exact: dict[str, np.ndarray], latents: np.ndarray) -> dict[str, Any]:
    grid = loading.decoded(here.run, latents)
    return {
        one.name: views.look(here.study, one).exact(exact[one.name][0], grid[one.name])
        for one in here.run.config.modalities
    }


def _verdicts(here: Here, exact: dict[str, np.ndarray]) -> None:
    said = []
    for modality in here.run.config.modalities:
        verdict = loading.verdict(here.study, modality, exact[modality.name])
        if verdict is None:
            continue
        sure = "" if verdict.confidence is None else f", probability {verdict.confidence[0]:.2f}"
        name = class_name(int(verdict.labels[0]), views.classes_of(here.study))
        said.append(f"{modality.name} is judged {name}{sure}")
    if said:
        messages.html(f'<p class="plain">There: {escape("; ".join(said))}.</p>')


def _row(
    here: Here, latent: int, values: dict[str, np.ndarray], change: dict[str, np.ndarray]
) -> str:
    cells = "".join(
        _strip(here, modality, latent, values[modality.name], change[modality.name])
        for modality in here.run.config.modalities
    )
    return f"<h4>{escape(latent_name(here, latent))}</h4>{cells}"


def _strip(
    here: Here, modality: ModalityConfig, latent: int, values: np.ndarray, change: np.ndarray
) -> str:
    share = 100 * float(change[latent]) / max(float(change.max()), 1e-12)
    alt = (
        f"{modality.name} while {latent_name(here, latent)} goes from -{REACH:g} to {REACH:g}; "
        f"change {float(change[latent]):.3g}"
    )
    limit = float(np.abs(values).max(initial=0))
    body = views.look(here.study, modality).strip(values[latent], limit, alt)
    return (
        f'<div>{body}<p class="source"><span class="bar"><b style="width:{share:.0f}%"></b>'
        f"</span>{float(change[latent]):.3f}</p></div>"
    )
