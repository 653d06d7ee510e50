"""The map of the latent space: which projection and colour, the chart, what it does not say."""

from typing import Any

import numpy as np
import streamlit as st

from mmvae_core.geometry import prior_gaps
from mmvae_core.projections import onto_axes
from mmvae_core.store.run import Latents, Run
from ui.draw import plots
from ui.shared import views
from ui.shell import loading, messages, state
from ui.shell.glossary import helps
from ui.shell.state import Here

PCA, UMAP, RAW = "PCA", "UMAP", "Latent axes"
CLASS, RATE, LIKELIHOOD, ERROR = "class", "rate", "log-likelihood", "reconstruction error"
JUDGED = "judged "
TITLES = {RATE: "rate, nats", LIKELIHOOD: "log p(shown), nats", ERROR: "-log p(shown | z), nats"}
KEY = "map"
NO_DRAWS, DRAWS = "none", 500
FOLLOWS = 0.7
"""From this correlation on an axis counts as following a quantity."""

# One figure is about 0.3 MB; it is the same object until the mask, run, item, colour or theme
# changes, so that the browser keeps its view while points are being chosen.
FIGURES = 32


def pick_projection(latents: Latents) -> str:
    """How the latent space is brought into the plane."""
    options = [RAW, UMAP, PCA] if latents.mean.shape[-1] == 2 else [UMAP, PCA]
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
    options = [CLASS, RATE, *stored, *judged]
    state.offer("colour", options, options[0])
    return st.selectbox(
        "Colour by",
        options,
        key="colour",
        bind="query-params",
        help=helps("rate", "likelihood", "distortion", *["judge"] * bool(judged)),
    )


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


def shown_prior(here: Here, way: str, prior: str) -> np.ndarray | None:
    """Draws of the chosen prior [draw, latent]; none where they are not shown."""
    if way == UMAP or prior not in here.run.priors:
        return None
    return loading.prior_draws(here.run, prior, DRAWS)


def prior_caption(here: Here, way: str, prior: str) -> None:
    """How far draws of the prior are from items, beside how far items are from each other."""
    if way == UMAP and prior in here.run.priors:
        messages.html(
            '<p class="source">UMAP has no place for draws of a prior; choose PCA to see them.</p>'
        )
    draws = shown_prior(here, way, prior)
    if draws is None:
        return
    gap, own = _gaps(str(here.run.folder), loading.stamp(here.run), prior, here.run)
    messages.html(
        f'<p class="source">Crosses: {DRAWS} draws of the {prior} prior, seed 0. Half of '
        f"them are further than {gap:.2f} prior widths from the nearest item's mean "
        f"(everything shown, all {draws.shape[1]} latents); of draws of the items' own "
        f"posteriors, from the nearest other item, {own:.2f}. The more the first exceeds the "
        "second, the more of the prior is a hole.</p>"
    )


def latent_map(
    here: Here, latents: Latents, row: int, way: str, colour: str, prior: str = ""
) -> str:
    """Draw the map; the label of its glide button comes back, empty if it has none."""
    before = state.mask_before()
    glide = (
        ""
        if before is None or latents.mean.shape[1] > plots.WEBGL_FROM
        else (f"▶ Glide from {state.subset_name(before, here.names)}")
    )
    came_from = None if before is None else loading.row_of(latents, before)
    chart(here, KEY, (row, came_from), (way, colour), glide, prior=prior)
    return glide


