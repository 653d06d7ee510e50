"""One item under every mask: what is known, what each modality adds, what is made up."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.masks import lattice_views  # noqa: E402
from ui.shared import mask_views, views  # noqa: E402
from ui.shell import loading, state  # noqa: E402

DRAWS = 8

here = state.here()
plane = lattice_views.plane(here)
found = loading.lattice(here.run, here.study, here.item, here.mask, DRAWS, here.seed, plane)
made = found.node(found.row(here.mask))
stored = loading.item_values(here.study, here.item, here.names)

mask_views.item_head(here)
mask_views.mask_facts(here, found)

st.subheader("What the model makes of it", anchor=False)
if not here.shown:
    mask_views.what_nothing_is(here, found)
given = {name: stored[name] for name in here.shown}
for column, modality in zip(
    st.columns(len(here.names), gap="large"), here.run.config.modalities, strict=True
):
    with column:
        views.modality_panel(
            here,
            modality,
            stored[modality.name],
            made,
            modality.name in given,
            views.truth_of(here, given),
        )
views.source(
    f"E[x | z] at {DRAWS} draws of z",
    f"seed {here.seed}",
    views.judges_source(here.study),
    views.run_mark(here.run),
)

st.subheader("Every mask of this item", anchor=False)
lattice_views.keys(here)
lattice_views.shares(here, found)
lattice_views.lattice(here, found, plane)
mask_views.all_subsets(here, found)
