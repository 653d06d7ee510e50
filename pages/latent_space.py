"""Where test items lie in the latent space of a run, under a mask. Needs no torch."""

import streamlit as st

from ui import frame

frame.enter()

from ui import latent_views, loading, state, views, widgets  # noqa: E402

here = state.here()
latents = loading.latents(here.run)
row = loading.row_of(latents, here.mask)
way = latent_views.pick_projection(latents)

chosen = latent_views.latent_map(here, latents, row, way)
latent_views.map_caption(here, latents, row, way)

st.subheader("The chosen items", anchor=False)
if not chosen:
    st.html("<p>Draw a lasso or a box around points, or click one: the items appear here with all "
            "their modalities. Below is the item that the sidebar names.</p>")
else:
    st.html('<p class="source">A double click on the map drops the choice; gliding needs that.</p>')
items = chosen or [here.item]
widgets.take_item(chosen, here.item)
views.selection_summary(here.study, items, latents.rate[row])
views.items_grid(here.study, here.run.config.modalities, items)
latent_views.selection_caption(here, row, len(items))
