"""What a page hands on: training curves by the file's numbers, tables with unrounded values."""

import base64
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.store.history import EpochReport, write_history
from mmvae_core.store.run import Run
from tests.ui.conftest import html_of
from ui.draw.training_curves import HIGH, LEFT, WIDE, curves_html, curves_svg

HISTORY = [
    EpochReport(1, -40.0, -30.0, 2.0, 1.0, 0.1),
    EpochReport(2, -10.0, -20.0, 6.0, 1.0, 0.1),
    EpochReport(3, 8.0, 0.0, 4.0, 1.0, 0.1),
]


def lines(svg: str) -> list[list[tuple[float, float]]]:
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}polyline")
    return [
        [
            (float(x), float(y))
            for x, y in (pair.split(",") for pair in one.attrib["points"].split())
        ]
        for one in found
    ]


def test_curves_are_at_the_places_of_their_numbers() -> None:
    training, held_out, rate = lines(curves_svg(HISTORY, dark=False))
    across = [LEFT, WIDE / 2, WIDE - LEFT]
    for line in (training, held_out, rate):
        assert [x for x, _ in line] == pytest.approx(across)
    bottom = training[0][1]  # -40, the lowest of both bounds
    values = (("bound", training, (-40, -10, 8)), ("bound", held_out, (-30, -20, 0)))
    for _, line, expected in values:
        assert [bottom - y for _, y in line] == pytest.approx(
            [HIGH * (value + 40) / 48 for value in expected], abs=0.06
        )
    low = rate[0][1]
    assert [low - y for _, y in rate] == pytest.approx([0, HIGH, HIGH / 2], abs=0.06)


def test_one_epoch_has_curves_and_none_has_no_section() -> None:
    assert len(lines(curves_svg(HISTORY[:1], dark=True))) == 3
    assert curves_html([], dark=False) == ""


def test_the_sidebar_shows_the_runs_own_training(
    open_app: Callable[..., AppTest], checkpoints: Path, tmp_path: Path
) -> None:
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoints, root)
    run = Run(root / "digits" / "poe-mixture")
    assert "Training curves" not in html_of(open_app("order", root, run="poe-mixture"))
    write_history(run.folder / "history.csv", HISTORY)
    html = html_of(open_app("order", root, run="poe-mixture"))
    drawing = re.findall(r'data-figure="Training curves".*?base64,([^"]+)"', html)
    assert [lines(base64.b64decode(one).decode()) for one in drawing] == [
        lines(curves_svg(HISTORY, dark=False))
    ]
    assert "ends at 8.0 weighted nats an item in training and 0.0 on held-out" in html
    assert '<th scope="row">2</th><td data-value="-10">-10.0</td>' in html
    (run.folder / "history.csv").write_text("epoch\n1\n")
    app = open_app("order", root, run="poe-mixture")
    assert not app.exception
    assert "history.csv holds the columns" in html_of(app)


def test_cells_carry_their_unrounded_numbers(
    open_app: Callable[..., AppTest], checkpoints: Path
) -> None:
    html = html_of(open_app("compare", study="digits"))
    report = Run(checkpoints / "digits" / "sum_pooling-masked").report
    expected = report.log_likelihood.joint
    assert expected is not None
    assert f'data-value="{expected.mean:.9g}"' in html
    shares = html_of(open_app("masks", study="digits", run="sum_pooling-masked"))
    for share in report.coherence["handwriting"].values():
        assert f'<td data-value="{share.share:.9g}">{share.share:.2f} ' in shares
