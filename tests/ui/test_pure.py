"""The figures, pictures and tables: pure functions of arrays."""

import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as replace_fields
from PIL import Image

from mmvae_core.config import LikelihoodConfig, ModalityConfig, from_dict
from mmvae_core.modalities.kinds import kind_of, kinds_of
from tests import small
from tests.small import made_report
from ui.compare.report_rows import comparison_rows
from ui.draw import marks, plots, tables
from ui.draw.names import run_title
from ui.kinds import pictures
from ui.kinds.bars import BarsView
from ui.kinds.picture_views import GreyView
from ui.kinds.views import view_of
from ui.kinds.words import WordsView


def points(count: int = 30, before: bool = False) -> plots.Points:
    where = np.random.default_rng(0).normal(size=(count, 2))
    return plots.Points(
        where, np.arange(100, 100 + count), np.arange(count) % 3, where + 1 if before else None
    )


AXES = plots.Axes(("a", "b"), (-3, 3), (-4, 4))


def test_the_map_has_every_point_once_with_its_id() -> None:
    figure = plots.latent_map(points(), AXES, ["x", "y", "z"], dark=False)
    ids = [i for trace in figure.data for i in trace.customdata]
    assert sorted(ids) == list(range(100, 130))
    assert [trace.name for trace in figure.data] == ["x", "y", "z"]
    assert figure.layout.xaxis.range == (-3, 3)


def test_the_map_glides_from_before() -> None:
    given = points(before=True)
    figure = plots.latent_map(given, AXES, ["x", "y", "z"], dark=True, glide="go")
    frames, _ = figure.layout.updatemenus[0].buttons[0].args
    assert len(frames[0]["data"]) == len(figure.data)
    assert frames[0]["data"][0]["x"][0] == pytest.approx(frames[1]["data"][0]["x"][0] + 1, abs=1e-3)


def test_the_map_colours_by_a_number_and_fades_what_is_not_chosen() -> None:
    given = points()
    values, lit = np.arange(30.0), np.arange(30) < 4
    figure = plots.latent_map(replace(given, values=values, lit=lit), AXES, [], dark=False)
    seen = {
        i: (shade, opacity)
        for trace in figure.data
        for i, shade, opacity in zip(
            trace.customdata, trace.marker.color, trace.marker.opacity, strict=True
        )
    }
    assert {i: shade for i, (shade, _) in seen.items()} == dict(enumerate(values, 100))
    assert {i for i, (_, opacity) in seen.items() if opacity == 1} == {100, 101, 102, 103}
    assert figure.layout.coloraxis.cmin == pytest.approx(np.percentile(values, 2))
    assert not figure.layout.updatemenus


def test_the_same_map_twice_is_the_same_figure() -> None:
    first, second = (plots.latent_map(points(), AXES, [], dark=False).to_json() for _ in range(2))
    assert first == second


def test_the_frame_holds_all_coordinates() -> None:
    every = np.array([[[0.0, -1.0]], [[2.0, 5.0]]])
    (left, right), (low, high) = plots.frame_of(every)
    assert left < 0 < 2 < right
    assert low < -1 < 5 < high


def test_classes_have_different_marks() -> None:
    assert len({(marks.colour(label), marks.symbol(label)) for label in range(90)}) == 90


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("dark", "ground"), [(False, "#fcfbf8"), (True, "#14171a")])
def test_text_of_figures_has_contrast(dark: bool, ground: str) -> None:
    theme = plots.Theme.of(dark)
    for colour in (theme.ink, theme.quiet):
        high, low = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 7


def test_plots_and_pictures_import_neither_streamlit_nor_torch() -> None:
    code = (
        "import sys, ui.draw.plots, ui.kinds.views, ui.draw.tables, ui.draw.marks; "
        "assert not {'streamlit', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_map_page_imports_no_torch() -> None:
    code = "import sys, ui.shell.frame, ui.shared.latent_views, ui.shared.views; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_tiles_are_one_picture_with_transparent_gaps() -> None:
    tiled = pictures.tile(np.ones((5, 3, 4, 6), np.float32), columns=3, zoom=2)
    image = Image.open(io.BytesIO(tiled.png))
    assert image.size == (3 * 12 + 2 * pictures.GAP, 2 * 8 + pictures.GAP)
    assert image.getpixel((0, 0)) == (255, 255, 255, 255)
    assert image.getpixel((13, 0))[3] == 0


def test_words_are_readable_and_escaped() -> None:
    likelihood = LikelihoodConfig(name="categorical")
    text = ModalityConfig(name="text", shape=(3, 3), likelihood=likelihood, network="sequence")
    html = view_of(kind_of(text, "a< ")).html(np.eye(3)[[[0, 1, 2]]], 1, "", np.array([True]))
    assert 'aria-label="a&lt;"' in html
    assert "word right" in html
    assert "<<" not in html


def test_every_kind_of_modality_has_a_picture() -> None:
    config = from_dict(small.settings())
    looks = [view_of(kind) for kind in kinds_of(config, {"text": "abcde"}).values()]
    assert [type(one) for one in looks] == [BarsView, GreyView, WordsView]
    data = {name: values.numpy() for name, values in small.data(5).items()}
    for look, expected in zip(looks, ["<img", "<img", "role"], strict=True):
        assert expected in look.html(data[look.name], 3, "alt")
    parts = [(look.name, look.sheet(data[look.name], 8)) for look in looks]
    sheet = Image.open(io.BytesIO(pictures.stacked(parts)))
    assert sheet.width > 20
    assert sheet.height > 60


def test_the_best_is_marked_only_where_intervals_are_apart() -> None:
    def cell(value: float, reach: float) -> tables.Cell:
        return tables.Cell(value, str(value), (value - reach, value + reach))

    assert tables.best(tables.Row("", [cell(1, 0.4), cell(2, 0.4)])) == 1
    assert tables.best(tables.Row("", [cell(1, 0.6), cell(2, 0.6)])) is None
    assert tables.best(tables.Row("", [cell(1, 0.4), cell(2, 0.4)], higher=False)) == 0
    assert tables.best(tables.Row("", [cell(1, 0.4), cell(2, 0.4)], higher=None)) is None
    assert tables.best(tables.Row("", [cell(1, 0.4), None])) is None


def test_a_report_without_figures_leaves_its_column_empty_and_no_empty_rows() -> None:
    measured = replace_fields(
        made_report(("a", "b"), 0),
        coherence={"a": {}},
        joint_coherence=None,
        distortion={},
        probe={},
    )
    html = tables.comparison(comparison_rows([None, measured], ["a", "b"]), ["<one>", "two"])
    assert html.count(tables.NOT_MEASURED) == html.count("<td") / 2 == 3 + 4
    assert "Rate" in html
    assert "coherence" not in html
    assert "<one>" not in html


@pytest.mark.parametrize(
    ("folder", "aggregator", "objective", "title"),
    [
        ("sum_pooling-masked", "sum_pooling", "masked", "Sum pooling, masked bound"),
        ("poe-mixture", "poe", "mixture", "PoE, mixture bound"),
        ("sum_pooling_paper-masked", "sum_pooling", "masked", "Sum pooling, masked bound (paper)"),
        ("poe-masked-seed1", "poe", "masked", "PoE, masked bound (seed1)"),
        ("mine", "moe", "marginal", "MoE, marginal bound (mine)"),
        ("new_rule-of_mine", "new_rule", "of_mine", "New rule, of mine bound"),
    ],
)
def test_a_run_is_titled_by_what_it_is(
    folder: str, aggregator: str, objective: str, title: str
) -> None:
    assert run_title(folder, aggregator, objective) == title
