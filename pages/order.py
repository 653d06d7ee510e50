"""Another order of the modalities: what moves, and in which model."""

import streamlit as st

from ui.shell import frame, messages

frame.enter()

from ui.order import order_views  # noqa: E402
from ui.shared import mask_views, views  # noqa: E402
from ui.shell import answers, loading, state  # noqa: E402

here = state.here()
mask_views.item_head(here)
order = order_views.pick_order(here.names)
messages.html(
    '<p class="plain">What is permuted are pairs of a modality\'s feature vector and its mask: '
    "every modality keeps its own encoder, and only the place changes at which the aggregator "
    "reads what that encoder says. A sum, a product, a mixture or attention over a set cannot "
    "tell; a concatenation has other weights for every place.</p>"
)

from mmvae_core.explore import insides  # noqa: E402

runs = order_views.pick_pair(here)
if len(runs) < 2:
    messages.html(order_views.alone(here))
given = loading.item_values(here.study, here.item, here.shown)
reordered = [insides.reordered(answers.model(run), given, order) for run in runs]
order_views.changes(runs, reordered)
views.source(
    f"item {here.item}, shown: {here.subset}",
    "exact, in float32: 10⁻⁷ is rounding",
    "relative: to the largest mean or standard deviation",
    *(views.run_mark(run) for run in runs),
)
if not here.shown:
    st.info("Nothing is shown, so every place is empty and no order differs from another.")

st.subheader("What each makes of it", anchor=False)
order_views.pictures(here, runs, reordered)
views.source("E[x | z] at the mean of z, no draw", *(views.run_mark(run) for run in runs))
