"""How much there is to read on a page before anything is unfolded."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.store.study import SHIPPED
from tests.ui.conftest import html_of
from tests.ui.test_pages import PAGES

MOST = 250
"""Words; those of plots and tables are not counted."""
FOLDED = r"<(details|table|style)\b.*?</\1>"


def read_at_first(app: AppTest) -> str:
    text = re.sub(FOLDED, " ", html_of(app), flags=re.S)
    text = unescape(re.sub(r"<[^>]*>", " ", text))
    widgets = [*app.selectbox, *app.number_input, *app.button_group, *app.multiselect]
    widgets += [*app.toggle, *app.slider, *app.button]
    widgets = [one for one in widgets if not (one.key or "").startswith("find_")]  # folded away
    said = [one.value for one in (*app.info, *app.warning, *app.subheader, *app.title)]
    choices = [" ".join(one.options) for one in app.button_group]  # all others open at a click
    return " ".join([text, *(one.label for one in widgets), *said, *choices])


@pytest.mark.parametrize("page", [*PAGES, "learn", "train", "results"])
def test_a_page_has_few_words_at_first(open_app: Callable[..., AppTest], page: str) -> None:
    app = open_app(page, SHIPPED, study="digits")
    words = re.findall(r"[^\W\d_]{2,}", read_at_first(app))
    assert len(words) <= MOST, " ".join(words)
