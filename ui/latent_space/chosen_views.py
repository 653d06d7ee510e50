"""The items chosen on a map: what they are, what lies nearest, and how to take them home."""

import numpy as np
import streamlit as st

from mmvae_core.geometry import nearest
from mmvae_core.store.run import Latents
from ui.latent_space.exports import MapTable
from ui.shared import latent_views, views
from ui.shell import answers, choice, loading, messages
from ui.shell.state import Here

NEIGHBOURS = 6


def chosen_items(here: Here, latents: Latents, row: int) -> None:
    """The chosen items, or the one that the sidebar names, with all their modalities."""
    chosen = choice.chosen(here.study)
    _named(here, chosen)
    if chosen:
        rates = latents.rate[row] if latents.has_width else None
        views.selection_summary(here.study, chosen, rates)
    else:
        messages.html(
            "<p>Draw a lasso or a box around points: the items appear here with all their "
            "modalities. A click on a point makes it the item of every page, shown below.</p>"
        )
    items = chosen or (here.item,)
    views.items_grid(here.study, here.run.config.modalities, items, here.item)
    first = f"first {views.MOST_ITEMS} of {len(items)} items shown"
    views.source(
        *([first] if len(items) > views.MOST_ITEMS else []),
        "a click on an item rings its point, here and on every page",
        f"rate: KL(q(z | {here.subset}) ‖ p(z)) per item, "
        f"{views.rate_source(here.run, here.subset)}"
        if latents.has_width
        else "",
        views.run_mark(here.run),
    )


def _named(here: Here, chosen: tuple[int, ...]) -> None:
    """The present choice can be dropped or given a name; those that have one come back by it."""
    kept = choice.named(here.study)
    if not chosen and not kept:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if chosen:
            st.button("Drop the choice", on_click=choice.choose, args=(here.study, ()))
        for name, ids in kept.items():
            is_present = ids == chosen
            st.button(
                messages.literal(f"Forget {name}" if is_present else f"{name} ({len(ids)})"),
                on_click=choice.forget if is_present else choice.choose,
                args=(here.study, name if is_present else ids),
                key=f"set_{name}",
            )
        if chosen and chosen not in kept.values():
            st.text_input(
                "Keep the choice by name",
                key="set_name",
                max_chars=choice.LONGEST_NAME,
                on_change=lambda: _keep(here),
                width=260,
            )


def _keep(here: Here) -> None:
    choice.keep(here.study, st.session_state["set_name"])
    st.session_state["set_name"] = ""


def neighbours(here: Here, latents: Latents, row: int) -> None:
    """What lies nearest to the item at hand in the latent space, not on the map."""
    st.subheader(
        messages.literal(
            f"Nearest to {views.item_name(here.study, here.item)} in the latent space"
        ),
        anchor=False,
    )
    scale = answers.prior_scale(here.run)
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
    chosen = choice.chosen(here.study)
    table = MapTable(
        ids=np.arange(latents.mean.shape[1]),
        labels=loading.samples(here.study).labels,
        mean=latents.mean[row],
        scale=latents.stddev[row] if latents.has_width else latents.stddev[row][:, :0],
        where=latent_views.coordinates(latents, way)[row],
        projection=way,
        mask=here.mask,
        names=here.names,
        called=loading.samples(here.study).ids,
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
