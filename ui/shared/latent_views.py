"""The map of the latent space: which projection and colour, and the chart."""

from typing import Any, Literal

import numpy as np
import streamlit as st

from mmvae_core.projections import onto_axes
from mmvae_core.store.run import Latents, Run
from mmvae_core.store.study import Study
from ui.draw import plots
from ui.shared import colours, views
from ui.shared.colours import ENTRY, NOTE
from ui.shell import answers, caching, choice, loading, state
from ui.shell.glossary import helps
from ui.shell.state import Here

PCA, UMAP, RAW = "PCA", "UMAP", "Latent axes"
CLASS, RATE, LIKELIHOOD, ERROR = "class", "rate", "log-likelihood", "reconstruction error"
JUDGED = "judged "
TITLES = {RATE: "rate, nats", LIKELIHOOD: "log p(shown), nats", ERROR: "-log p(shown | z), nats"}
KEY = "map"
NO_DRAWS, DRAWS = "none", 500
NO_WEBGL = "no_webgl"
"""In the session: whether this browser has told that it cannot draw by WebGL."""
MAP_HEIGHT = 480
"""In pixels, until the look makes it that of the window."""

# One figure is about 0.3 MB; it is the same object until the mask, run, item, colour or theme
# changes, so that the browser keeps its view while points are being chosen.
FIGURES = 32


def pick_projection(latents: Latents) -> str:
    """How the latent space is brought into the plane."""
    options = [UMAP, PCA] if latents.umap.size else [PCA]
    options = [RAW, *options] if latents.mean.shape[-1] == 2 else options
    state.offer("projection", options, options[0])
    return (
        st.segmented_control(
            "Projection",
            options,
            default=options[0],
            required=True,
            key="projection",
            bind="query-params",
            help=helps("UMAP", "PCA"),
        )
        or options[0]
    )


def pick_colour(here: Here, latents: Latents) -> str:
    """What the points' colours tell."""
    stored = [LIKELIHOOD, ERROR] if latents.distortion is not None else []
    judged = [
        JUDGED + one.name
        for one in here.run.config.modalities
        if loading.is_judged(here.study, one)
    ]
    rate = [RATE] if latents.has_width else []
    options = [CLASS, *rate, *stored, *judged, *colours.of_study(here.study, here.run)]
    state.offer("colour", options, options[0])
    picked = st.selectbox(
        "Colour by",
        options,
        key="colour",
        bind="query-params",
        help=helps("rate", "likelihood", "distortion", *["judge"] * bool(judged)),
    )
    return colours.with_entry(here, picked) if picked.startswith(ENTRY) else picked


def pick_prior(here: Here) -> str:
    """Which prior's draws are shown among the items."""
    options = [NO_DRAWS, *here.run.priors]
    state.offer("draws", options, options[0])
    return st.selectbox(
        "Draws of p(z)",
        options,
        key="draws",
        bind="query-params",
        help="Crosses where a prior is dense and no item is show a hole: what is generated from "
        "there is nothing in particular. On PCA and the latent axes alone: UMAP would put every "
        "draw beside an item.",
    )


def shown_prior(run: Run, way: str, prior: str) -> np.ndarray | None:
    """Draws of the chosen prior [draw, latent]; none where they are not shown."""
    if way == UMAP or prior not in run.priors:
        return None
    return answers.prior_draws(run, prior, DRAWS)


def latent_map(
    here: Here, latents: Latents, row: int, way: str, colour: str, prior: str = ""
) -> str:
    """Draw the map; the label of its glide button comes back, empty if it has none."""
    before = state.mask_before()
    glide = (
        ""
        if before is None or _is_swift(latents, plots.WEBGL_FROM)
        else (f"▶ Glide from {state.subset_name(before, here.names)}")
    )
    came_from = None if before is None else loading.row_of(latents, before)
    with st.container(key="chart_room", height=MAP_HEIGHT, border=False):
        chart(here, KEY, (row, came_from), (way, colour), glide, "stretch", prior)
    return glide


