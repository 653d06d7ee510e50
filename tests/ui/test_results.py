"""The page Results: verdicts, numbers and pictures as reports have them, with or without runs."""

import json
import shutil
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from streamlit.testing.v1 import AppTest

from mmvae_core.experiments.claims import CLAIMS
from mmvae_core.experiments.grid import Cell, config_of, fingerprint
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.results import Interval, read_report
from mmvae_core.store.study import Study
from tests.experiments import write_results
from tests.ui.conftest import html_of
from ui.draw import result_plots
from ui.draw.spans import Line, Rule, Span
from ui.results import result_caveats, result_tables

Open = Callable[..., AppTest]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Results, and no study."""
    write_results(tmp_path)
    return tmp_path


def test_the_page_needs_no_run(open_app: Open, root: Path) -> None:
    app = open_app("results", root=root)
    assert not app.exception
    assert not app.error
    assert "Linear" in html_of(app)
    assert len(app.get("plotly_chart")) == 8


def test_verdicts_and_reversals_are_those_of_the_report(open_app: Open, root: Path) -> None:
    html = html_of(open_app("results", root=root))
    assert html.count("▲ holds</span> +2.17 <small>[1.75 to 2.58] mean over 3 rules") == 2
    assert html.count('reversed">▼ does not hold</span> \N{MINUS SIGN}0.50 <small>') == 2
    assert (
        html.count("● open</span> +1.0 <small>[\N{MINUS SIGN}1.5 to 3.5] \N{MINUS SIGN} PoE") == 2
    )
    assert html.count("masked above mixture that is never empty, by 0.50 nats") == 2
    assert "MoE, mixture above MoE, masked by 2.0" in html
    assert "PoE, mixture above sum pooling, mixture by 1.5" in html
    assert "sum pooling, mixture never empty <small>\N{MINUS SIGN}98.5" in html, "the highest mean"
    assert "maximum likelihood \N{MINUS SIGN}98.0" in html, "and what can be had"
    for claim in CLAIMS:
        assert escape(claim.sentence) in html
        assert f"Refuted if: {escape(claim.refuted)}" in html


def test_earlier_reports_without_verdicts_have_their_pairs_counted(
    open_app: Open, root: Path
) -> None:
    path = root / "results" / "linear.json"
    data = json.loads(path.read_text())
    del data["verdicts"], data["curves"]
    path.write_text(json.dumps(data))
    app = open_app("results", root=root)
    assert not app.exception
    assert len(app.get("plotly_chart")) == 7, "no curves"
    html = html_of(app)
    assert html.count('▲ 2 hold</span> <span class="verdict reversed">▼ 1 reversed') == 2


def test_results_of_another_configuration_are_called_so(open_app: Open, root: Path) -> None:
    assert result_caveats.OLDER not in html_of(open_app("results", root=root)), "all are of today's"
    table = root / "results" / "linear.csv"
    mark = fingerprint(config_of(Cell("linear", "poe", "masked", 1)))
    assert table.read_text().count(mark) > 0
    table.write_text(table.read_text().replace(mark, "0123456789ab"))
    app = open_app("results", root=root)
    count = json.loads((root / "results" / "linear.json").read_text())["models"]
    html = html_of(app)
    folded = html[html.index(f"<summary>{result_caveats.OLDER}") :].split("</details>")[0]
    assert f"<b>linear</b>: 1 of {count} models" in folded
    assert "<code>python -m mmvae_core experiment linear</code>" in folded
    assert not app.warning, "one line that folds its details away"


def test_a_claim_that_was_measured_nowhere_has_no_column(root: Path) -> None:
    report = read_report(root / "results" / "linear.json")
    name = result_tables.CLAIMS[result_tables.NOT_EMPTY]
    assert name in result_tables.verdict_table([report])
    without = replace(
        report,
        claims=tuple(one for one in report.claims if one.claim != result_tables.NOT_EMPTY),
        verdicts=tuple(one for one in report.verdicts if one.claim != result_tables.NOT_EMPTY),
    )
    table = result_tables.verdict_table([without])
    assert name not in table
    assert table.count('<th scope="col">') == 4


def test_the_charts_tell_their_numbers_in_words(open_app: Open, root: Path) -> None:
    app = open_app("results", root=root)
    said = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert "PoE +3.0 [3.0 to 3.0]" in said[0]
    assert "sum pooling \N{MINUS SIGN}0.50 [" in said[1]
    assert "both masked: sum pooling \N{MINUS SIGN} PoE +1.0 [" in said[2]
    assert "both mixture: sum pooling \N{MINUS SIGN} PoE \N{MINUS SIGN}1.5 [" in said[3]
    assert "MoE, masked \N{MINUS SIGN}160.0 [\N{MINUS SIGN}169.9 to" in said[4]
    assert "truth" not in said[4]
    assert "PoE \N{MINUS SIGN}105.0 to \N{MINUS SIGN}100.50" in said[5]
    assert "true loadings 2.5 to 1.50" in said[6]
    assert "sum pooling 2.0 to 1.00" in said[6]
    assert "PoE 0.1 to 0.60" in said[7]


def test_another_world_and_figure_by_link(open_app: Open, root: Path) -> None:
    app = open_app("results", root=root, world="Linear sparse", figure="KL to exact, pairs")
    assert not app.exception
    assert app.selectbox(key="figure").value == "KL to exact, pairs"
    assert "Linear sparse" in app.query_params["world"]
    assert "0.25" in app.get("plotly_chart")[4].proto.alt


def test_the_choices_of_other_pages_outlive_a_visit(
    open_app: Open, checkpoints: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    write_results(root)
    app = open_app("masks", root=root, study="digits", run="moe-masked", item="7", mask="photo")
    before = app.session_state["_here"]
    app.switch_page("pages/results.py").run()
    app.switch_page("pages/generate.py").run()
    assert not app.exception
    assert app.session_state["_here"] == before


@pytest.mark.parametrize("content", ["{", '{"experiment": "linear"}'])
def test_a_damaged_report_is_one_sentence_and_hides_no_other(
    open_app: Open, root: Path, content: str
) -> None:
    (root / "results" / "missing.json").write_text(content)
    app = open_app("results", root=root)
    assert not app.exception
    (error,) = app.error
    assert "missing.json" in error.value
    assert "Linear sparse" in html_of(app)


def test_without_results_the_command_is_named(open_app: Open, tmp_path: Path) -> None:
    app = open_app("results", root=tmp_path)
    assert not app.exception
    assert "python -m mmvae_core experiment" in app.info[0].value


def test_a_quick_report_is_called_so(open_app: Open, root: Path) -> None:
    path = root / "results" / "linear.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quick": True}))
    html = html_of(open_app("results", root=root))
    assert "<b>linear</b>: of <code>--quick</code>" in html[html.index(result_caveats.QUICK) :]


@pytest.fixture
def plane(checkpoints: Path, tmp_path: Path) -> Path:
    """Results of a world whose study has runs and true latents in the plane."""
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    study = shutil.move(root / "small", root / "linear")
    mean = Study(Path(study)).runs()[0].latents().mean[-1].astype(float)
    write_arrays(Path(study) / "truth.npz", {"latents": mean @ np.array([[0.0, 2.0], [1.0, 1.0]])})
    write_results(root)
    return root


@pytest.mark.parametrize("is_aligned", ["true", "false"])
def test_true_and_learned_latents_stand_side_by_side(
    open_app: Open, plane: Path, is_aligned: str
) -> None:
    first = Study(plane / "linear").runs()[0].folder.name
    app = open_app("results", root=plane, world="Linear", pictured=first, aligned=is_aligned)
    assert not app.exception
    assert not app.error
    true, learned = (chart.proto.alt for chart in app.get("plotly_chart")[8:])
    assert "1.00 weak" in learned
    centres = [alt.split("Centres: ")[1] for alt in (true, learned)]
    assert (centres[0] == centres[1]) == (is_aligned == "true")


def test_a_damaged_truth_is_one_sentence(open_app: Open, plane: Path) -> None:
    (plane / "linear" / "truth.npz").write_bytes(b"{")
    app = open_app("results", root=plane, world="Linear")
    assert not app.exception
    assert "truth.npz" in app.error[0].value


# Pure


def test_a_world_without_a_name_here_has_its_own(root: Path) -> None:
    assert result_tables.world_name("other_world") == "other world"
    report = read_report(root / "results" / "linear.json")
    html = result_tables.figures_table(report.summary_of("linear"))
    assert "KL to exact, pairs" in html
    assert "MCC" not in html, "of linear models it says nothing"


@pytest.mark.parametrize(
    ("mean", "low", "high", "text"),
    [
        (3.0, 2.966, 3.034, "+3.000 [2.966 to 3.034]"),
        (-61.25, -96, -26, "M61 [M96 to M26]"),
        (0.5, -0.01, 1.01, "+0.50 [M0.01 to 1.01]"),
        (12345.6, 12e3, 12691.2, "+12,346 [12,000 to 12,691]"),
        (-0.2, -35.2, 34.8, "+0 [M35 to 35]"),
        (2.5, 2.5, 2.5, "+2.5 [2.5 to 2.5]"),
        (0.0, 0.0, 0.0, "+0.0 [0.0 to 0.0]"),
        (-2.25, None, None, "M2.25 [one seed]"),
    ],
)
def test_numbers_have_the_digits_that_count(
    mean: float, low: float | None, high: float | None, text: str
) -> None:
    found = result_tables.said(Interval(mean=mean, low=low, high=high, seeds=3), signed=True)
    assert found == text.replace("M", "\N{MINUS SIGN}")


def span(mean: float, reach: float = 1.0) -> Span:
    return Span("holds", mean, mean - reach, mean + reach)


def test_the_axis_holds_every_interval_and_zero() -> None:
    low, high = result_plots.window([span(2), span(5), span(9)], Rule(0.0))
    assert low < 0
    assert high > 10


def test_one_that_dwarfs_the_rest_is_cut_off_with_an_arrow() -> None:
    lines = [Line(str(mean), spans=(span(mean),)) for mean in (2, 3, 4, 900)]
    low, high = result_plots.window([line.spans[0] for line in lines], Rule(0.0))
    assert low < 0
    assert 5 < high < 10
    figure = result_plots.intervals(lines, "nats", False, Rule(0.0))
    arrows = [trace for trace in figure.data if "triangle-right" in (trace.marker.symbol or ())]
    assert [list(trace.x) for trace in arrows] == [[high]]
    marks = next(trace for trace in figure.data if trace.name == "holds")
    assert sorted(marks.x) == [2, 3, 4], "the mark of the far one is its arrow"
    assert any("900" in note.text for note in figure.layout.annotations)


def test_one_row_alone_and_ties_have_an_axis() -> None:
    for spans in ([span(0.0, 0.0)], [span(3.0, 0.0)] * 4):
        low, high = result_plots.window(spans)
        assert low < spans[0].mean < high


def test_every_interval_is_drawn_once_and_stays_inside() -> None:
    lines = [Line("head"), Line("a", spans=(span(1), Span("open", 2, None, None)))]
    figure = result_plots.intervals(lines, "nats", True, Rule(0.0, "best"))
    names = [trace.name for trace in figure.data if trace.name]
    assert names == ["holds", "open", "best"]
    depth = figure.layout.yaxis.range[0]
    heights = [y for trace in figure.data for y in trace.y if y is not None]
    assert all(depth < height < 0 for height in heights)
    marks = [y for trace in figure.data if trace.mode == "markers" for y in trace.y]
    assert len(set(marks)) == 2, "two spans of a row lie apart"


def test_every_seed_has_a_tick_on_the_row_of_its_mean() -> None:
    one = Span("holds", 2.0, 1.0, 3.0, (1.5, 2.5, 3.5))
    figure = result_plots.intervals([Line("a", spans=(one,))], "nats", False, Rule(0.0))
    (ticks,) = (trace for trace in figure.data if trace.marker.symbol == "line-ns")
    (mean,) = (trace for trace in figure.data if trace.name == "holds")
    assert ticks.x == (1.5, 2.5, 3.5)
    assert set(ticks.y) == set(mean.y)
    assert figure.layout.xaxis.range[1] > 3.5


def test_a_report_of_figures_that_are_not_known_here_opens(open_app: Open, root: Path) -> None:
    path = root / "results" / "linear.json"
    data = json.loads(path.read_text())
    for one in data["summary"]:
        one["figure"] += " of yours"
    path.write_text(json.dumps(data))
    app = open_app("results", root=root)
    assert not app.exception
    assert "Figures by model" not in [one.value for one in app.subheader]
