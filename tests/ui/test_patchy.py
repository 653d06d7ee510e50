"""Every page opens on items that lack modalities, entries and labels."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.evaluation.report import evaluate_run, save_evaluation
from mmvae_core.store.study import find_study
from tests import patchy
from tests.ui.conftest import html_of
from tests.ui.test_pages import PAGES


@pytest.fixture(scope="module", params=["some", "none"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp(request.param)
    run = patchy.write_study(root, request.param)
    study = find_study(run)
    for one in study.runs():
        save_evaluation(one, *evaluate_run(one, study))
    return root


@pytest.mark.parametrize("item", ["0", "1", "2"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens(page: str, item: str, root: Path, open_app: Callable[..., AppTest]) -> None:
    app = open_app(page, root=root, item=item)
    assert not app.exception
    assert [one.value for one in app.error] == []
    said = html_of(app)
    assert "nan" not in said.replace("finance", "").lower().split()
    assert "<b>mouse" not in said and "mouse 0 <b>" not in said


def test_a_mask_offers_what_the_item_has(root: Path, open_app: Callable[..., AppTest]) -> None:
    item = patchy.samples().item(2)
    assert set(item) < set(patchy.NAMES)
    app = open_app("masks", root=root, item="2")
    said = html_of(app)
    lacking = [name for name in patchy.NAMES if name not in item]
    assert f"Item 2 has no {' and no '.join(lacking)}" in said
    assert "mouse 2 &lt;b&gt;" in said
    assert f"{2 ** len(item)} of 16 subsets, as the item has no" in said


def test_a_study_made_anew_under_its_runs_is_named(
    root: Path, open_app: Callable[..., AppTest], tmp_path: Path
) -> None:
    shutil.copytree(root, tmp_path / "other")
    card = tmp_path / "other" / "patchy" / "poe" / "card.json"
    card.write_text(card.read_text().replace('"seed"', f'"study": "{"b" * 12}",\n "seed"', 1))
    app = open_app("masks", root=tmp_path / "other")
    (said,) = [one.value for one in app.error]
    assert "poe cannot be opened" in said
    assert "was trained on data with the hash bbbbbbbbbbbb" in said
    assert "train the run anew" in said


def test_an_item_is_found_named_and_linked_by_its_own_name(
    root: Path, open_app: Callable[..., AppTest]
) -> None:
    app = open_app("latent_space", root=root, name="mouse 7 <b>")
    assert not app.exception and not app.warning
    assert app.number_input(key="item").value == 7
    app = app.text_input(key="find_name").set_value("mouse 12").run()
    assert app.number_input(key="item").value == 12 and not app.error
    assert "item 12, mouse 12 &lt;b&gt;" in html_of(app)
    app = app.text_input(key="find_name").set_value("rat").run()
    assert app.number_input(key="item").value == 12
    assert "No test item is called" in app.error[0].value
    assert open_app("latent_space", root=root, name="rat").warning


@pytest.mark.parametrize("colour", ["annotation site", "annotation age", "entry of lab"])
def test_a_map_is_coloured_by_what_the_data_say(
    colour: str, root: Path, open_app: Callable[..., AppTest]
) -> None:
    app = open_app("latent_space", root=root, colour=colour, entry="3")
    assert not app.exception and not app.error and not app.warning
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    samples, marks = patchy.samples(), {}
    for trace in figure["data"]:
        colours = trace["marker"].get("color")
        for place, item in enumerate(decoded(trace["customdata"])):
            named = colour == "annotation site" or isinstance(colours, str)
            marks[int(item)] = trace["name"] if named else decoded(colours)[place]
    assert sorted(marks) == list(range(patchy.ITEMS))
    for item, mark in marks.items():
        if colour == "annotation site":
            code = int(samples.notes["site"][item])
            assert mark == ("no label" if code < 0 else ("north", "south")[code])
            continue
        value = samples.notes["age"][item]
        if colour.startswith("entry"):
            value = samples.data["lab"][item, 3] if samples.has("lab")[item] else np.nan
        assert mark == "no value" if np.isnan(value) else mark == pytest.approx(value, rel=1e-6)


def decoded(values: Any) -> list[float]:
    """An array of a figure, as plotly writes it."""
    if not isinstance(values, dict):
        return list(values)
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()