def chart(
    here: Here,
    key: str,
    rows: tuple[int, int | None],
    look: tuple[str, str],
    glide: str = "",
    height: int | Literal["stretch"] = "stretch",
    prior: str = "",
    webgl_from: int = plots.WEBGL_FROM,
) -> None:
    """A map of here's run on which items can be chosen.

    `rows` are the subset's and that of the mask before; `look` is the projection and the colour.
    The height is in pixels, or that of the container. More items than `webgl_from` are drawn by
    WebGL, where the browser has it.
    """
    swift = _is_swift(loading.latents(here.run), webgl_from)
    frame = (rows, look, state.is_dark(), glide, prior, swift)
    lit = choice.lit(here.study, key, (caching.run_key(here.run), frame))
    figure = _figure(here.study, here.run, *frame, *lit)
    st.plotly_chart(
        views.for_room(figure),
        height=height,
        theme=None,
        key=key,
        on_select=lambda: take_choice(here, key),
        selection_mode=("box", "lasso"),
        alt=_alt(here, rows[0], *look),
        config={
            "displaylogo": False,
            "displayModeBar": True,
            "modeBarButtonsToRemove": ["autoScale2d"],
        },
    )


def take_choice(here: Here, chart: str) -> None:
    """The items whose points were chosen on a chart become the chosen ones."""
    event: Any = st.session_state[chart]
    ids = {
        int(point["customdata"])
        for point in event["selection"]["points"]
        if isinstance(point.get("customdata"), int | float)
    }
    choice.choose(here.study, sorted(ids), chart)


@caching.resource(max_entries=FIGURES)
def _figure(
    study: Study,
    run: Run,
    rows: tuple[int, int | None],
    look: tuple[str, str],
    dark: bool,
    glide: str,
    prior: str,
    swift: bool,
    turn: int,
    lit: tuple[int, ...],
) -> Any:
    latents, (row, before), (way, colour) = loading.latents(run), rows, look
    every, labels = coordinates(latents, way), loading.samples(study).labels.astype(int)
    classes, given = views.classes_of(study), None
    values = {
        RATE: latents.rate,
        LIKELIHOOD: latents.log_likelihood,
        ERROR: latents.distortion,
    }.get(colour)
    if colour.startswith(JUDGED):
        labels = answers.judged_items(study, run, colour.removeprefix(JUDGED), row)
    if colour.startswith((NOTE, ENTRY)):
        labels, classes, given = colours.of_items(study, run, colour)
    draws = shown_prior(run, way, prior)
    points = plots.Points(
        every[row],
        np.arange(len(labels)),
        labels,
        None if before is None else every[before],
        given if values is None else values[row],
        is_lit(len(labels), lit),
        None if draws is None else onto_axes(latents.mean[-1], every[-1], draws),
        loading.samples(study).ids,
    )
    axes = plots.Axes(
        titles(latents, way), *plots.frame_of(every), TITLES.get(colour, colour), way != UMAP
    )
    figure = plots.latent_map(points, axes, classes, dark, glide, swift)
    return figure.update_layout(meta=turn)


def _is_swift(latents: Latents, most: int) -> bool:
    return latents.mean.shape[1] > most and not st.session_state.get(NO_WEBGL)


def lack_webgl() -> None:
    """This browser has told that it has none: its maps are SVG from now on."""
    st.session_state[NO_WEBGL] = True


def is_lit(count: int, ids: tuple[int, ...]) -> np.ndarray | None:
    """A flag for each item, or nothing where none is chosen."""
    return np.isin(np.arange(count), ids) if ids else None


def coordinates(latents: Latents, way: str) -> np.ndarray:
    """Where each item is under each subset: [subset, item, 2]."""
    return {PCA: latents.pca, UMAP: latents.umap, RAW: latents.mean}[way]


def titles(latents: Latents, way: str) -> tuple[str, str]:
    """What the two axes are."""
    if way == PCA:
        first, second = (f"{100 * share:.0f} %" for share in latents.pca_explained[:2])
        return f"principal axis 1 ({first} of the variance)", f"axis 2 ({second})"
    return ("UMAP 1", "UMAP 2") if way == UMAP else ("latent axis 1", "latent axis 2")


def _alt(here: Here, row: int, way: str, colour: str) -> str:
    latents, labels = loading.latents(here.run), loading.samples(here.study).labels
    return (
        f"Map by {loading.title(here.run)} of {len(labels)} test items of "
        f"{len(np.unique(labels))} classes by {way}, colour by {colour}, shown: {here.subset}."
    ) + (
        f" Mean width {float(latents.stddev[row].mean()):.2f}, mean rate "
        f"{float(latents.rate[row].mean()):.1f} nats."
        if latents.has_width
        else ""
    )
