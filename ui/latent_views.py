"""The map of the latent space: which projection, the chart, what it says and does not say."""

from typing import Any

import numpy as np
import streamlit as st

from mmvae_core.checkpoints import Latents
from ui import loading, plots, state, views
from ui.state import Here

PCA, UMAP, RAW = "PCA", "UMAP", "Latent axes"
MOST_POINTS = 5_000

# One figure is about 0.3 MB; it is the same object until the mask, run, item or theme changes, so
# that the browser keeps its view while points are being chosen.
FIGURES = 32


def pick_projection(latents: Latents) -> str:
    """How the latent space is brought into the plane."""
    options = [RAW, PCA, UMAP] if latents.mean.shape[-1] == 2 else [PCA, UMAP]
    state.check_link("projection", state.is_among(options), " or ".join(options))
    return st.segmented_control("Projection", options, default=options[0], required=True,
                                key="projection", bind="query-params") or options[0]


def latent_map(here: Here, latents: Latents, row: int, way: str) -> list[int]:
    """Draw the map; the ids of the chosen items come back."""
    before = state.mask_before()
    figure = _figure(
        str(here.run.folder), loading.stamp(here.run), row,
        None if before is None else loading.row_of(latents, before), way, here.item,
        state.is_dark(), here,
    )
    event: Any = st.plotly_chart(
        figure, theme=None, key="map", on_select="rerun", alt=_alt(here, latents, row, way),
        config={"displaylogo": False, "displayModeBar": True,
                "modeBarButtonsToRemove": ["autoScale2d"]},
    )
    points = event["selection"]["points"] if event else []
    return sorted({int(point["customdata"]) for point in points
                   if isinstance(point.get("customdata"), int | float)})


def map_caption(here: Here, latents: Latents, row: int, way: str) -> None:
    """How many points, from where, and what the distances do not mean."""
    count = latents.mean.shape[1]
    views.source(
        f"{min(count, MOST_POINTS):,} of {count:,} test items shown"
        + ("" if count <= MOST_POINTS else ", drawn with seed 0"),
        f"each at the mean of q(z | {here.subset}), {_places(latents, row, way)}",
        _what(way), views.run_mark(here.run),
    )
    st.html(f'<p class="source">{_warning(way)} The ring is item {here.item}. The mean hides the '
            "width of each posterior: two items apart here may still overlap.</p>")


def selection_caption(here: Here, row: int, count: int) -> None:
    """Where the numbers on the chosen items come from."""
    report = loading.report(here.run)
    exact = report.get("rate", {}).get(here.subset, {}).get("exact")
    way = {True: "exact, closed form", False:
           f"estimate, {report.get('rate_samples', 'several')} draws an item"}.get(exact, "stored")
    shown = "" if count <= views.MOST_ITEMS else f"first {views.MOST_ITEMS} of {count} items shown"
    views.source(*(part for part in (
        shown, f"rate: KL(q(z | {here.subset}) ‖ p(z)) per item, {way}",
        f"seed {report.get('seed', '?')}", views.run_mark(here.run)) if part))


@st.cache_resource(show_spinner=False, max_entries=FIGURES)
def _figure(
    folder: str, age: tuple[int, ...], row: int, before: int | None, way: str, item: int,
    dark: bool, _here: Here,
) -> Any:
    latents, labels = loading.latents(_here.run), loading.samples(_here.study).labels
    every = coordinates(latents, way)
    ids = shown_ids(len(labels))
    points = plots.Points(
        every[row][ids], ids, labels[ids].astype(int),
        None if before is None else every[before][ids],
    )
    axes = plots.Axes(_titles(latents, way), *plots.frame_of(every))
    return plots.latent_map(points, axes, views.classes_of(_here.study), item, dark)


def shown_ids(count: int) -> np.ndarray:
    """All items, or a seeded draw of them where they are too many."""
    if count <= MOST_POINTS:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:MOST_POINTS])


def coordinates(latents: Latents, way: str) -> np.ndarray:
    """The items' places [subset, item, 2] of a projection."""
    return {PCA: latents.pca, UMAP: latents.umap, RAW: latents.mean}[way]


def _titles(latents: Latents, way: str) -> tuple[str, str]:
    if way == PCA:
        first, second = (f"{100 * share:.0f} %" for share in latents.pca_explained[:2])
        return f"principal axis 1 ({first} of the variance)", f"axis 2 ({second})"
    return ("UMAP 1", "UMAP 2") if way == UMAP else ("latent axis 1", "latent axis 2")


def _places(latents: Latents, row: int, way: str) -> str:
    """At how many different places the items lie: few, where the shown part takes few values."""
    rounded = np.round(coordinates(latents, way)[row].astype(float), 3)
    places = len(np.unique(rounded, axis=0))
    return f"at {places:,} different place{'' if places == 1 else 's'}"


def _what(way: str) -> str:
    return {
        PCA: "PCA fitted to the means with everything shown, the same axes for every mask",
        UMAP: "UMAP fitted to the means with everything shown; other masks are placed by their "
              "nearest neighbours",
        RAW: "the two latent axes as they are",
    }[way]


def _warning(way: str) -> str:
    return {
        PCA: "Two axes of many: points that lie together here may be far apart along the others.",
        UMAP: "UMAP keeps neighbours, not distances: gaps and sizes of clusters mean nothing.",
        RAW: "Distances are those of the latent space.",
    }[way]


def _alt(here: Here, latents: Latents, row: int, way: str) -> str:
    count, classes = latents.mean.shape[1], len(np.unique(loading.samples(here.study).labels))
    return (f"Map of {count} test items of {classes} classes by {way}, shown: {here.subset}. "
            f"Mean width {float(latents.stddev[row].mean()):.2f}, mean rate "
            f"{float(latents.rate[row].mean()):.1f} nats.")
