"""The report is complete, is JSON, and equal seeds give equal figures."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from mmvae_core.cli.tables import report_table
from mmvae_core.config import to_dict
from mmvae_core.data.digits.words import ALPHABET, NAMES, placements
from mmvae_core.errors import DataError, RunError
from mmvae_core.evaluation.digit_judges import WordJudge
from mmvae_core.evaluation.report import (
    Budget,
    evaluate,
    evaluate_run,
    mean_error,
    sample_batch,
    save_evaluation,
)
from mmvae_core.files import write_json
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.record_files import as_json, as_record, write_record
from mmvae_core.store.records import About, Mean, RunReport
from mmvae_core.store.results import headline
from mmvae_core.store.run import Latents, Run
from mmvae_core.store.study import Samples, Study
from mmvae_core.store.weights import save_weights
from tests import rounding

BUDGET = Budget(likelihood_items=10, likelihood_samples=3, rate_samples=8, prior_samples=30)
RIGHT = int((placements()[1] % 2 == 0).sum())
SINGLES = ["numbers", "picture", "word"]


@pytest.fixture
def samples() -> Samples:
    random = np.random.default_rng(0)
    codes, labels = placements()
    return Samples(
        {
            "numbers": random.normal(size=(50, 5)),
            "picture": random.integers(0, 256, (50, 1, 12, 12), dtype=np.uint8),
            "word": codes.astype(np.uint8),
        },
        (labels % 2).astype(np.uint8),
    )


def judges() -> dict:
    return {"word": WordJudge(), "picture": lambda means: torch.zeros(len(means)).long()}


@pytest.fixture(autouse=True)
def no_umap(monkeypatch) -> None:
    """UMAP takes ten seconds to compile; tests/core/test_projections.py has it."""
    monkeypatch.setattr("mmvae_core.projections.project_umap", lambda means, seed: means[..., :2])


def test_report_is_complete_and_reproducible(make_model, samples, tmp_path) -> None:
    model, seen = make_model("moe"), []
    before = torch.get_rng_state()
    report, latents = evaluate(model, samples, judges(), BUDGET, 3, lambda *step: seen.append(step))
    assert torch.equal(torch.get_rng_state(), before)
    again = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert as_record(again, RunReport, "here", "nothing") == report
    again, latents_again = evaluate(model, samples, judges(), BUDGET, 3)
    assert report == again
    for name in Latents.__dataclass_fields__:
        assert np.array_equal(getattr(latents, name), getattr(latents_again, name)), name
    assert report != evaluate_without_latents(model, samples, 4)
    check_content(report)
    assert list(dict.fromkeys(part for part, _ in seen)) == [
        "log_likelihood",
        "rate",
        "distortion",
        "coherence",
        "joint_coherence",
        "probe",
        "conflict",
        "projection",
    ]
    check_marginals(report, latents)


def test_what_is_saved_comes_back(make_model, make_config, samples, tmp_path) -> None:
    report, latents = evaluate(make_model("poe"), samples, judges(), BUDGET)
    write_json(tmp_path / "config.json", to_dict(make_config("poe")))
    save_evaluation(Run(tmp_path), report, latents)
    assert Run(tmp_path).report == report
    for name, values in vars(Run(tmp_path).latents(50)).items():
        assert np.array_equal(values, getattr(latents, name)), name
    assert json.loads((tmp_path / "report.json").read_text())["format"] == 1


def test_figures_of_a_run_that_diverged_are_not_written(run, tmp_path) -> None:
    report, latents = evaluate_run(run, Study(tmp_path))
    wrong = replace(report, probe=report.probe | {"word": math.nan})
    with pytest.raises(
        RunError, match=r"report.json holds nan as probe.word, expected a number from"
    ):
        save_evaluation(run, wrong, latents)
    assert not run.is_measured and not run.is_evaluated


@pytest.fixture
def run(make_model, make_config, samples, tmp_path) -> Run:
    """A run beside its study's samples, of which study.json tells that the words name digits."""
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    write_json(run.folder / "config.json", to_dict(make_config("poe")))
    save_weights(make_model("poe"), run.weights)
    write_arrays(tmp_path / "samples.npz", {**samples.data, "labels": samples.labels})
    write_json(
        tmp_path / "study.json", {"title": "", "classes": NAMES, "alphabets": {"word": ALPHABET}}
    )
    return run


def test_a_stored_run_is_evaluated_with_its_study(run, tmp_path) -> None:
    report, latents = evaluate_run(run, Study(tmp_path), seed=5)
    assert (report.seed, report.items, report.log_likelihood.samples) == (5, 50, 64)
    assert list(report.coherence["numbers"]) == ["word"]
    assert latents.mean.shape == (8, 50, 3)


