"""What is drawn of numbers and classes is what they are. Pure."""

import re
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.stats import binomtest

from mmvae_core.evaluation.coherence import share
from mmvae_core.store.records import Mean
from tests.small import made_report
from ui.compare.report_rows import comparison_rows
from ui.compare.trade_offs import run_points, trade_offs
from ui.draw import compare_plots, landing, marks, plots, tables
from ui.draw.compare_plots import RunPoint

RED, GREEN, YELLOW = "#D55E00", "#009E73", "#F0E442"  # of the classes 5, 2 and 3
LABELS = np.array([5, 2, 5, 3])
WHERE = np.array([[1.0, 20.0], [2.0, 30.0], [3.0, 50.0], [4.0, 70.0]])
AXES = plots.Axes(("a", "b"), (0, 5), (0, 80))


# marks


def colours_of(figure: Any) -> dict[str, set[str]]:
    """By item: the colours of its points."""
    found: dict[str, set[str]] = {}
    for trace in figure.data:
        for item in trace.customdata if trace.customdata is not None else ():
            found.setdefault(str(item), set()).add(trace.marker.color)
    return found


def test_a_class_has_its_own_colour_on_the_map_and_over_it() -> None:
    points = plots.Points(WHERE, np.arange(4), LABELS)
    expected = {"0": {RED}, "1": {GREEN}, "2": {RED}, "3": {YELLOW}}
    classes = list("abcdef")
    assert colours_of(plots.latent_map(points, AXES, classes, False)) == expected
    both = compare_plots.overlay(points, WHERE + 1, AXES, classes, ("A", "B"), False)
    assert colours_of(both) == expected
    assert {trace.name for trace in both.data if 1 in trace.customdata} == {"A c", "B c"}


@pytest.mark.parametrize(("label", "colour"), [(5, RED), (2, GREEN), (3, YELLOW)])
def test_a_mark_has_the_colour_of_the_points(label: int, colour: str) -> None:
    (coded,) = re.findall(r"base64,([^\"]+)", marks.mark_html(label))
    assert f'fill="{colour}"' in b64decode(coded).decode()


def test_a_place_on_the_still_lands_from_the_left_and_from_the_top() -> None:
    picture = landing.still(WHERE, LABELS, ((0, 5), (0, 80)), False)
    where, inside = picture.share(np.array([1.0, 20.0]))
    assert where.tolist() == pytest.approx([0.2, 0.75])
    assert inside


# tables and figures of runs


def cells_of(html: str, name: str) -> list[str]:
    """The cells of the row of this name, with their attributes."""
    (row,) = re.findall(rf'<tr[^>]*><th scope="row">{re.escape(name)}</th>(.*?)</tr>', html)
    return re.findall(r"<td[^>]*>.*?</td>", row)


def test_the_star_is_on_the_best_run_of_each_row() -> None:
    """The first has the higher likelihood, the second the lower distortion."""
    first, second = made_report(("b", "a"), 0), made_report(("b", "a"), 30)
    first = replace(first, distortion={"b+a": Mean(mean=80.0, error=0.5)})
    second = replace(second, distortion={"b+a": Mean(mean=70.0, error=0.5)})
    rows = comparison_rows([first, second], ["b", "a"])
    html = tables.comparison(rows, ["A", "B"])
    likelihood = cells_of(html, "joint, all modalities")
    assert [one.startswith("<td class=best ") for one in likelihood] == [True, False]
    (distortion,) = next(group for name, group in rows.items() if name.startswith("Distortion"))
    assert tables.best(distortion) == 1
    assert [cell.value for cell in distortion.cells if cell] == [80.0, 70.0]


def test_nats_are_nats_in_the_column_of_the_rate() -> None:
    assert tables.nats(12.34) == "12.3"
    assert tables.nats(-1234.56) == "-1,234.6"
    rows = [tables.SubsetRow("a", 12.34, 0.56, {"a": share(3, 4)}), tables.SubsetRow("b", 2, 3, {})]
    html = tables.subset_table(rows, ["a"])
    assert re.findall(r'<th scope="col">(.*?)</th>', html) == [
        "shown",
        "rate, nats",
        "width",
        "right a",
    ]
    rate, width, right = (re.sub("<.*?>", "", one) for one in cells_of(html, "a"))
    assert (rate, width) == ("12.3", "0.56")
    low, high = binomtest(3, 4).proportion_ci(method="wilson")
    assert right == f"0.75 {low:.2f}&ndash;{high:.2f}"


def test_a_lopsided_interval_is_drawn_as_it_is() -> None:
    point = RunPoint("run", (5.0, 4.0, 8.0), (0.5, 0.2, 0.6))
    (trace,) = compare_plots.trade_off(("x", "y"), [point], False).data
    assert (trace.x, trace.y) == ((5.0,), (0.5,))
    assert (trace.error_x.array, trace.error_x.arrayminus) == ((3.0,), (1.0,))
    assert trace.error_y.array == pytest.approx([0.1])
    assert trace.error_y.arrayminus == pytest.approx([0.3])


def test_a_trade_off_has_each_figure_on_its_axis() -> None:
    report = made_report(("b", "a"), 4)  # likelihood -140, rate 5, distortion 86, coherence 0.1
    likelihood, rate = trade_offs()
    for kind, x, y in ((likelihood, -140.0, 0.1), (rate, 5.0, 86.0)):
        (point,) = run_points(kind, {"run": report}, "b+a", [])
        assert (point.x[0], point.y[0]) == (x, y)
    assert (rate.x.split()[0], rate.y.split(",")[0]) == ("rate", "distortion")
    assert (likelihood.x.split()[1], likelihood.y.split()[1]) == ("log-likelihood,", "coherence")
