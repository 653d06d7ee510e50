"""The face: a dozen names, loaded when asked for, with values as people have them."""

import doctest
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

import mmvae_core as mm
from mmvae_core import places
from mmvae_core.batch import Batch
from mmvae_core.evaluation.log_likelihood import log_likelihood
from mmvae_core.explore import inference
from mmvae_core.store.run import Run
from mmvae_core.subsets import subset_mask
from tests import small

ROOT = Path(__file__).parents[2]
DOCUMENTED = ("face", "store.study", "subsets", "config_files", "build")
TEXT = "bad"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Of modalities numbers, picture and text, in a study with an alphabet."""
    return small.write_study(tmp_path_factory.mktemp("checkpoints"), small.config("sum_pooling"))


@pytest.fixture(scope="module")
def item(run: Run) -> dict[str, np.ndarray]:
    return mm.find_study(run).samples().item(1)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(mm.MMVAEError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("module", DOCUMENTED)
def test_the_examples_of_docstrings_are_true(module: str) -> None:
    found = doctest.testmod(import_module(f"mmvae_core.{module}"))
    assert found.attempted and not found.failed


def test_a_dozen_names_are_there_and_each_says_what_it_is() -> None:
    assert len(mm.__all__) == 12
    assert set(mm.__all__) <= set(dir(mm))
    for name in mm.__all__:
        assert getattr(mm, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'anything'"):
        mm.anything  # noqa: B018


def test_finding_a_run_needs_no_torch() -> None:
    code = (
        "import sys, mmvae_core as mm; mm.find_run('linear/poe-masked').config; "
        "print('torch' in sys.modules); mm.all_subsets; print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["False", "True"]


def test_generations_are_those_of_the_app_as_people_have_them(
    run: Run, item: dict[str, np.ndarray]
) -> None:
    given = {"numbers": item["numbers"]}
    made, means = mm.generate(run, given, 5, 3), inference.generate(run.model(), given, 5, 3)
    assert list(made) == ["numbers", "picture", "text"]
    assert np.array_equal(made["numbers"], means.at_draws["numbers"])
    pictures = made["picture"]
    assert isinstance(pictures, np.ndarray) and pictures.dtype == np.uint8
    assert np.abs(pictures / 255 - means.at_draws["picture"]).max() <= 0.5 / 255 + 1e-6
    likeliest = means.at_draws["text"].argmax(-1)
    assert made["text"] == ["".join("abcde"[code] for code in codes) for codes in likeliest]


def test_a_text_is_its_codes_and_bytes_are_shares_of_255(run: Run) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 12, 12), dtype=np.uint8)
    first = mm.posterior(run, {"text": TEXT, "picture": pixels})
    codes = ["abcde".index(symbol) for symbol in TEXT]
    again = mm.posterior(run, {"text": codes, "picture": pixels.astype(np.float32) / 255})
    assert first.mean.shape == (3,)
    assert torch.equal(first.mean, again.mean)
    assert not torch.equal(first.mean, mm.posterior(run, {"text": TEXT}).mean)


def test_seed_temperature_and_count_change_what_is_generated(run: Run) -> None:
    plain = mm.generate(run, {"text": TEXT}, 4)["numbers"]
    assert len(plain) == 4
    assert np.array_equal(plain, mm.generate(run, {"text": TEXT}, 4)["numbers"])
    assert not np.array_equal(plain, mm.generate(run, {"text": TEXT}, 4, seed=1)["numbers"])
    cold = mm.generate(run, {"text": TEXT}, 4, temperature=0)["numbers"]
    assert np.ptp(cold, axis=0).max() < 1e-5 < np.ptp(plain, axis=0).max()


def test_of_nothing_the_posterior_is_the_prior(run: Run) -> None:
    nothing = mm.posterior(run)
    assert torch.equal(nothing.mean, torch.zeros(3)) and torch.equal(nothing.stddev, torch.ones(3))
    assert mm.log_likelihood(run, {}) == (0, 0)


def test_a_fitted_prior_draws_other_values() -> None:
    fitted = mm.find_run("digits/sum_pooling-masked")
    trained, mixture = (
        mm.generate(fitted, samples=2, prior=prior)["photo"] for prior in ("trained", "mixture")
    )
    assert not np.array_equal(trained, mixture)


@pytest.mark.parametrize(
    "name", ["digits/sum_pooling-masked", "bimodal/sum_pooling_mixture-masked", "linear/poe-masked"]
)
def test_the_live_likelihood_is_the_one_of_reports(name: str) -> None:
    """The same estimator with the same noise; near, as other shapes round in other ways."""
    shipped = mm.find_run(name)
    one, model = mm.find_study(shipped).samples().item(5), shipped.model()
    shown = dict(list(one.items())[1:])
    told = mm.log_likelihood(shipped, shown, 64, 2)
    batch = Batch(
        {key: value[None] for key, value in inference.tensors(model, one).items()},
        torch.ones(1, len(one), dtype=torch.bool),
    )
    mask = subset_mask("+".join(shown), model.names)
    assert told.value == pytest.approx(
        float(log_likelihood(model, batch, mask, mask, 64, 2)), rel=1e-5
    )
    assert 0 < told.error < 2
    assert told == mm.log_likelihood(shipped, shown, 64, 2)
    assert told != mm.log_likelihood(shipped, shown, 64, 3)
    drawn = inference.generate(model, shown, 64, 2)
    assert told.value == pytest.approx(drawn.log_likelihood, rel=1e-5)


def test_the_lattice_has_every_subset(run: Run, item: dict[str, np.ndarray]) -> None:
    lattice = mm.lattice(run, item, draws=2)
    assert np.array_equal(lattice.masks, mm.all_subsets(3).numpy())
    assert lattice.at_draws["picture"].shape == (2, 8, 1, 12, 12)
    assert lattice.share is not None


def test_what_does_not_fit_is_one_sentence(run: Run, item: dict[str, np.ndarray]) -> None:
    said = {
        "no modality 'sound'": lambda: mm.generate(run, {"sound": [1.0]}),
        "float was given as 'text'": lambda: mm.generate(run, {"text": 3.5}),
        "str was given as 'picture'": lambda: mm.generate(run, {"picture": "three.png"}),
        "codes from 1 to 5": lambda: mm.generate(run, {"text": [1, 2, 5]}),
        "shape [2] an item, expected [4]": lambda: mm.posterior(run, {"numbers": [1.0, 2.0]}),
        "NaN or infinity": lambda: mm.log_likelihood(run, {"numbers": [1.0, 2.0, 3.0, np.inf]}),
        "0 draws": lambda: mm.generate(run, samples=0),
        "1 draws": lambda: mm.log_likelihood(run, {"text": TEXT}, samples=1),
        "no prior 'flow'": lambda: mm.generate(run, prior="flow"),
        "has no modality": lambda: mm.lattice(run, {}),
        "no study 'letters'": lambda: mm.find_study("letters"),
    }
    for part, call in said.items():
        sentence = refusal(call)
        assert part in sentence
        assert "\n" not in sentence and sentence.endswith(".")


@pytest.mark.slow
def test_a_configuration_becomes_a_measured_run(tmp_path: Path) -> None:
    config = mm.load_config(str(ROOT / "configs" / "experiments" / "bimodal.toml"))
    training = {"epochs": 1, "batch": 64}
    config = small.from_dict(
        small.to_dict(config) | {"training": small.to_dict(config.training) | training}
    )
    assert mm.build_model(config).names == config.names
    reports = []
    run = mm.train(config, str(tmp_path / "run"), device="cpu", each_epoch=reports.append)
    assert len(reports) == 1 and np.isfinite(reports[0].validation_bound)
    report = mm.evaluate(run, seed=1, save=True)
    assert run.is_evaluated and run.report == report
    assert report.seed == 1 and np.isfinite(report.log_likelihood.joint.mean)


def test_studies_are_found_beside_the_app_or_where_one_works(tmp_path: Path) -> None:
    core = tmp_path / "mmvae_core"
    core.mkdir()
    assert places.home(core) == tmp_path
    assert places.checkpoints(tmp_path) == Path("checkpoints")
    (tmp_path / "checkpoints").mkdir()
    assert places.checkpoints(tmp_path) == tmp_path / "checkpoints"
    (core / places.INSTALLED).mkdir()
    assert places.home(core) == core / places.INSTALLED
    assert (places.HOME / "app.py").is_file() and (places.HOME / "configs").is_dir()
