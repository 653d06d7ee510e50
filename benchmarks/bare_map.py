"""The least that Streamlit can do: a map of as many points as a study of digits has test items."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

x, y = np.random.default_rng(0).normal(size=(2, 2_000))
st.plotly_chart(go.Figure(go.Scatter(x=x, y=y, mode="markers")))
