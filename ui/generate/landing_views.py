"""Where something given lands among the test items, and which of them are nearest."""

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from mmvae_core.geometry import nearest_to
from mmvae_core.store.run import Latents, Run
from mmvae_core.store.study import Study
from ui.draw import landing, plots
from ui.draw.marks import class_html, class_name
from ui.shared import latent_views, views
from ui.shell import caching, loading, messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated

NEAREST = 8


def landed(here: Here, generated: "Generated", names: tuple[str, ...]) -> None:
    """The map under the subset of `names` with the posterior's mean on it, and its neighbours."""
    latents = loading.latents(here.run)
    mask = tuple(name in names for name in here.names)
    row, way = loading.row_of(latents, mask), latent_views.pick_projection(latents)
    nearest, distances = nearest_to(latents.mean[row], generated.mean, NEAREST)
    where = _place(here.run, way, generated.mean)
    picture = _still(here.study, here.run, row, way, state.is_dark())
    said = _said(here, nearest, distances)
    inside = picture.share(where)[1]
    left, right = st.columns([3, 2], gap="large")
    with left:
        messages.html(
            landing.still_html(
                picture,
                where,
                f"Map of {latents.mean.shape[1]} test items by "
                f"{way}; the cross is what you gave. {said}",
            )
        )
        labels = np.unique(loading.samples(here.study).labels).astype(int).tolist()
        classes = views.classes_of(here.study)
        messages.html(
            '<p class="plain legend">'
            + "".join(class_html(label, classes) for label in labels)
            + "</p>"
        )
    with right:
        messages.html(f'<p class="plain"><b>Nearest test items.</b> {escape(said)}</p>')
        views.items_grid(here.study, here.run.config.modalities, nearest.tolist())
    views.source(
        f"The cross: mean of q(z | {state.subset_name(mask, here.names)}), {_how(way)}"
        + ("" if inside else ", beyond the map's edge"),
        f"nearest: Euclidean distance between means in all {latents.mean.shape[-1]} latents",
        views.run_mark(here.run),
    )


def _said(here: Here, nearest: np.ndarray, distances: np.ndarray) -> str:
    labels, classes = loading.samples(here.study).labels[nearest], views.classes_of(here.study)
    counts = ", ".join(
        f"{class_name(int(label), classes)} {count}"
        for label, count in Counter(labels.tolist()).most_common()
    )
    return (
        f"Classes of the nearest {len(nearest)}: {counts}; "
        f"distances {distances.min():.2f} to {distances.max():.2f}."
    )


def _how(way: str) -> str:
    return {
        latent_views.PCA: "placed by the PCA of the map",
        latent_views.UMAP: "placed by its nearest neighbours on the map (UMAP)",
        latent_views.RAW: "placed by its own coordinates",
    }[way]


def _place(run: Run, way: str, point: np.ndarray) -> np.ndarray:
    from mmvae_core import projections  # late: brings scikit-learn

    full = loading.latents(run).mean[-1]
    if way == latent_views.RAW:
        return point
    if way == latent_views.PCA:
        centre, axes = _pca(run)
        return axes @ (point.astype(float) - centre)
    return projections.place(
        _search(run),
        loading.latents(run).umap[-1],
        point[None].astype(full.dtype),
    )[0]


@caching.resource(max_entries=16)
def _pca(run: Run) -> tuple[np.ndarray, np.ndarray]:
    from mmvae_core import projections

    centre, axes, _ = projections.fit_pca(loading.latents(run).mean[-1].astype(float))
    return centre, axes


@caching.resource(max_entries=16)
def _search(run: Run) -> Any:
    from sklearn.neighbors import NearestNeighbors

    from mmvae_core.projections import NEIGHBOURS

    full = loading.latents(run).mean[-1]
    return NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(full) - 1)).fit(full)


@caching.resource(max_entries=64)
def _still(study: Study, run: Run, row: int, way: str, dark: bool) -> landing.Still:
    latents: Latents = loading.latents(run)
    labels = loading.samples(study).labels
    every = latent_views.coordinates(latents, way)
    return landing.still(every[row], labels, plots.frame_of(every[row]), dark)
