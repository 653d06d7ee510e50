"""Draws of the trained prior and of fitted ones: on Generate, and among the items on the map."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from streamlit.testing.v1 import AppTest

from mmvae_core.explore.generation import latents
from mmvae_core.probability.posteriors import GaussianMixture
from mmvae_core.seeding import generator_of
from mmvae_core.store.fitted_priors import Settings, empty_prior, load_prior, save_priors
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import JointShare, Mean, PriorsCard, WithPrior
from mmvae_core.store.run import FITTED, Run
from tests.ui.conftest import html_of
from tests.ui.studies import ITEMS
from ui.draw import plots
from ui.shared import map_words
from ui.shell import answers

Open = Callable[..., AppTest]
FAR, RUN = 30.0, "sum_pooling-masked"


@pytest.fixture
def fitted(checkpoints: Path, tmp_path: Path) -> Path:
    """The made studies; `sum_pooling-masked` of `small` has priors far from its own."""
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoints, root)
    run, settings = Run(root / "small" / RUN), Settings(components=2, width=8, layers=1)
    found = {kind: empty_prior(run.config, kind, settings) for kind in FITTED}
    size = run.config.latent
    card = PriorsCard(
        components=2,
        width=8,
        layers=1,
        seed=0,
        items=ITEMS,
        held_out_items=ITEMS,
        held_out={},
        weights="",
    )
    found["mixture"].become(
        GaussianMixture(
            torch.tensor([0.5, 0.5]).log(), torch.full((2, size), FAR), torch.full((2, size), 0.1)
        )
    )
    save_priors(run, found, card)
    told = WithPrior(
        log_likelihood=Mean(mean=-1.0, error=0.1),
        joint_coherence=JointShare(count=2_000, right=1_234, share=0.617, low=0.6, high=0.64),
    )
    write_record(run.folder / "report.json", replace(run.report, fitted_priors={"mixture": told}))
    return root


def test_generate_draws_from_the_prior_that_is_chosen(open_app: Open, fitted: Path) -> None:
    app = open_app("generate", fitted, study="small", run=RUN, mask="")
    assert "the trained prior" in app.info[0].value
    app.session_state["prior"] = "mixture"
    app.run()
    assert not app.exception
    said = app.info[0].value
    assert "a mixture fitted afterwards" in said and "Of 2,000 such draws 61.7 %" in said
    run = Run(fitted / "small" / RUN)
    drawn = answers.generated(run, {}, 8, 0, 1.0, "mixture").latents
    expected = latents(load_prior(run, "mixture"), 8, generator=generator_of(0))
    np.testing.assert_allclose(drawn, expected, atol=1e-6)
    assert float(drawn.min()) > FAR - 1
    assert np.abs(answers.generated(run, {}, 8, 0).latents).max() < 10


def test_with_something_given_or_nothing_fitted_there_is_no_choice(
    open_app: Open, fitted: Path
) -> None:
    def options(**query: str) -> list[str]:
        app = open_app("generate", fitted, study="small", **query)
        assert not app.exception
        return [one.label for one in app.get("button_group")]

    assert "Draw from the prior" in options(run=RUN, mask="")
    assert "Draw from the prior" not in options(run=RUN)
    assert "Draw from the prior" not in options(run="moe-masked", mask="")


def test_the_map_shows_the_draws_where_they_are(open_app: Open, fitted: Path) -> None:
    app = open_app(root=fitted, study="small", run=RUN, projection="PCA", draws="mixture")
    assert not app.exception
    said = html_of(app)
    assert "Crosses: 500 draws of the mixture prior" in said
    gap = float(said.split("further than ")[1].split()[0])
    run = Run(fitted / "small" / RUN)
    means, draws = run.latents().mean[-1], answers.prior_draws(run, "mixture", 500)
    apart = np.sqrt(np.square(draws[:, None] - means).sum(-1)).min(1)
    assert gap == pytest.approx(float(np.median(apart)), abs=0.01)
    without = open_app(root=fitted, study="small", run=RUN, projection="UMAP", draws="mixture")
    assert "Crosses" not in html_of(without)


def test_the_figure_has_one_trace_more_and_leaves_it_out_of_the_glide() -> None:
    where, labels = np.arange(12.0).reshape(6, 2), np.array([0, 0, 1, 1, 2, 2])
    axes = plots.Axes(("a", "b"), (0, 12), (0, 12))
    prior = np.array([[3.0, 4.0], [5.0, 7.0]])
    points = plots.Points(where, np.arange(6), labels, where + 1, prior=prior)
    figure = plots.latent_map(points, axes, ["x", "y", "z"], False, "glide")
    assert figure.data[0].name == "draw of p(z)"
    np.testing.assert_array_equal(np.stack([figure.data[0].x, figure.data[0].y], 1), prior)
    frames = figure.layout.updatemenus[0].buttons[0].args[0]
    assert [frame["traces"] for frame in frames] == [[1, 2, 3]] * 2
    assert [figure.data[row].name for row in (1, 2, 3)] == ["x", "y", "z"]


def test_the_map_opens_on_umap_and_tells_what_the_first_axis_follows(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(study="digits")
    said = html_of(app)
    assert "UMAP keeps neighbours" in said
    monkeypatch.setattr(map_words, "FOLLOWS", 0.0)
    app = open_app(study="digits", projection="PCA")
    said = html_of(app)
    assert "The first axis follows how bright" in said
