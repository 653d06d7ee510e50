"""Two to four runs on the same item, mask and noise, and what was measured of them."""

import streamlit as st

from ui.shell import frame, messages

frame.enter()

from ui.compare import compare_views, linked_maps, trade_off_views  # noqa: E402
from ui.components import touch  # noqa: E402
from ui.shared import mask_views, views  # noqa: E402
from ui.shell import loading, state, widgets  # noqa: E402

here = state.here()
runs = widgets.pick_runs(here.study, here.run, loading.runs(here.study))
if len(runs) < 2:
    st.info(
        "Choose at least two runs. Those with the modalities and the latent size of the model "
        "in the sidebar can be compared."
    )
    raise messages.PageEnd
compare_views.unequal_note(runs)
with st.container(horizontal=True, gap="large", vertical_alignment="bottom"):
    draws = widgets.pick_draws()
    difference = st.toggle("Differences to the first run", key="difference", bind="query-params")

mask_views.item_head(here)
compare_views.item(here)
made = compare_views.make(here, runs, draws)
compare_views.item_figures(here, made)
compare_views.generations(here, made, difference)

st.subheader("What one buys with the other", anchor=False)
trade_off_views.trade_offs(here, runs)

st.subheader("The same items in two latent spaces", anchor=False)
views.paint_first()
linked_maps.two_maps(here, runs)
touch.items_answer(state.take_item)

st.subheader("Measured on test items", anchor=False)
compare_views.figures(runs)
