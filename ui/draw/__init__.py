"""Figures, colours and tables: arrays in, figure or HTML out; no Streamlit, no torch."""
