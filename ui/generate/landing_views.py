"""Where something given lands among the test items, and which of them are nearest."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from mmvae_core.geometry import nearest_to
from mmvae_core.store.run import Latents
from ui.draw import landing, plots
from ui.draw.marks import class_html, class_name
from ui.shared import latent_views, views
from ui.shell import loading, messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated

NEAREST = 8


def landed(here: Here, made: "Generated", names: tuple[str, ...]) -> None:
    """The map under the subset of `names` with the posterior's mean on it, and its neighbours."""
    latents = loading.latents(here.run)
    mask = tuple(name in names for name in here.names)
    row, way = loading.row_of(latents, mask), latent_views.pick_projection(latents)
    nearest, distances = nearest_to(latents.mean[row], made.mean, NEAREST)
    where = _place(str(here.run.folder), loading.stamp(here.run), here, way, made.mean)
    picture = _still(str(here.run.folder), loading.stamp(here.run), here, row, way, state.is_dark())
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
        messages.html(f'<p class="plain"><b>Nearest test items.</b> {said}</p>')
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


def _place(
    folder: str, age: tuple[int, ...], here: Here, way: str, point: np.ndarray
) -> np.ndarray:
    from mmvae_core import projections  # late: brings scikit-learn

    full = loading.latents(here.run).mean[-1]
    if way == latent_views.RAW:
        return point
    if way == latent_views.PCA:
        centre, axes = _pca(folder, age, here)
        return axes @ (point.astype(float) - centre)
    return projections.place(
        _search(folder, age, here),
        loading.latents(here.run).umap[-1],
        point[None].astype(full.dtype),
    )[0]


@st.cache_resource(show_spinner=False, max_entries=16)
def _pca(folder: str, age: tuple[int, ...], _here: Here) -> tuple[np.ndarray, np.ndarray]:
    from mmvae_core import projections

    centre, axes, _ = projections.fit_pca(loading.latents(_here.run).mean[-1].astype(float))
    return centre, axes


@st.cache_resource(show_spinner=False, max_entries=16)
def _search(folder: str, age: tuple[int, ...], _here: Here) -> Any:
    from sklearn.neighbors import NearestNeighbors

    from mmvae_core.projections import NEIGHBOURS

    full = loading.latents(_here.run).mean[-1]
    return NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(full) - 1)).fit(full)


@st.cache_resource(show_spinner=False, max_entries=64)
def _still(
    folder: str, age: tuple[int, ...], _here: Here, row: int, way: str, dark: bool
) -> landing.Still:
    latents: Latents = loading.latents(_here.run)
    labels = loading.samples(_here.study).labels
    every = latent_views.coordinates(latents, way)
    return landing.still(every[row], labels, plots.frame_of(every[row]), dark)
