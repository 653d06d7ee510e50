"""One item under every mask: what is known, what each modality adds, what is made up."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.masks import lattice_views  # noqa: E402
from ui.shared import live_views, mask_views, views  # noqa: E402
from ui.shell import answers, loading, state  # noqa: E402

DRAWS = 8

here, live = state.here(), st.container()
plane = lattice_views.plane(here)
lattice = answers.lattice(here.run, here.study, here.item, here.mask, DRAWS, here.seed, plane)
node = lattice.node(lattice.row(here.mask))
stored = loading.item_values(here.study, here.item, here.names)

mask_views.item_head(here)
st.subheader("What the model makes of it", anchor=False)
if not here.shown:
    mask_views.what_nothing_is(here, lattice)
given = {name: stored[name] for name in here.shown if name in stored}
for column, modality in zip(
    st.columns(len(here.names), gap="large"), here.run.config.modalities, strict=True
):
    with column:
        views.modality_panel(
            here,
            modality,
            stored.get(modality.name),
            node,
            modality.name in given,
            views.truth_of(here, given),
        )
views.source(
    f"E[x | z] at {DRAWS} draws of z",
    f"seed {here.seed}",
    views.judges_source(here.study),
    views.run_mark(here.run),
)
mask_views.mask_facts(here, lattice)

st.subheader("Every mask of this item", anchor=False)
lattice_views.keys(here)
lattice_views.shares(here, lattice)
lattice_views.draw_lattice(here, lattice, plane)
mask_views.all_subsets(here, lattice)

with live:
    live_views.live(here, live_views.Way(DRAWS), live_views.of_item(here))
