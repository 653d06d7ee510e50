"""Own components: what Streamlit's widgets cannot do, without an iframe."""
