"""Small studies on disk, and the app over them without a browser."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.studies import build, write_opening

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture(scope="session")
def with_openings(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same studies, of which two have an opening, and one of these a picture."""
    root = tmp_path_factory.mktemp("openings") / "checkpoints"
    shutil.copytree(checkpoints, root)
    digits = {"generate": ("handwriting", "word"), "compare": ("word",)}
    write_opening(root / "digits", "self_attention-masked", 17, digits, picture=True)
    write_opening(root / "five", "mopoe", 3, {"generate": ("part0", "part1")})
    return root


@pytest.fixture
def open_app(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a page as a link does: `open_app("masks", mask="photo")`."""

    def opened(page: str = "latent_space", root: Path = checkpoints, **query: object) -> AppTest:
        monkeypatch.setattr(sys, "argv", ["app.py", "--checkpoints", str(root)])
        app = AppTest.from_file(APP, default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = value
        return (app if page == "start" else app.switch_page(f"pages/{page}.py")).run()

    return opened


def html_of(app: AppTest) -> str:
    """All HTML that a page drew, without the marks of words and their explanations."""
    told = re.sub(r'<span class="tip" .*?</span>', "", marked_of(app))
    return re.sub(r'<span class="term"[^>]*>(.*?)</span>', r"\1", told)


def marked_of(app: AppTest) -> str:
    """All HTML that a page drew."""
    return " ".join(element.proto.body for element in app.get("html"))