def chart(
    here: Here,
    key: str,
    rows: tuple[int, int | None],
    look: tuple[str, str],
    glide: str = "",
    height: int = 560,
    prior: str = "",
) -> None:
    """A map of here's run on which items can be chosen.

    `rows` are the subset's and that of the mask before; `look` is the projection and the colour.
    """
    frame = (
        str(here.run.folder),
        loading.stamp(here.run),
        rows,
        look,
        here.item,
        state.is_dark(),
        glide,
        height,
        prior,
    )
    figure = _figure(*frame, *state.lit(here.study, key, frame), here)
    st.plotly_chart(
        figure,
        theme=None,
        key=key,
        on_select=lambda: take_choice(here, key),
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
    state.choose(here.study, sorted(ids), chart)


def map_caption(here: Here, latents: Latents, row: int, way: str, colour: str) -> None:
    """How many points, from where, and what the distances do not mean."""
    count = latents.mean.shape[1]
    views.source(
        f"all {count:,} test items shown",
        f"each at the mean of q(z | {here.subset}), {_places(latents, row, way)}",
        what(way),
        views.run_mark(here.run),
    )
    said = "" if colour == CLASS else f"Colour: {_colour_source(here, colour)}. "
    follows = brightness(here, latents) if way == PCA else ""
    messages.html(
        f'<p class="source">{said}{_warning(way)} {follows}The ring is item {here.item}. '
        "The mean hides the width of each posterior: two items apart here may still "
        "overlap.</p>"
    )


@st.cache_data(show_spinner=False, max_entries=FIGURES)
def _gaps(folder: str, age: tuple[int, ...], prior: str, _run: Run) -> tuple[float, float]:
    """How far draws of the prior are from the nearest item, and draws of items from another."""
    latents, scale = loading.latents(_run), loading.prior_scale(_run)
    draws = loading.prior_draws(_run, prior, DRAWS)
    return prior_gaps(draws, latents.mean[-1], latents.stddev[-1], scale)


@st.cache_resource(show_spinner=False, max_entries=FIGURES)
def _figure(
    folder: str,
    age: tuple[int, ...],
    rows: tuple[int, int | None],
    look: tuple[str, str],
    item: int,
    dark: bool,
    glide: str,
    height: int,
    prior: str,
    turn: int,
    lit: tuple[int, ...],
    _here: Here,
) -> Any:
    latents, (row, before), (way, colour) = loading.latents(_here.run), rows, look
    every, labels = coordinates(latents, way), loading.samples(_here.study).labels.astype(int)
    values = {
        RATE: latents.rate,
        LIKELIHOOD: latents.log_likelihood,
        ERROR: latents.distortion,
    }.get(colour)
    if colour.startswith(JUDGED):
        labels = loading.judged_items(_here.study, _here.run, colour.removeprefix(JUDGED), row)
    draws = shown_prior(_here, way, prior)
    points = plots.Points(
        every[row],
        np.arange(len(labels)),
        labels,
        None if before is None else every[before],
        None if values is None else values[row],
        is_lit(len(labels), lit),
        None if draws is None else onto_axes(latents.mean[-1], every[-1], draws),
    )
    axes = plots.Axes(
        titles(latents, way), *plots.frame_of(every), TITLES.get(colour, ""), way != UMAP
    )
    figure = plots.latent_map(
        points, axes, views.classes_of(_here.study), item, dark, glide, height
    )
    return figure.update_layout(meta=turn)


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


def _places(latents: Latents, row: int, way: str) -> str:
    """At how many different places the items lie: few, where the shown part takes few values."""
    rounded = np.round(coordinates(latents, way)[row].astype(float), 3)
    places = len(np.unique(rounded, axis=0))
    return "all at one place" if places == 1 else f"at {places:,} different places"


def what(way: str) -> str:
    """How the coordinates came to be."""
    return {
        PCA: "PCA fitted to the means with everything shown, the same axes for every mask",
        UMAP: "UMAP fitted to the means with everything shown; other masks are placed by their "
        "nearest neighbours",
        RAW: "the two latent axes as they are",
    }[way]


def brightness(here: Here, latents: Latents) -> str:
    """Whether the first principal axis is what a modality's view knows of its items."""
    axis = latents.pca[-1, :, 0].astype(float)
    for one in here.run.config.modalities:
        known = views.look(here.study, one).axis(loading.samples(here.study).data[one.name])
        if known is None or not axis.std():
            continue
        what, number = known
        r = float(np.corrcoef(axis, number)[0, 1]) if number.std() else 0.0
        if abs(r) >= FOLLOWS:
            return (
                f"The first axis follows {what} (correlation {r:.2f} with "
                "everything shown), not the class: UMAP separates the classes better. "
            )
    return ""


def _warning(way: str) -> str:
    return {
        PCA: "Two axes of many: points that lie together here may be far apart along the others.",
        UMAP: "UMAP keeps neighbours, not distances: gaps and sizes of clusters mean nothing.",
        RAW: "Distances are those of the latent space.",
    }[way]


def _colour_source(here: Here, colour: str) -> str:
    report = loading.report(here.run)
    draws = "several draws an item"
    if report is not None and report.distortion_samples is not None:
        draws = f"{report.distortion_samples} draws an item, seed {report.seed}"
    rate = views.rate_source(here.run, here.subset)
    ends = f"colours end at the {plots.TAILS[0]}nd and {plots.TAILS[1]}th percentile"
    if colour.startswith(JUDGED):
        return (
            f"what the judge says of {colour.removeprefix(JUDGED)} made at the mean of "
            f"q(z | {here.subset}); {views.judges_source(here.study)}"
        )
    return {
        RATE: f"KL(q(z | {here.subset}) ‖ p(z)), {rate}; {ends}",
        LIKELIHOOD: f"log p({here.subset}), importance-weighted lower bound, {draws}; {ends}",
        ERROR: f"-E log p({here.subset} | z), unweighted, estimate, {draws}; {ends}",
    }[colour]


def _alt(here: Here, row: int, way: str, colour: str) -> str:
    latents, labels = loading.latents(here.run), loading.samples(here.study).labels
    return (
        f"Map by {loading.title(here.run)} of {len(labels)} test items of "
        f"{len(np.unique(labels))} classes by {way}, colour by {colour}, shown: {here.subset}. "
        f"Mean width {float(latents.stddev[row].mean()):.2f}, mean rate "
        f"{float(latents.rate[row].mean()):.1f} nats."
    )
