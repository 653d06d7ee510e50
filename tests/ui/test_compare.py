"""Compare: one noise for all, live figures equal to the evaluator's, all runs on the scatters."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace as replace_fields
from streamlit.testing.v1 import AppTest

from mmvae_core.batch import Batch
from mmvae_core.config import from_dict, to_dict
from mmvae_core.evaluation.all_subsets import all_posteriors
from mmvae_core.evaluation.coherence import conditional_coherence
from mmvae_core.evaluation.digit_judges import digit_judges
from mmvae_core.evaluation.judge import picture_judges
from mmvae_core.evaluation.log_likelihood import log_likelihood
from mmvae_core.explore import inference
from mmvae_core.explore.generation import posterior_given
from mmvae_core.files import write_json
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.probability.posteriors import DiagonalMixture
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import JointShare, Mean, RateMean, RunReport
from mmvae_core.store.run import Run
from mmvae_core.store.study import SHIPPED, Study
from mmvae_core.subsets import subset_mask
from tests import rounding, small
from tests.small import made_report
from tests.ui.conftest import html_of
from tests.ui.studies import float64
from ui.compare import compare_views
from ui.compare.spread_rows import Reports, seed_rows
from ui.compare.trade_offs import run_points, trade_offs
from ui.draw import compare_plots, plots, tables
from ui.draw.compare_plots import RunPoint
from ui.kinds import pictures
from ui.kinds.views import view_of
from ui.shell import widgets
from ui.shell.state import Here

Open = Callable[..., AppTest]
RUNS = ("sum_pooling-masked", "moe-masked", "poe-mixture")


def given_of(study: Study, item: int, *names: str) -> dict[str, np.ndarray]:
    return {name: study.samples().data[name][item] for name in names}


def noise_of(
    run: Run, given: dict[str, np.ndarray], draws: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor]:
    """(z - m) / s of each draw, of a mixture by each component, and how far rounding carries it.

    z = m + s e was rounded twice, each time by a unit of what entered, and is divided by s.
    """
    model = run.model()
    posterior = posterior_given(
        model,
        {name: model.modality(name).kind.tensor(values) for name, values in given.items()},
    )
    latent = torch.from_numpy(draws).double()
    is_mixture = isinstance(posterior, DiagonalMixture)
    loc, scale = (
        (posterior.loc[0], posterior.scale[0]) if is_mixture else (posterior.mean, posterior.stddev)
    )
    latent, loc, scale = latent[:, None] if is_mixture else latent, loc.double(), scale.double()
    entered = torch.stack(torch.broadcast_tensors(loc, latent - loc))
    return (latent - loc) / scale, rounding.of_sum(entered) / scale


def test_every_run_gets_the_very_same_noise(checkpoints: Path) -> None:
    study = Study(checkpoints / "digits")
    given = given_of(study, 3, "handwriting", "word")
    found = {}
    for name in RUNS:
        run = Run(study.folder / name)
        found[name] = noise_of(run, given, inference.generate(run.model(), given, 8, 5).latents)
    first, near = found["sum_pooling-masked"]
    other, others = found["poe-mixture"]
    assert rounding.within(other, first, near + others)
    # a mixture of experts takes the same noise to the component that it picks, whichever that is
    other, others = found["moe-masked"]
    same = ((other - first[:, None]).abs() <= near[:, None] + others).all(-1)
    assert same.any(-1).all() and not same.all()
    for name in RUNS:
        model = Run(study.folder / name).model()
        nothing = inference.generate(model, {}, 8, 5, prior=model.prior()).latents
        assert rounding.within(torch.from_numpy(nothing), first, near)


def test_live_shares_and_bound_are_the_evaluators(checkpoints: Path) -> None:
    study, draws, item = Study(checkpoints / "digits"), 32, 4
    run = Run(study.folder / "poe-mixture")
    given, model = given_of(study, item, "handwriting"), float64(run.model())
    judges = digit_judges(picture_judges(study))
    drawn = inference.generate(model, given, draws, 7)
    here = Here(study, run, item, (True, False, False), 7)
    verdicts = {
        name: inference.judge(judge, drawn.at_draws[name]) for name, judge in judges.items()
    }
    found = compare_views.live_shares(here, compare_views.Rendering(run, drawn, verdicts))

    every = {name: values[None] for name, values in given_of(study, item, *here.names).items()}
    data = {
        name: torch.stack([model.modality(name).kind.tensor(values[0])])
        for name, values in every.items()
    }
    many = Batch(
        {name: one.expand(draws, *one.shape[1:]) for name, one in data.items()},
        torch.ones(draws, 3, dtype=torch.bool),
    )
    labels = torch.full((draws,), int(study.samples().labels[item]))
    offline = conditional_coherence(model, all_posteriors(model, many), labels, judges, 7)
    assert {name: one.right for name, one in found.items()} == {
        name: one.right for name, one in offline["handwriting"].items()
    }
    assert found["photo"].low == offline["handwriting"]["photo"].low
    assert found["photo"].high == offline["handwriting"]["photo"].high

    one, shown = (
        Batch(data, torch.ones(1, 3, dtype=torch.bool)),
        subset_mask("handwriting", model.names),
    )
    bound = log_likelihood(model, one, shown, shown, draws, 7)
    assert drawn.log_likelihood == pytest.approx(float(bound), rel=1e-10)
    assert inference.generate(model, {}, 8, 7).log_likelihood == 0


@pytest.mark.parametrize(
    "prior", [{"name": "mixture", "components": 3}, {"name": "flow", "layers": 1, "width": 8}]
)
def test_nothing_given_draws_from_whatever_the_prior_is(prior: dict) -> None:
    from mmvae_core.build import build_model
    from mmvae_core.seeding import generator_of

    config = from_dict(small.settings(aggregator={"name": "sum_pooling"}) | {"prior": prior})
    model = build_model(config).eval().requires_grad_(False)
    small.spread(model)
    float64(model)
    made = inference.generate(model, {}, 6, 1, prior=model.prior())
    expected = model.prior().rsample((6,), generator=generator_of(1))
    np.testing.assert_allclose(made.latents, expected, atol=1e-12)
    assert (made.rate, made.log_likelihood) == (0, 0)
    data = {name: values[0].numpy() for name, values in small.data(1).items()}
    assert np.isfinite(inference.generate(model, data, 6, 1).log_likelihood)


def report(joint: float) -> RunReport:
    made, mean = (
        made_report(("a", "b"), 0),
        Mean(mean=joint, error=2.0),
    )
    share = JointShare(right=1, count=2, share=0.5, low=0.4, high=0.6)
    return replace_fields(
        made,
        log_likelihood=replace_fields(made.log_likelihood, joint=mean),
        rate={"a+b": RateMean(mean=joint, error=2.0, exact=True)},
        distortion={"a+b": mean},
        joint_coherence=share,
    )


def test_the_scatters_have_all_runs_with_their_intervals_and_letters() -> None:
    reports: dict[str, RunReport | None] = {f"run{i}": report(100.0 * i) for i in range(6)}
    old = replace_fields(report(3.0), joint_coherence=None, distortion={})
    reports |= {"bare": None, "old": old}
    for kind in trade_offs():
        points = run_points(kind, reports, "a+b", ["run4", "run2"])
        assert [one.name for one in points] == [f"run{i}" for i in range(6)]
        assert {one.letter: one.name for one in points if one.letter} == {"A": "run4", "B": "run2"}
        figure = compare_plots.trade_off((kind.x, kind.y), points, dark=False)
        assert sorted(x for trace in figure.data for x in trace.x) == [100.0 * i for i in range(6)]
        assert [list(trace.text) for trace in figure.data] == [[""] * 4, ["B", "A"]]
        assert figure.data[1].error_x.array[0] == pytest.approx(1.96 * 2)
        assert [one.text for one in figure.layout.annotations] == ["B", "A"]
    first = run_points(trade_offs()[0], reports, "a+b", [])[1]
    assert first.x == pytest.approx((100, 96.08, 103.92))
    assert "run1: 100 (96.08 to 103.9); 0.5 (0.4 to 0.6)" in first.said


def test_letters_of_runs_that_lie_on_each_other_stand_apart() -> None:
    spans = [(value, value - 1, value + 1) for value in (0.0, 0.01, 0.02, 0.0, 50.0)]
    points = [RunPoint(f"run{i}", one, one, "ABCD"[i : i + 1]) for i, one in enumerate(spans)]
    notes = compare_plots.trade_off(("x", "y"), points, dark=False).layout.annotations
    assert [(one.text, one.x) for one in notes] == [(one.letter, one.x[0]) for one in points[:4]]
    places = np.array([(one.ax, one.ay) for one in notes])
    apart = np.abs(places[:, None] - places).max(-1)[~np.eye(4, dtype=bool)]
    assert apart.min() >= compare_plots.BADGE - 1


def test_a_bound_that_one_draw_carries_has_no_error() -> None:
    assert tables.bound_text(-1234.56, 1.0) == "≥ -1,234.6"
    assert tables.bound_text(-12.0, 0.1) == "-12.0 <small>± 0.2</small>"
    assert tables.bound_text(1.0, float("nan")) == "≥ 1.0"


def test_an_overlay_has_every_item_of_both_runs() -> None:
    where = np.random.default_rng(0).normal(size=(30, 2))
    points = plots.Points(where, np.arange(30), np.arange(30) % 3)
    axes = plots.Axes(("a", "b"), (-3, 3), (-3, 3))
    figure = compare_plots.overlay(points, where + 1, axes, [], ("A", "B"), dark=True)
    ids = [i for trace in figure.data for i in trace.customdata]
    assert sorted(ids) == sorted([*range(30), *range(30)])
    assert [trace.marker.symbol for trace in figure.data[:2]] == ["circle", "circle-open"]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_difference_is_signed_and_every_kind_has_one(index: int) -> None:
    modality = from_dict(small.settings()).modalities[index]
    apart = np.zeros(modality.shape, np.float32)
    assert "alt" in view_of(kind_of(modality)).difference_html(apart, 0.0, "alt")
    colours = pictures.diverging(np.array([[-1.0, 0.0, 0.5]]), 1.0)[0]
    assert colours[2, 0] > colours[0, 0]
    assert colours[0, 2] > colours[2, 2]
    assert (colours[:, 1] == 1).all()


def test_all_that_is_picked_on_the_page_is_drawn(open_app: Open) -> None:
    app = open_app("compare", study="digits", mask="word", item="4")
    assert "8 draws of z for each run, the same noise for all" in html_of(app)
    app.button_group(key="draws").set_value("32").run()
    app.toggle(key="difference").set_value(True).run()
    html = html_of(app)
    assert not app.exception
    assert " of 32 judged " in html
    assert html.count("Difference of photo, B less A: mean size") == 1
    assert "right photo" in html
    assert html.count("5 of 5 runs") == 2


def test_of_nothing_shown_it_is_told_how_many_draws_agree(open_app: Open) -> None:
    html = html_of(open_app("compare", study="digits", mask=""))
    assert "all agree" in html
    assert "right photo" not in html


def test_maps_are_laid_onto_each_other_with_a_residual(open_app: Open) -> None:
    app = open_app("compare", study="digits", maps="laid onto each other")
    assert not app.exception
    assert "Residual of the alignment" in html_of(app)
    app = open_app(
        "compare",
        study="digits",
        maps="laid onto each other",
        mask="",
        runs=["poe-mixture", "moe-masked"],
    )
    assert not app.exception
    assert "nothing to align" in app.error[0].value


def test_a_study_without_judges_reports_or_latents_still_compares(
    open_app: Open, checkpoints: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    for path in root.glob("small/*/report.json"):
        known = Run(path.parent).report
        write_record(path, replace_fields(known, coherence={}, joint_coherence=None, distortion={}))
    app = open_app("compare", root=root, study="small")
    assert not app.exception
    assert not app.error
    assert [one.value.split("\\:")[0] for one in app.info] == 2 * [
        "No run of this study has both figures"
    ]
    assert "right" not in html_of(app).split("Measured figures")[0].split("<thead>")[1][:400]
    for path in root.glob("small/*/*"):
        if path.name in ("report.json", "latents.npz"):
            path.unlink()
    app = open_app("compare", root=root, study="small")
    assert not app.exception
    assert not app.error
    assert any("evaluated runs" in one.value for one in app.info)
    assert any("None of these runs has been measured" in one.value for one in app.info)


def test_the_same_item_and_seed_give_the_same_live_figures(checkpoints: Path) -> None:
    study = Study(checkpoints / "digits")
    run = Run(study.folder / "moe-masked")
    given = given_of(study, 1, "word", "photo")
    first, again = (inference.generate(run.model(), given, 8, 3) for _ in range(2))
    assert first.log_likelihood == again.log_likelihood
    assert replace(first, at_draws={}, at_mean={}, latents=0, mean=0, stddev=0) == replace(
        again, at_draws={}, at_mean={}, latents=0, mean=0, stddev=0
    )


def test_runs_by_other_seeds_and_betas_stand_beside_the_shipped_ones(
    open_app: Open, checkpoints: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    digits, made = root / "digits", {}
    for run, table, key, value in (
        ("moe-masked", "training", "seed", 5),
        ("moe-masked", "objective", "beta", 4.0),
        ("poe-mixture", "objective", "beta", 0.5),
    ):
        place = digits / "spread" / f"{run}-{key}"
        place.mkdir(parents=True)
        known = Run(digits / run)
        config = to_dict(known.config)
        config[table][key] = value
        write_json(place / "config.json", config)
        shutil.copy(digits / run / "card.json", place)
        made[run, key] = made_report(known.config.names, len(made) + 6)
        write_record(place / "report.json", made[run, key])
    app = open_app("compare", root=root, study="digits")
    assert not app.exception and not app.error
    table = html_of(app).split('aria-label="Figures over seeds"')[1].split("</table>")[0]
    assert re.findall('scope="col">(.*?)<', table) == ["MoE, masked bound"], "others have one seed"
    first, other = Run(digits / "moe-masked").report, made["moe-masked", "seed"]
    joint = sorted(one.log_likelihood.joint.mean for one in (first, other))
    assert f"{sum(joint) / 2:,.1f} <small>{joint[0]:,.1f}&ndash;{joint[1]:,.1f}" in table
    right = sorted(one.coherence["word"]["photo"].share for one in (first, other))
    row = table.split("word → photo")[1].split("</tr>")[0]
    assert f"{sum(right) / 2:.2f} <small>{right[0]:.2f}&ndash;{right[1]:.2f}" in row
    charts = {one.proto.id.split("spread ")[1]: one for one in app.get("plotly_chart")
              if "spread " in one.proto.id}  # fmt: skip
    full = "+".join(known.config.names)
    spec = json.loads(charts["rate of all modalities, nats"].proto.spec)
    drawn = {one["name"]: one for one in spec["data"]}
    light, heavy = made["poe-mixture", "beta"], made["moe-masked", "beta"]
    assert drawn["MoE, masked bound"]["x"] == [first.rate[full].mean, heavy.rate[full].mean]
    assert drawn["MoE, masked bound"]["text"] == ["β 1", "β 4"]
    assert drawn["PoE, mixture bound"]["y"][0] == light.distortion[full].mean
    assert drawn["PoE, mixture bound"]["text"] == ["β 0.5", "β 1"]
    assert charts["β, doubling"].proto.alt


def test_beside_a_run_stand_the_other_rules_first_each_once() -> None:
    runs = {run.folder.name: run for run in Study(SHIPPED / "digits").runs()}
    masked = [name for name in runs if name.endswith("-masked")]
    beside = widgets.beside(masked, runs, runs["self_attention-masked"])
    assert beside[:4] == ["poe-masked", "moe-masked", "sum_pooling-masked", "mopoe-masked"]
    assert sorted([*beside, "self_attention-masked"]) == sorted(masked)


def test_over_seeds_words_lead_by_their_spelling_alone(checkpoints: Path) -> None:
    report = Run(checkpoints / "digits" / "moe-masked").report

    def model(share: float, spelt: float) -> Reports:
        word = replace_fields(report.coherence["photo"]["word"], share=share, spelt=spelt)
        one = replace_fields(report, coherence={"photo": {"word": word}})
        return Reports("one", (0, 1), (one, one))

    models = [model(0.99, 0.06), model(0.9, 0.8)]
    [row] = seed_rows(models, ("photo", "word"))["Generated rightly from another modality"]
    assert tables.best(row) == 1, "what is hardly ever spelt earns no star"
    assert row.cells[0] is not None and "0.99" in row.cells[0].text
