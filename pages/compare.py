"""Two to four runs on the same item, mask and noise, and what was measured of them."""

import streamlit as st

from ui import frame

frame.enter()

from ui import compare_views, loading, mask_views, state, views, widgets  # noqa: E402

DRAWS = 8

here = state.here()
runs = widgets.pick_runs(here.run, loading.runs(here.study))
if len(runs) < 2:
    st.info("Choose at least two runs.")
    st.stop()

mask_views.item_head(here)
compare_views.item(here)
compare_views.generations(here, runs, DRAWS)
views.source(f"the same noise for all: {DRAWS} draws of z, seed {here.seed}",
             "latent axes of different models are not comparable and never overlaid")

st.subheader("Measured on test items", anchor=False)
compare_views.figures(runs)
