"""Where test items lie in the latent space of a run, under a mask. Needs no torch."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.components import touch  # noqa: E402
from ui.latent_space import chosen_views  # noqa: E402
from ui.shared import latent_views, map_touch_views, map_words  # noqa: E402
from ui.shell import loading, state  # noqa: E402

here = state.here()
latents = loading.latents(here.run)
row = loading.row_of(latents, here.mask)
with st.container(horizontal=True, gap="large"):
    way = latent_views.pick_projection(latents)
    colour = latent_views.pick_colour(here, latents)
    prior = latent_views.pick_prior(here)

glide = latent_views.latent_map(here, latents, row, way, colour, prior)
touch.items_answer(state.take_item, glide)
map_touch_views.answer(here, [latent_views.KEY])
map_words.map_caption(here, latents, row, way, colour)
map_words.prior_caption(here, way, prior)

st.subheader("The chosen items", anchor=False)
chosen_views.chosen_items(here, latents, row)
chosen_views.neighbours(here, latents, row)

st.subheader("Take them home", anchor=False)
chosen_views.downloads(here, latents, row, way)
