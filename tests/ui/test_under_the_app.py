"""Runs and studies that are written, replaced or deleted while the app shows them."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import html_of
from tests.ui.test_pages import PAGES
from ui.shell import caching

Open = Callable[..., AppTest]
RUN, OTHER = "sum_pooling-masked", "moe-masked"
PAGES_OF_RUNS = [*PAGES, "train"]


@pytest.fixture
def root(checkpoints: Path, tmp_path: Path) -> Path:
    """A study with two runs."""
    place = tmp_path / "studies"
    shutil.copytree(checkpoints / "digits", place / "digits", ignore=lambda at, names: [
        name for name in names if name.endswith(("-masked", "-mixture")) and name not in (RUN, OTHER)
    ])  # fmt: skip
    return place


def one_sentence(app: AppTest) -> None:
    """The page draws, or says in whole sentences what is wrong."""
    assert not app.exception
    assert all(one.value.rstrip().endswith((".", "`")) for one in (*app.error, *app.warning))


@pytest.mark.parametrize("page", PAGES_OF_RUNS)
def test_what_goes_and_comes_back_under_the_app(page: str, open_app: Open, root: Path) -> None:
    app = open_app(page, root, study="digits", run=RUN)
    one_sentence(app)
    before, run, away = html_of(app), root / "digits" / RUN, root.parent / "away"
    run.rename(away)
    one_sentence(app.run())
    assert app.session_state["_here"].run.folder.name == OTHER
    away.rename(run)
    app.run().selectbox(key="run").set_value(RUN).run()
    one_sentence(app)
    assert not app.error
    assert html_of(app) == before
    (root / "digits").rename(away)  # the study, and with it all that there is
    one_sentence(app.run())
    assert "There is no trained run" in app.error[0].value
    away.rename(root / "digits")
    app = app.run()
    one_sentence(app)
    assert not app.error
    for name in ("weights.safetensors", "card.json"):
        kept = (run / name).rename(root.parent / name)  # as while it is copied
        one_sentence(app.run())
        kept.rename(run / name)
    shutil.copytree(root / "digits" / OTHER, run, dirs_exist_ok=True)  # another one in its place
    app = app.run()
    one_sentence(app)
    assert not app.error


@pytest.mark.parametrize("count", [1, pytest.param(12, marks=pytest.mark.long)])
@pytest.mark.parametrize("page", PAGES_OF_RUNS)
def test_a_run_that_goes_while_a_page_is_drawn(
    page: str, count: int, open_app: Open, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At moments of the drawing, by the files that are looked at."""
    looked, gone_at, age = 0, -1, caching.age
    run, away = root / "digits" / RUN, root.parent / "away"

    def looking(path: Path) -> int:
        nonlocal looked
        looked += 1
        found = age(path)
        if looked == gone_at and run.exists():
            run.rename(away)
        return found

    monkeypatch.setattr(caching, "age", looking)
    open_app(page, root, study="digits", run=RUN)
    moments = range(1, looked + 1)
    for gone_at in random.Random(page).sample(moments, count):
        looked = 0
        app = open_app(page, root, study="digits", run=RUN, item=str(gone_at % 30))
        one_sentence(app)
        if away.exists():
            away.rename(run)
