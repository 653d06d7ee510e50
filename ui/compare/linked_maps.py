"""Two runs' maps of the same items, with one choice for both; or one laid onto the other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from mmvae_core.geometry import procrustes
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.components import touch
from ui.draw import compare_plots, plots
from ui.draw.compare_plots import letter
from ui.shared import latent_views, map_touch_views, map_words, views
from ui.shell import caching, choice, loading, messages, state
from ui.shell.messages import plainly
from ui.shell.state import Here

BESIDE, ALIGNED = "side by side", "laid onto each other"
KEYS = ("map_0", "map_1")
HEIGHT = 470
SHOWN = 12


@st.fragment
def two_maps(here: Here, runs: Sequence[Run]) -> None:
    """The maps of two of the compared runs. A fragment: choosing points redraws nothing else."""
    with plainly():
        known = {
            f"{letter(index)} · {loading.title(run)}": run
            for index, run in enumerate(runs)
            if run.is_evaluated
        }
        if len(known) < 2:
            st.info(
                messages.literal(
                    "Maps need two evaluated runs; `python -m mmvae_core evaluate "
                    f"{runs[0].named} --save` makes one of them ready."
                )
            )
            return
        with st.container(horizontal=True, gap="large"):
            how = st.segmented_control(
                "Two maps",
                [BESIDE, ALIGNED],
                default=BESIDE,
                required=True,
                key="maps",
                bind="query-params",
            )
            way = latent_views.pick_projection(loading.latents(next(iter(known.values()))))
        names = [_pick(column, list(known), index) for index, column in enumerate(st.columns(2))]
        pair = [(name[0], replace(here, run=known[name])) for name in names]
        (_overlaid if how == ALIGNED else _beside)(pair, way)


def of_embeddings(here: Here, runs: Sequence[Run]) -> None:
    """The maps alone, where there is no model to ask."""
    views.paint_first()
    two_maps(here, runs)
    touch.items_answer(state.take_item)
    map_touch_views.answer(here, KEYS)


def _pick(column: Any, names: list[str], index: int) -> str:
    with column:
        return st.selectbox(("First", "Second")[index], names, index, key=f"map_of_{index}")


def _beside(pair: Sequence[tuple[str, Here]], way: str) -> None:
    here = pair[0][1]
    for index, (column, (_, one)) in enumerate(zip(st.columns(2), pair, strict=True)):
        latents = loading.latents(one.run)
        row = loading.row_of(latents, one.mask)
        with column:
            latent_views.chart(
                one,
                KEYS[index],
                (row, None),
                (way, latent_views.CLASS),
                height=HEIGHT,
                webgl_from=plots.STILL_WEBGL_FROM,
            )
            views.source(
                f"all {latents.mean.shape[1]:,} test items",
                map_words.what(way),
                views.run_mark(one.run),
            )
    messages.html(
        '<p class="source">Each map has its own axes; what is chosen on one is lit on the other.</p>'
    )
    chosen = choice.chosen(here.study)
    if not chosen:
        return
    st.button("Drop the choice", on_click=choice.choose, args=(here.study, ()))
    views.items_grid(here.study, here.run.config.modalities, chosen[:SHOWN], here.item)
    views.source(
        f"{min(SHOWN, len(chosen))} of {len(chosen)} chosen items shown",
        "a click on an item rings its point",
    )


def _overlaid(pair: Sequence[tuple[str, Here]], way: str) -> None:
    (first, left), (second, right) = pair
    lit = choice.chosen(left.study)
    figure, residual = _overlay(
        left.study,
        left.run,
        right.run,
        left.mask,
        (first, second),
        lit,
        state.is_dark(),
    )
    axes = "the two latent axes" if way == latent_views.RAW else "principal axes"
    count = len(loading.samples(left.study))
    views.facts(
        [("Residual of the alignment", f"{residual:.3f}", "0: a turned copy, 1: no relation")]
    )
    st.plotly_chart(
        views.for_room(figure),
        theme=None,
        key="map_overlay",
        config={"displaylogo": False},
        alt=(
            f"{count} test items by {first} (filled) and by {second} (hollow) on {axes} of {first}; "
            f"residual {residual:.3f} of the variance."
        ),
    )
    views.source(
        f"all {count:,} test items, filled by {first}, hollow by {second}, on {axes} of {first}",
        f"{second} is laid onto {first} by Procrustes: one shift, rotation or reflection, and "
        f"scale over all latents, fitted to the means of q(z | {left.subset})",
        "residual: share of the variance that is left, exact",
        views.run_mark(left.run),
        views.run_mark(right.run),
    )


@caching.resource(max_entries=16)
def _overlay(
    study: Study,
    left: Run,
    right: Run,
    mask: tuple[bool, ...],
    letters: tuple[str, str],
    lit: tuple[int, ...],
    dark: bool,
) -> tuple[Any, float]:
    from mmvae_core.projections import fit_pca

    here, there = loading.latents(left), loading.latents(right)
    target = here.mean[loading.row_of(here, mask)]
    placed, residual = procrustes(target, there.mean[loading.row_of(there, mask)])
    centre, axes = np.zeros(2), np.eye(2)
    way = latent_views.RAW if target.shape[1] == 2 else latent_views.PCA
    if way == latent_views.PCA:
        centre, axes, _ = fit_pca(here.mean[-1].astype(float))
    where, moved = (target - centre) @ axes.T, (placed - centre) @ axes.T
    labels = loading.samples(study).labels.astype(int)
    points = plots.Points(
        where, np.arange(len(labels)), labels, lit=latent_views.is_lit(len(labels), lit)
    )
    frame = plots.Axes(
        latent_views.titles(here, way), *plots.frame_of(np.stack([where, moved])), equal=True
    )
    figure = compare_plots.overlay(points, moved, frame, views.classes_of(study), letters, dark)
    return figure, residual