@pytest.mark.parametrize(
    "about",
    [
        {"classes": NAMES, "alphabets": {"word": ALPHABET[::-1]}},
        {"classes": ("odd", "even"), "alphabets": {"word": ALPHABET}},
        {"classes": NAMES, "alphabets": {"numbers": ALPHABET, "absent": ALPHABET}},
        {"classes": ()},
    ],
)
def test_a_study_without_judges_has_no_coherence(run, tmp_path, about, monkeypatch) -> None:
    monkeypatch.setattr(
        "mmvae_core.evaluation.report.log_likelihoods",
        lambda model, *_, **__: torch.zeros(8, 50) - 1.5,
    )
    write_record(tmp_path / "study.json", About(title="", **about))
    report, _ = evaluate_run(run, Study(tmp_path))
    assert report.joint_coherence is None
    assert not any(report.coherence.values())
    assert len(report.probe) == 8
    write_record(run.folder / "report.json", replace(report, measured=None))
    assert headline(run) == {"joint_log_likelihood": -1.5}
    first, columns, *rows = report_table(report).splitlines()
    assert first == "joint log-likelihood >= -1.5 +- 0.0 nats"
    assert columns.split() == ["given", "log-likelihood", "rate", "probe"]
    assert [row.split()[0] for row in rows] == list(report.log_likelihood.marginal)


def check_marginals(report: RunReport, latents: Latents) -> None:
    """The items' likelihoods are those of which the report tells the mean."""
    assert latents.marginal is not None
    assert latents.marginal.shape == (len(latents.masks), BUDGET.likelihood_items)
    for values, told in zip(
        latents.marginal[1:], report.log_likelihood.marginal.values(), strict=True
    ):
        assert values.astype(float).mean() == pytest.approx(told.mean, rel=1e-12)


def evaluate_without_latents(model, samples, seed) -> RunReport:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmvae_core.evaluation.report._latents", lambda *_: SimpleNamespace())
        return evaluate(model, samples, judges(), BUDGET, seed)[0]


def check_content(report: RunReport) -> None:
    full = "numbers+picture+word"
    likelihood = report.log_likelihood
    assert (report.seed, report.items, likelihood.items) == (3, 50, 10)
    assert likelihood.marginal[full] == likelihood.joint
    assert len(likelihood.marginal) == len(report.coherence) == 7
    joint = likelihood.joint.mean
    for single in SINGLES:
        parts = [getattr(likelihood, of)[single].mean for of in ("marginal", "conditional")]
        # Each item's conditional is a difference in float32.
        near = float(rounding.of_sum(torch.tensor([joint, *parts])))
        assert sum(parts) == pytest.approx(joint, rel=0, abs=near)
    assert report.rate["nothing"].mean == 0
    assert report.rate["word"].exact
    assert not report.rate[full].exact
    assert report.cross_rate[full].mean == 0, "a density less itself"
    assert report.distortion_samples == 8
    assert list(report.distortion) == list(report.rate)
    assert report.distortion["nothing"] == Mean(mean=0.0, error=0.0)
    assert report.distortion["word"].mean > 0
    named = report.coherence["numbers"]
    assert list(named) == ["picture", "word"]
    assert named["word"].spelt is not None
    assert named["picture"].right == RIGHT
    assert named["picture"].spelt is None
    assert report.joint_coherence is not None and report.conflict is not None
    assert report.joint_coherence.count == 30
    assert len(report.probe) == 8
    against = report.conflict.given["word vs numbers+picture"]
    assert len(report.conflict.given) == 6
    assert list(against.won) == ["picture", "word"]
    assert not against.exact


def test_samples_become_a_batch(make_model, samples) -> None:
    model = make_model("poe")
    batch = sample_batch(model, samples)
    assert batch.data["picture"].max() <= 1
    assert batch.data["word"].dtype == torch.int64
    assert batch.data["numbers"].dtype == torch.float32


def test_mean_and_error() -> None:
    assert mean_error(torch.tensor([1.0, 3.0])) == Mean(mean=2.0, error=1.0)
    assert mean_error(torch.tensor([1.0])).error is None


def test_samples_of_another_study_are_refused(make_model) -> None:
    with pytest.raises(DataError, match="expected at least one item of numbers"):
        evaluate(make_model("poe"), Samples({"x": np.zeros((3, 1))}, np.zeros(3)), {}, BUDGET)
