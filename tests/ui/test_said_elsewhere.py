"""What the pages Masks, Order and Traverse say is what the model makes."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.evaluation.invariance import OrderChange
from mmvae_core.explore.inference import generate
from mmvae_core.explore.insides import Reordered
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from tests.ui.conftest import html_of
from ui.order import order_views
from ui.shell.state import Here

Open = Callable[..., AppTest]


def test_masks_tells_the_posteriors_width_and_the_priors(open_app: Open, checkpoints: Path) -> None:
    run, study = Run(checkpoints / "five" / "mopoe"), Study(checkpoints / "five")
    model, values = run.model(), study.samples().item(5)
    given = {name: values[name] for name in ("part1", "part3")}
    own, prior = generate(model, given, 1, 0), float(model.prior().stddev.mean())
    html = html_of(open_app("masks", study="five", run="mopoe", item=5, mask=["part1", "part3"]))
    told = f"<dt>Posterior width</dt><dd>{own.width:.2f} <small>prior: {prior:.2f}</small>"
    assert f"{own.width:.2f}" != f"{prior:.2f}"
    assert told in html
    (rate, error) = re.findall(r"<dt>Rate</dt><dd>([\d.]+) <small>± ([\d.]+) nats", html)[0]
    assert own.rate_error is not None
    assert float(rate) == pytest.approx(own.rate, abs=6 * own.rate_error + 0.05)
    assert float(error) == pytest.approx(1.96 * own.rate_error, rel=0.3, abs=0.06)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All HTML that the page Order draws, without a server."""
    bodies: list[str] = []
    monkeypatch.setattr(order_views.messages, "html", bodies.append)
    stub = SimpleNamespace(columns=lambda count, **_: [nullcontext()] * count)
    monkeypatch.setattr(order_views, "st", stub)

    def picture(study: Study, modality: Any, values: np.ndarray, alt: str, widest: int) -> str:
        return f"[{alt}: {float(values.flat[0]):.1f}]"

    monkeypatch.setattr(order_views.views, "item_picture", picture)
    return bodies


def test_order_says_each_change_in_its_column(checkpoints: Path, drawn: list[str]) -> None:
    run = Run(checkpoints / "five" / "poe")
    change = OrderChange(mean=0.5, stddev=0.25, largest=4.0)
    order_views.changes([run], [Reordered(change, {}, {})])
    (html,) = drawn
    assert re.findall(r'<th scope="col">(.*?)</th>', html)[2:] == [
        "largest change of a mean",
        "of a standard deviation",
        "relative",
    ]
    assert re.findall(r"<td>(.*?)</td>", html)[1:] == ["0.500", "0.250", "0.125"]


def test_order_draws_before_and_after_under_their_names(
    checkpoints: Path, drawn: list[str]
) -> None:
    run, study = Run(checkpoints / "five" / "poe"), Study(checkpoints / "five")
    here = Here(study, run, 5, (True,) * 5, 0)
    before, after = (
        {name: np.full(3, index + shift) for index, name in enumerate(run.config.names)}
        for shift in (0.0, 0.5)
    )
    change = OrderChange(mean=0.5, stddev=0.25, largest=4.0)
    order_views.pictures(here, [run], [Reordered(change, before, after)])
    (html,) = drawn
    found = re.findall(r"\[(part\d) by .*?, ([a-z ]+): ([\d.]+)\]", html)
    assert found == [
        (name, when, f"{index + shift:.1f}")
        for index, name in enumerate(run.config.names)
        for when, shift in (("order of training", 0.0), ("this order", 0.5))
    ]


def test_traverse_has_the_latent_that_changes_most_first(open_app: Open) -> None:
    app = open_app("traverse", study="five", run="private", item=5, by="part3")
    assert not app.exception
    html = html_of(app)
    strips = html[html.index('<div class="strips"') :]
    rows = [re.findall(r"</span>([\d.]+)</p>", row) for row in strips.split("<h4>")[1:]]
    assert len(rows) > 3 and {len(row) for row in rows} == {5}
    column = [float(row[3]) for row in rows]
    assert column == sorted(column, reverse=True)
    assert column[0] > column[-1]
