"""Inside the fusion, Order, Conflict: what they draw is what the model and its report say."""

import base64
import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from mmvae_core import build
from mmvae_core.evaluation.conflict import score
from mmvae_core.evaluation.fusion import inside
from mmvae_core.evaluation.report import sample_batch
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from tests import small
from tests.test_contributing import RECIPES
from tests.ui.conftest import html_of
from ui.conflict import conflict_views
from ui.draw import fusion_plots
from ui.order import order_views

Open = Callable[..., AppTest]
SHOWN = 0.0051
"""Pages show two digits: half of the last one, and rounding, which may turn it."""


def features_of(root: Path, run: str, items: list[int]) -> tuple:
    study = Study(root / "digits")
    model = Run(study.folder / run).model()
    batch = sample_batch(model, study.samples())
    return model, model.encode(batch.data, batch.observed)[items]


def pixels(source: str) -> np.ndarray:
    """The levels of a picture in the page."""
    data = base64.b64decode(source.split("base64,")[1])
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


@pytest.mark.parametrize(
    "run", ["sum_pooling-masked", "moe-masked", "poe-mixture", "self_attention-masked"]
)
@pytest.mark.parametrize("mask", ["handwriting", ""])
def test_every_share_of_the_model_is_on_the_page(
    open_app: Open, checkpoints: Path, run: str, mask: str
) -> None:
    app = open_app("fusion", study="digits", run=run, item="3", mask=mask)
    assert not app.exception
    model, features = features_of(checkpoints, run, [3])
    subset = torch.tensor([[mask == "handwriting", False, False]])
    found = inside(model, features, subset)
    assert found is not None
    html = html_of(app)
    for part, share in zip(found.parts, found.shares[0].tolist(), strict=True):
        if share:
            (said,) = re.findall(rf">{re.escape(part)}</th><td>.*?>(-?[0-9.]+)</span>", html)
            assert float(said) == pytest.approx(share, abs=SHOWN), part
    assert html.count("not shown</td>") == 3 - bool(mask)


def test_attention_is_redrawn_with_the_mask(open_app: Open, checkpoints: Path) -> None:
    app = open_app("fusion", study="digits", run="self_attention-masked", item="3")
    before = html_of(app)
    assert len(re.findall(r'aria-label="Attention, layer \d, ', before)) == 2 * (1 + 2)
    app.button_group(key="mask").set_value(["handwriting", "word"]).run()
    after = html_of(app)
    model, features = features_of(checkpoints, "self_attention-masked", [3])
    found = inside(model, features, torch.tensor([[True, False, True]]))
    assert found is not None and found.attention is not None
    said = [float(one) for one in re.findall(r">([0-9.]+)</td>", after)]
    for weight in found.attention[:, 0].flatten().tolist():
        assert any(abs(one - weight) <= (SHOWN if weight else 0) for one in said)
    table = after.split("layer 1, head 1</figcaption>")[1].split("</table>")[0]
    rows = [
        [float(one) for one in re.findall(r'%">([0-9.]+)</td>', row)]
        for row in table.split("<tr>")[2:]
    ]
    assert [sum(row) for row in rows] == pytest.approx([1, 0, 1], abs=2 * SHOWN)
    assert [row[1] for row in rows] == [0, 0, 0]


def test_a_concatenation_has_nothing_inside_and_says_so(open_app: Open) -> None:
    app = open_app("fusion", study="digits", run="concatenation-masked")
    assert not app.exception
    assert "nothing to take apart" in html_of(app)


