"""What is dropped on the app opens: a run in a zip, and embeddings that have no model."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.explore.embeddings import embed
from mmvae_core.store.bringing import pack
from mmvae_core.store.run import Run
from tests.core.explore.test_embeddings import arrays, write
from tests.ui.conftest import APP, html_of
from tests.ui.test_pages import PAGES


@pytest.fixture
def dropped(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AppTest]:
    def opened(*files: Path, options: tuple[str, ...] = ()) -> AppTest:
        given = ["--checkpoints", str(checkpoints), "--runs", str(tmp_path / "runs"), *options]
        monkeypatch.setattr(sys, "argv", ["app.py", *given])
        app = AppTest.from_file(APP, default_timeout=60)
        app = app.switch_page("pages/latent_space.py").run()
        if files:
            sent = [(one.name, one.read_bytes(), "application/zip") for one in files]
            app = app.file_uploader[0].set_value(sent).run()
        return app

    return opened


def test_a_dropped_run_is_at_hand(
    dropped: Callable[..., AppTest], checkpoints: Path, tmp_path: Path
) -> None:
    run = Run(checkpoints / "five" / "mopoe")
    app = dropped(pack(run, tmp_path / "sent.zip"))
    assert not app.exception and not app.error
    assert (app.selectbox(key="study").value, app.selectbox(key="run").value) == ("five", "mopoe")
    assert (tmp_path / "runs" / "mopoe" / "weights.safetensors").is_file()
    assert str(tmp_path / "runs") in html_of(app)
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    app = app.file_uploader[0].set_value([("bad.zip", b"no zip", "application/zip")]).run()
    assert "bad.zip' cannot be read" in app.error[0].value and not app.exception


def test_dropped_embeddings_are_compared(dropped: Callable[..., AppTest], tmp_path: Path) -> None:
    files = [write(tmp_path / f"{name}.npz", arrays()) for name in ("first", "second")]
    app = dropped(*files)
    assert not app.exception and not app.error
    assert app.selectbox(key="run").value == "first"
    assert "30 test items" in html_of(app) or "all 30 test items" in html_of(app)
    app = app.switch_page("pages/compare.py").run()
    assert not app.exception and not app.error


def test_a_server_that_lets_others_in_takes_nothing(dropped: Callable[..., AppTest]) -> None:
    assert not dropped(options=("--no-training",)).get("file_uploader")


@pytest.mark.parametrize("page", PAGES)
def test_pages_show_embeddings_or_say_that_there_is_no_model(
    page: str, tmp_path_factory: pytest.TempPathFactory, open_app: Callable[..., AppTest]
) -> None:
    root = tmp_path_factory.getbasetemp() / "embedded"
    if not root.exists():
        given = {name: one for name, one in arrays().items() if not name.startswith("stddev")}
        embed(root / "mine", [write(tmp_path_factory.mktemp("npz") / "one.npz", given)], umap=False)
    app = open_app(page, root=root)
    assert not app.exception and not app.error
    if page == "latent_space":
        assert "colour" in [one.key for one in app.selectbox]
        assert "rate" not in app.selectbox(key="colour").options
    app = open_app(page, root=root, mask="")
    assert not app.exception
    if page == "latent_space":
        assert "no embeddings of the subset 00" in app.error[0].value
