"""What the core or a file says becomes one plain sentence on the page, and nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mmvae_core.errors import MMVAEError

ACTIVE = re.compile(r"([\\\[\]!<>&$:*~#]|(?<=www)\.)")
"""What pictures, links, HTML, formulas, icons and emphasis begin with, in Streamlit's Markdown."""


def literal(text: object) -> str:
    """Markdown that shows a text as it is, with what stands between backticks as code.

    Text from links and files may hold anything: no picture is fetched for it, no link made.
    """
    pieces = re.sub("`+", "`", " ".join(str(text).split())).split("`")
    last = len(pieces) - 1
    inside = [index % 2 == 1 and index < last for index in range(len(pieces))]
    return "`".join(
        piece if is_code else ACTIVE.sub(r"\\\1", piece)
        for piece, is_code in zip(pieces, inside, strict=True)
    )


@contextmanager
def plainly() -> Iterator[None]:
    """Show an MMVAEError as a message and end the page there; anything else passes."""
    try:
        yield
    except MMVAEError as error:
        st.error(literal(error))
        st.stop()