def test_a_contributed_aggregator_speaks_for_itself(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that CONTRIBUTING shows, and its page: its sentence, its parts, its title."""
    recipe = next(one for one in RECIPES if one.kind == "An aggregator")
    made: dict[str, Any] = {}
    exec(recipe.blocks(1, "python")[0][1], made)
    monkeypatch.setitem(
        build.AGGREGATORS,
        "mean_pooling",
        lambda run: made["MeanPooling"](
            run.features, run.latent, run.aggregator.width, build.head_maker(run)
        ),
    )
    run = small.write_study(tmp_path, small.config("mean_pooling"))
    app = open_app("fusion", tmp_path, study="small", run="first", item="1")
    assert not app.exception
    said = unescape(html_of(app))
    assert "are averaged, and an MLP reads the posterior off the mean" in said  # as CONTRIBUTING
    assert "A concatenation puts" not in said and "on the page Order" not in said
    assert "The vectors that are averaged" in [one.value for one in app.subheader]
    assert run.model().aggregator.about.sentence in said


@pytest.mark.parametrize("run", ["sum_pooling-masked", "concatenation-masked"])
def test_an_order_moves_the_concatenation_and_not_the_other(open_app: Open, run: str) -> None:
    app = open_app("order", study="digits", run=run, order="word, handwriting, photo")
    assert not app.exception
    html = html_of(app)
    table = html.split('aria-label="Changes by the order"')[1].split("</table>")[0]
    rows = dict(re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table))
    assert len(rows) == 2
    assert "changes the posterior" in rows.pop("Concatenation, masked bound")
    (other,) = rows.values()
    assert "rounding only" in other or "changes nothing" in other


def test_where_no_order_can_matter_a_link_leads_to_where_one_does(open_app: Open) -> None:
    app = open_app("order", study="five", run="private")
    assert not app.exception and not app.info
    html = html_of(app)
    assert "no order can matter" in html
    assert 'href="order?study=digits&amp;run=concatenation-masked"' in html
    assert "rounding only" in html or "changes nothing" in html


def test_the_pictures_before_and_after_differ_for_the_concatenation_alone(open_app: Open) -> None:
    html = html_of(open_app("order", study="digits", run="sum_pooling-masked"))
    for run, differs in (
        ("Sum pooling, masked bound", False),
        ("Concatenation, masked bound", True),
    ):
        found = [
            re.search(rf'src="([^"]+)" alt="photo by {run}, {when}"', html)
            for when in ("order of training", "this order")
        ]
        before, after = (pixels(one.group(1)) for one in found if one)
        # Untrained decoders give up to 2,000, of which some 60 roundings of float32 are 4 levels.
        assert (np.abs(before - after).max() > 4) == differs


def test_shuffling_takes_another_order(open_app: Open) -> None:
    app = open_app("order", study="digits")
    before = app.selectbox(key="order").value
    press(app, "Shuffle")
    assert not app.exception
    assert app.selectbox(key="order").value != before


def test_a_study_of_two_other_modalities_has_orders_of_its_own(open_app: Open) -> None:
    app = open_app("order", study="digits", order="word, handwriting, photo")
    app.selectbox(key="study").set_value("small").run()
    assert not app.exception
    assert app.selectbox(key="order").value == "text, picture, numbers"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.25, "1.250"),
        (0.001, "0.001"),
        (1.19e-7, "1.2 · 10⁻⁷"),
        (9e-4, "9.0 · 10⁻⁴"),
    ],
)
def test_small_numbers_are_readable(value: float, text: str) -> None:
    assert order_views.scientific(value) == text


def test_both_sides_their_score_and_the_report_are_on_the_page(
    open_app: Open, checkpoints: Path
) -> None:
    app = open_app(
        "conflict",
        study="digits",
        run="sum_pooling-masked",
        item="3",
        rival="8",
        from_rival="photo",
    )
    assert not app.exception
    html = html_of(app)
    assert "handwriting of item 3" in html and 'aria-label="three"' in html
    assert "photo of item 8" in html and "photo of item 3" not in html
    model, features = features_of(checkpoints, "sum_pooling-masked", [3, 8])
    mine = features[:1], torch.tensor([[True, False, True]])
    yours = features[1:], torch.tensor([[False, True, False]])
    (said,) = re.findall(r"Conflict score of this pair</dt><dd>([0-9,.]+) ", html)
    expected = float(score(model, mine, yours, 2, 0).value)
    # Items are encoded together here and alone on the page; a divergence multiplies the rounding of
    # a mean by (m - m') / s^2, so that three of float32's seven digits are asked for.
    assert float(said.replace(",", "")) == pytest.approx(expected, rel=1e-3)
    # in the report the photo is the first side, here it is B's
    assert "A 0.30" in html and "B 0.50" in html and "neither 0.20" in html
    assert html.count("0.900 <small>0.850&ndash;0.950") == 5


def test_a_side_without_a_modality_is_asked_for(open_app: Open) -> None:
    for query in ({"mask": "word"}, {"from_rival": ""}, {"mask": ""}):
        app = open_app("conflict", study="digits", **query)
        assert not app.exception
        assert "Both sides need a modality" in app.info[0].value


def test_two_items_of_one_class_are_no_conflict(open_app: Open) -> None:
    app = open_app("conflict", study="digits", item="3", rival="13")
    assert any("agreement" in info.value for info in app.info)


def test_another_rival_is_of_another_class(open_app: Open) -> None:
    app = open_app("conflict", study="digits", item="3", rival="13")
    press(app, "Another rival")
    assert not app.exception
    assert app.number_input(key="rival").value % 10 != 3


def test_verdicts_are_counted_for_both_sides() -> None:
    text = conflict_views.judged(np.array([1, 1, 2, 3]), 1, 2)
    assert "as A 2 of 4" in text and "as B 1 of 4" in text and "as neither 1 of 4" in text
    same = conflict_views.judged(np.array([1, 1, 2, 3]), 1, 1)
    assert "as A 2 of 4" in same and "as B 0 of 4" in same


@pytest.mark.parametrize("parts", [2, 5])
def test_strips_have_a_row_for_each_part(parts: int) -> None:
    values = np.linspace(-1, 1, 6 * parts).reshape(parts, 6)
    figure = fusion_plots.strips(values, list("abcde")[:parts], ("x", "y"), False, dark=True)
    assert np.array_equal(figure.data[0].z, values)
    assert figure.data[0].zmin == -figure.data[0].zmax == -1


def test_bands_hold_the_quantiles() -> None:
    figure = fusion_plots.score_bands({"a": [1, 2, 3, 4, 5]}, 2.5, ("x", "here"), dark=False)
    box = figure.data[0]
    found = [box.lowerfence, box.q1, box.median, box.q3, box.upperfence]
    assert [one[0] for one in found] == [1, 2, 3, 4, 5]
    assert figure.layout.shapes[0].x0 == 2.5
