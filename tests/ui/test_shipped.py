"""Every page on every shipped run, without a browser; one of each study also in a real one."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.store.run import Run
from mmvae_core.store.study import SHIPPED, studies
from tests.ui.conftest import html_of
from tests.ui.test_pages import PAGES

RUNS = [run for study in studies() for run in study.runs()]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_every_page_shows_the_run(open_app: Callable[..., AppTest], run: Run) -> None:
    study, name = run.id.split("/")
    app = open_app("order", SHIPPED, study=study, run=name)
    for page in PAGES:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
        assert not app.error, page
        text = unescape(re.sub(r"<[^>]*>", " ", html_of(app)))
        assert not re.search(r"\b(nan|inf)\b", text, re.I), page
        assert run.card.weights[:12] in text, page
        assert app.session_state["_here"].run.folder.name == name
        if page == "masks":
            assert text.count("nothing") >= 1
            assert html_of(app).count('</th><td><span class="bar">') >= 2 ** len(run.config.names)
