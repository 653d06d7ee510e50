"""Drag through the latent space, and see what each latent by itself changes."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.shell import state  # noqa: E402
from ui.traverse import drag_views, strip_views, traverse_views  # noqa: E402

here = state.here()
generated = traverse_views.posterior(here, here.item)
left, right = st.columns([3, 2])
with left:
    way = traverse_views.pick_way(here, generated)
with right:
    scale, whose = traverse_views.pick_scale(here, generated)

chosen = traverse_views.pick_plane(here, generated, way, scale, whose)
drag_views.drag(here, chosen)

st.subheader("One latent at a time", anchor=False)
strip_views.strips(here, generated, scale, whose)
