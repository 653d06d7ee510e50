"""Train further models of the study at hand, in processes that outlive the page."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.shell import state  # noqa: E402
from ui.train import order_views, training_views  # noqa: E402

here = state.here()
if order_views.is_allowed():
    order_views.order(here)
st.subheader("Trainings", anchor=False)
training_views.trainings(here)
