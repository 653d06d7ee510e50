"""An error of the core becomes one plain sentence on the page."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mmvae_core.errors import MMVAEError


@contextmanager
def plainly() -> Iterator[None]:
    """Show an MMVAEError as a message and end the page there; anything else passes."""
    try:
        yield
    except MMVAEError as error:
        st.error(str(error))
        st.stop()
