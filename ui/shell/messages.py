"""What the core or a file says becomes one plain sentence on the page, and nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

from mmvae_core.errors import MMVAEError
from ui.shell.glossary import explained, listed, used_in

ACTIVE = re.compile(r"([\\\[\]!<>&$:*~#]|(?<=www)\.)")
"""What pictures, links, HTML, formulas, icons and emphasis begin with, in Streamlit's Markdown."""

_TOLD, _ASIDE = "_told", "_told_anywhere"


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


def html(text: str, aside: bool = False) -> None:
    """Draw HTML; a word of the field is explained where it first stands on the page.

    And in what is drawn `aside`, as in the sidebar, once more.
    """
    told = st.session_state.setdefault(_TOLD, set())
    fresh: set[str] = set() if aside else told
    st.html(explained(text, fresh))
    st.session_state.setdefault(_ASIDE, set()).update(fresh)


def tell(text: str) -> None:
    """Words of a text that can hold no marks, as a widget's options, are explained at the page's end."""
    st.session_state.setdefault(_ASIDE, set()).update(used_in(text))


def fold(title: str, body: str) -> None:
    """HTML that is seen once it is unfolded."""
    html(f"<details><summary>{escape(title)}</summary>{body}</details>", aside=True)


def begin() -> None:
    """At a page's start: no word has been explained yet."""
    st.session_state[_TOLD], st.session_state[_ASIDE] = set(), set()


def words() -> None:
    """At a page's end: all words that were explained on it, to be unfolded."""
    told = st.session_state.get(_ASIDE, set())
    if told:
        st.html(f"<details><summary>Words on this page</summary>{listed(told)}</details>")


class PageEnd(Exception):  # noqa: N818 (it is no error)
    """A page has said all that it can; the frame's own words still follow, as not after `st.stop`."""


@contextmanager
def plainly() -> Iterator[None]:
    """Show an MMVAEError as a message and end the page there; anything else passes."""
    try:
        yield
    except MMVAEError as error:
        st.error(literal(error))
        st.stop()
