"""The least that Streamlit can do: one click, one other picture."""

import numpy as np
import streamlit as st

st.button("Another picture")
turn = st.session_state["turn"] = st.session_state.get("turn", 0) + 1
st.image(np.full((64, 64, 3), 40 * turn % 256, np.uint8))
