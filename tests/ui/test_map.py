"""The map page: what is chosen stays chosen, is exported exactly, and has neighbours."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from tests.ui.conftest import html_of
from ui.latent_space.exports import MapTable
from ui.shell import choice, state

Open = Callable[..., AppTest]


def table(items: int = 30, latent: int = 3) -> MapTable:
    random = np.random.default_rng(0)
    return MapTable(
        np.arange(items),
        np.arange(items) ** 2 % 7,
        random.normal(size=(items, latent)),
        random.random((items, latent)),
        random.normal(size=(items, 2)),
        "PCA",
        (True, False, True),
        ("a", "b", "c"),
        "study/run",
        "1234",
    )


@pytest.mark.parametrize("ids", [(4,), (7, 2, 29), tuple(range(30))])
def test_so_many_chosen_so_many_exported(ids: tuple[int, ...]) -> None:
    part = table().only(ids)
    lines = part.csv().decode().splitlines()
    assert len(lines) == 1 + len(ids)
    assert [int(line.split(",")[0]) for line in lines[1:]] == sorted(ids)
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    whole = table()
    for row, item in zip(rows, sorted(ids), strict=True):
        assert int(row["label"]) == item**2 % 7
        assert (float(row["x"]), float(row["y"])) == pytest.approx(whole.where[item], rel=1e-6)
        for latent in range(3):
            found = float(row[f"mean_{latent}"]), float(row[f"scale_{latent}"])
            expected = whole.mean[item, latent], whole.scale[item, latent]
            assert found == pytest.approx(expected, rel=1e-6)
    with np.load(io.BytesIO(part.npz()), allow_pickle=False) as arrays:
        assert arrays["ids"].tolist() == sorted(ids)
        assert arrays["labels"].tolist() == [item**2 % 7 for item in sorted(ids)]
        np.testing.assert_array_equal(arrays["latent_mean"], table().mean[sorted(ids)])
        np.testing.assert_array_equal(arrays["latent_scale"], table().scale[sorted(ids)])
        np.testing.assert_array_equal(arrays["coordinates"], table().where[sorted(ids)])
        assert arrays["mask"].tolist() == [True, False, True]
        assert arrays["modalities"].tolist() == ["a", "b", "c"]
        assert (str(arrays["run"]), str(arrays["run_hash"])) == ("study/run", "1234")


def test_none_chosen_all_exported_with_mask_and_hash_in_every_line() -> None:
    lines = table().only(()).csv().decode().splitlines()
    assert len(lines) == 31
    head = lines[0].split(",")
    assert head[:5] == ["id", "label", "x", "y", "mean_0"]
    assert all(line.endswith(",PCA,a+c,study/run,1234") for line in lines[1:])
    # The file has seven digits.
    row = dict(zip(head, lines[6].split(","), strict=True))
    assert float(row["mean_2"]) == pytest.approx(table().mean[5, 2], rel=1e-6)
    assert float(row["scale_0"]) == pytest.approx(table().scale[5, 0], rel=1e-6)


def test_the_choice_is_shown_counted_and_dropped(open_app: Open) -> None:
    app = open_app(study="digits", item="5")
    assert "Items chosen" not in html_of(app)
    app.session_state["_chosen"] = {"digits": (1, 8, 30), "small": (2,)}
    app.run()
    html = html_of(app)
    assert "<dt>Items chosen</dt><dd>3 <small>of 40" in html
    assert all(f'data-item="{item}"' in html for item in (1, 8, 30))
    assert [one.label for one in app.get("download_button")] == ["3 items as CSV", "3 items as NPZ"]
    app.button_group(key="mask").set_value(["word"]).run()
    assert "<dd>3 <small>of 40" in html_of(app), "a new mask must not drop the choice"
    next(one for one in app.button if one.label == "Drop the choice").click().run()
    assert [one.label for one in app.get("download_button")] == [
        "40 items as CSV",
        "40 items as NPZ",
    ]


@pytest.mark.parametrize(
    "colour", ["rate", "log-likelihood", "reconstruction error", "judged photo"]
)
def test_every_colour_draws_and_tells_its_source(open_app: Open, colour: str) -> None:
    app = open_app(study="digits", colour=colour)
    assert not app.exception
    assert app.selectbox(key="colour").value == colour
    assert "Colour:" in html_of(app)
    assert f"colour by {colour}" in app.get("plotly_chart")[0].proto.alt


def test_only_measured_colours_are_offered(open_app: Open, checkpoints: Path) -> None:
    app = open_app(study="small")
    assert app.selectbox(key="colour").options == [
        "class",
        "rate",
        "log-likelihood",
        "reconstruction error",
        "entry of numbers",
    ]
    found = Run(checkpoints / "small" / "poe-mixture").latents()
    assert found.distortion is not None
    assert found.distortion.shape == found.rate.shape


def test_two_latents_are_drawn_on_their_own_axes(open_app: Open) -> None:
    app = open_app(study="small", projection="Latent axes")
    assert not app.exception
    assert "the two latent axes as they are" in html_of(app)


def test_neighbours_are_told_or_it_is_told_that_there_are_none(open_app: Open) -> None:
    html = html_of(open_app(study="digits", item="5"))
    assert html.count("distance ") == 6 + 1
    app = open_app(study="digits", run="poe-mixture", mask="")
    assert any("lie at one place" in one.value for one in app.info)


def test_a_figure_changes_for_all_charts_but_the_one_that_was_chosen_on(
    checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state.st, "session_state", {})
    study = Study(checkpoints / "digits")
    before = {name: choice.lit(study, name, "frame") for name in ("left", "right")}
    choice.choose(study, [3, 1], "left")
    assert choice.chosen(study) == (1, 3)
    assert choice.lit(study, "left", "frame") == before["left"] == (0, ())
    assert choice.lit(study, "right", "frame") == (1, (1, 3))
    assert choice.lit(study, "left", "other frame") == (0, (1, 3))
    choice.choose(study, [])
    assert choice.lit(study, "left", "other frame") == (1, ())
    assert choice.chosen(Study(checkpoints / "small")) == ()


@pytest.mark.parametrize("page", ["latent_space", "compare"])
@pytest.mark.parametrize(
    ("study", "run"),
    [
        ("five", "poe"),
        ("five", "mopoe"),
        ("five", "private"),
        ("pair", "mixture"),
        ("pair", "laplace"),
        ("pair", "laplaces"),
        ("pair", "flow"),
    ],
)
@pytest.mark.parametrize("mask", [None, ""])
def test_any_modalities_posterior_and_prior_have_maps_and_a_comparison(
    open_app: Open, page: str, study: str, run: str, mask: str | None
) -> None:
    app = open_app(page, study=study, run=run, **({} if mask is None else {"mask": mask}))
    assert not app.exception
    assert not app.error
    alone = page == "compare" and run == "private"  # no other run has its latents
    assert any("at least two" in one.value for one in app.info) if alone else run in html_of(app)
