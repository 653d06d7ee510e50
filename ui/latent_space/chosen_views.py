"""The items chosen on a map: what they are, what lies nearest, and how to take them home."""

import numpy as np
import streamlit as st

from mmvae_core.geometry import nearest
from mmvae_core.store.run import Latents
from ui.latent_space.exports import MapTable
from ui.shared import latent_views, views
from ui.shell import loading, messages, state
from ui.shell.state import Here

NEIGHBOURS = 6


def chosen_items(here: Here, latents: Latents, row: int) -> None:
    """The chosen items, or the one that the sidebar names, with all their modalities."""
    chosen = state.chosen(here.study)
    if chosen:
        st.button("Drop the choice", on_click=state.choose, args=(here.study, ()))
        views.selection_summary(here.study, chosen, latents.rate[row])
    else:
        messages.html(
            "<p>Draw a lasso or a box around points, or click one: the items appear here with "
            "all their modalities. Below is the item that the sidebar names.</p>"
        )
    items = chosen or (here.item,)
    views.items_grid(here.study, here.run.config.modalities, items, here.item)
    first = f"first {views.MOST_ITEMS} of {len(items)} items shown"
    views.source(
        *([first] if len(items) > views.MOST_ITEMS else []),
        "a click on an item rings its point, here and on every page",
        f"rate: KL(q(z | {here.subset}) ‖ p(z)) per item, "
        f"{views.rate_source(here.run, here.subset)}",
        views.run_mark(here.run),
    )


def neighbours(here: Here, latents: Latents, row: int) -> None:
    """What lies nearest to the item at hand in the latent space, not on the map."""
    st.subheader(messages.literal(f"Nearest to item {here.item} in the latent space"), anchor=False)
    scale = loading.prior_scale(here.run)
    ids, distance = nearest(latents.mean[row], scale, here.item, NEIGHBOURS)
    if not len(ids) or (latents.mean[row] == latents.mean[row, :1]).all():
        st.info(messages.literal(f"With {here.subset} shown, all items lie at one place."))
        return
    notes = [f"distance {one:.2f}" for one in distance]
    views.items_grid(here.study, here.run.config.modalities, ids.tolist(), here.item, notes)
    views.source(
        f"Euclidean distance between the means of q(z | {here.subset}) in all "
        f"{latents.mean.shape[-1]} latents, each divided by the prior's standard deviation; exact",
        views.run_mark(here.run),
    )


def downloads(here: Here, latents: Latents, row: int, way: str) -> None:
    """The chosen items, all if none is chosen, as CSV and npz; made when asked for."""
    chosen = state.chosen(here.study)
    table = MapTable(
        ids=np.arange(latents.mean.shape[1]),
        labels=loading.samples(here.study).labels,
        mean=latents.mean[row],
        scale=latents.stddev[row],
        where=latent_views.coordinates(latents, way)[row],
        projection=way,
        mask=here.mask,
        names=here.names,
        run=here.run.id,
        run_hash=loading.run_hash(here.run),
    ).only(chosen)
    name = f"{here.run.folder.name}-{here.subset}-{len(table.ids)}-items"
    with st.container(horizontal=True):
        for ending, make in (("csv", table.csv), ("npz", table.npz)):
            st.download_button(
                f"{len(table.ids):,} item{'s' * (len(table.ids) != 1)} as {ending.upper()}",
                make,
                f"{name}.{ending}",
                key=f"export_{ending}",
                on_click="ignore",
            )
    views.source(
        "ids, labels, coordinates, means and standard deviations of q(z | "
        f"{here.subset}), mask and run hash",
        "all items where none is chosen",
        views.run_mark(here.run),
    )
