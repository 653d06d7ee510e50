"""Two to four runs on the same item, mask and noise, and what was measured of them."""

import streamlit as st

from ui.shell import frame, messages

frame.enter()

from ui.compare import compare_views, linked_maps, spread_views, trade_off_views  # noqa: E402
from ui.components import touch  # noqa: E402
from ui.shared import map_touch_views, mask_views, views  # noqa: E402
from ui.shell import loading, state, widgets  # noqa: E402

here, live = state.here(), st.container()
runs = widgets.pick_runs(here.study, here.run, loading.runs(here.study))
if len(runs) < 2:
    st.info(
        "Choose at least two runs. Those with the modalities and the latent size of the model "
        "in the sidebar can be compared."
    )
    raise messages.PageEnd
if not all(run.has_model for run in runs):
    linked_maps.of_embeddings(here, runs)
    raise messages.PageEnd
compare_views.unequal_note(runs)
choices, thing = st.columns([1, 2], gap="large")
with choices:
    draws = widgets.pick_draws()
    difference = st.toggle("Differences to the first run", key="difference", bind="query-params")

with thing:
    compare_views.item(here)
    mask_views.item_head(here)
renderings = compare_views.make(here, runs, draws)
compare_views.generations(here, renderings, difference)
compare_views.item_figures(here, renderings)
with live:
    compare_views.live(here, runs, draws)

st.subheader("What one buys with the other", anchor=False)
trade_off_views.trade_offs(here, runs)
spread_views.by_beta(here)

st.subheader("The same items in two latent spaces", anchor=False)
views.paint_first()
linked_maps.two_maps(here, runs)
touch.items_answer(state.take_item)
map_touch_views.answer(here, linked_maps.KEYS)

st.subheader("Measured on test items", anchor=False)
compare_views.figures(runs)
spread_views.by_seed(here)
