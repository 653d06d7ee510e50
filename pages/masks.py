"""One item under a mask: what is known, and what every modality looks like from it."""

import streamlit as st

from ui import frame

frame.enter()

from ui import loading, mask_views, state, views  # noqa: E402

DRAWS = 8

here = state.here()
latents = loading.latents(here.run)
mask_views.item_head(here)
mask_views.mask_facts(here, latents)

st.subheader("What the model makes of it", anchor=False)
stored = loading.item_values(here.study, here.item, here.names)
given = {name: stored[name] for name in here.shown}
made = loading.generated(here.run, given, DRAWS, here.seed)
if not here.shown:
    st.info("Nothing is shown: these are draws from the prior p(z), the same for every item.")
for column, modality in zip(st.columns(len(here.names), gap="large"), here.run.config.modalities,
                            strict=True):
    with column:
        views.modality_panel(here, modality, stored[modality.name], made, modality.name in given,
                             views.truth_of(here, given))
views.source(f"E[x | z] at {DRAWS} draws of z", f"seed {here.seed}",
             "judges trained on real data only", views.run_mark(here.run))

st.subheader("Every mask of this item", anchor=False)
mask_views.all_subsets(here, latents)
