"""Every page on shipped runs of every form, without a browser; one of each study in a real one."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from msgspec.structs import replace
from streamlit.testing.v1 import AppTest

from mmvae_core.explore.lattice import masks_near
from mmvae_core.store.run import Run
from mmvae_core.store.study import SHIPPED, studies
from tests.ui.conftest import html_of
from tests.ui.test_pages import PAGES
from ui.draw.tables import MOST_SUBSETS

RUNS = [run for study in studies() for run in study.runs()]


def _form(run: Run) -> str:
    """What a run's pages may depend on beside its numbers: all that it is, but not its training."""
    config = run.config
    plain = replace(config, objective=RUNS[0].config.objective, training=RUNS[0].config.training)
    return f"{plain} {run.priors} {run.is_evaluated} {run.is_measured}"


FIRST = {_form(run): run for run in reversed(RUNS)}
"""The first run of each form, which is opened on every page; the others where all numbers stand."""
NUMBERS = ("masks", "compare")


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_every_page_shows_the_run(open_app: Callable[..., AppTest], run: Run) -> None:
    study, name = run.id.split("/")
    app = open_app("order", SHIPPED, study=study, run=name)
    for page in PAGES if run == FIRST[_form(run)] else NUMBERS:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
        assert not app.error, page
        text = unescape(re.sub(r"<[^>]*>", " ", html_of(app)))
        assert not re.search(r"\b(nan|inf)\b", text, re.I), page
        assert run.card.weights[:12] in text, page
        assert app.session_state["_here"].run.folder.name == name
        if page == "masks":
            assert "nothing" in text or 2 ** len(run.config.names) > MOST_SUBSETS
            assert html_of(app).count('<span class="bar">') >= len(
                masks_near((True,) * len(run.config.names))
            )
