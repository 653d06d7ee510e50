"""Training: bounds rise, interruptions leave no trace, and what cannot work says so."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.build import AGGREGATORS, OBJECTIVES, build_model
from mmvae_core.config import RunConfig, from_dict, to_dict
from mmvae_core.errors import ConfigError, DataError, RunError, UsageError
from mmvae_core.probability.em import fit_mixture
from mmvae_core.seeding import generator_of
from mmvae_core.store.history import EpochReport, read_history, write_history
from mmvae_core.store.run import Run
from mmvae_core.store.weights import file_hash
from mmvae_core.training import runs as runs_module
from mmvae_core.training import trainer as trainer_module
from mmvae_core.training.loop import beta_at
from mmvae_core.training.prior_fit import mixture_of, posterior_draws, refits
from mmvae_core.training.runs import STATE, make_fabric, train_run
from mmvae_core.training.start import start_model
from mmvae_core.training.state import TrainingState
from mmvae_core.training.trainer import Trainer
from tests import rounding

EPOCH = 128
RECIPE: dict[str, Any] = {
    "start": "fan_in",
    "aggregator": {"prior_product": True, "draws": "pathwise"},
    "prior": {"name": "mixture", "components": 3, "refit": 0.67},
}
"""A prior fitted by EM after two of three passes, and its product with what is shown."""


def settings(**training: Any) -> RunConfig:
    """Two modalities of four numbers."""
    aggregator = training.pop("aggregator", "poe")
    parts = RECIPE if training.pop("recipe", False) else {}
    objective = {"name": training.pop("objective", "masked"), "warmup_epochs": 1}
    return from_dict(
        {
            "study": "toy",
            "latent": 2,
            "features": 8,
            "modalities": [
                {
                    "name": name,
                    "shape": [4],
                    "width": 8,
                    "likelihood": {"name": "normal", "scale": 0.5, "learn_scale": True},
                }
                for name in ("left", "right")
            ],
            "aggregator": {"name": aggregator, "width": 8, "heads": 2, "layers": 1}
            | parts.get("aggregator", {}),
            "prior": parts.get("prior", {}),
            "start": parts.get("start", "torch"),
            "objective": objective,
            "data": {"epoch_size": EPOCH},
            "training": {"epochs": 3, "batch": 32, "learning_rate": 0.05} | training,
        }
    )


class Toy:
    """Both modalities are linear in two shared numbers, plus noise; some items lack one."""

    def __init__(self, spoil: float = 0.0) -> None:
        self.loadings = torch.randn(2, 2, 4, generator=torch.Generator().manual_seed(5))
        self.spoil = spoil

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        yield from self._drawn(1_000 * seed + epoch, EPOCH, size)

    def validation(self, size: int) -> Iterator[Batch]:
        yield from self._drawn(999_999, 100, size)

    def _drawn(self, seed: int, items: int, size: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(seed)
        latent = torch.randn(items, 2, generator=generator)
        noise = 0.3 * torch.randn(2, items, 4, generator=generator) + self.spoil
        left, right = latent @ self.loadings + noise
        observed = torch.rand(items, 2, generator=generator) < 0.9
        for rows in torch.arange(items).split(size):
            yield Batch({"left": left[rows], "right": right[rows]}, observed[rows])


class StoppedError(Exception):
    pass


def weights(run: Run) -> dict[str, Tensor]:
    return load_file(run.weights)


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def stop_after(epoch: int) -> Any:
    def each(report: EpochReport) -> None:
        if report.epoch == epoch:
            raise StoppedError

    return each


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train_run(settings(), tmp_path_factory.mktemp("runs") / "whole", Toy(), "cpu")


@pytest.mark.parametrize("recipe", [False, True], ids=["plain", "fitted prior"])
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("aggregator", AGGREGATORS)
def test_the_validation_bound_rises(aggregator: str, objective: str, recipe: bool) -> None:
    made = settings(aggregator=aggregator, objective=objective, epochs=15, recipe=recipe)
    trainer = Trainer(build_model(made), made, Toy(), make_fabric("cpu"))
    bounds = [report.validation_bound for report in trainer.epochs()]
    assert len(bounds) == 15
    assert all(math.isfinite(bound) for bound in bounds)
    assert bounds[-1] > bounds[0] + 3
    assert max(bounds[-3:]) > max(bounds[:8])


def test_the_first_validation_bound_is_that_of_the_formula() -> None:
    """Before any step: sum over batches of the mean bound, at full beta, by the same draws."""
    made = settings(epochs=1, learning_rate=1e-20)
    model = build_model(made)
    trainer = Trainer(model, made, Toy(), make_fabric("cpu"))
    (report,) = trainer.epochs()
    generator, noise, bounds = generator_of(1), generator_of(1), []
    for batch in Toy().validation(32):
        subset = (torch.rand(batch.observed.shape, generator=generator) < 0.5) & batch.observed
        terms = OBJECTIVES["masked"](build_model(made), batch, subset, 1, True, generator=noise)
        bounds.append(terms.bound(torch.ones(2), 1.0).detach())
    items = torch.cat(bounds)
    near = float(rounding.of_sum(items)) / len(items)  # the trainer takes means in float32
    assert report.validation_bound == pytest.approx(float(items.double().mean()), rel=0, abs=near)


def test_training_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    train_run(settings(epochs=1), tmp_path / "run", Toy(), "cpu")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("recipe", [False, True], ids=["plain", "fitted prior"])
@pytest.mark.parametrize("aggregator", ["poe", "self_attention"])
@pytest.mark.parametrize("epoch", [1, 2])
def test_an_interrupted_training_ends_with_the_same_bits(
    aggregator: str, epoch: int, recipe: bool, tmp_path: Path
) -> None:
    made = settings(aggregator=aggregator, recipe=recipe)
    whole = train_run(made, tmp_path / "whole", Toy(), "cpu")
    with pytest.raises(StoppedError):
        train_run(made, tmp_path / "cut", Toy(), "cpu", each_epoch=stop_after(epoch))
    assert (tmp_path / "cut" / STATE).is_file()
    seen: list[int] = []
    cut = train_run(
        made, tmp_path / "cut", Toy(), "cpu", each_epoch=lambda report: seen.append(report.epoch)
    )
    assert seen == list(range(epoch + 1, 4))
    assert same(weights(cut), weights(whole))
    assert whole.weights.read_bytes() == cut.weights.read_bytes()
    assert curve(cut) == curve(whole)
    assert not (tmp_path / "cut" / STATE).exists()


def test_the_prior_is_moved_by_em_first_and_by_gradients_afterwards() -> None:
    """In passes with a refit no gradient moves it; in the others no EM does."""
    made = settings(aggregator="sum_pooling", recipe=True)
    assert refits(made) == 2
    model = start_model(made, Toy())
    trainer, steps, seen = Trainer(model, made, Toy(), make_fabric("cpu")), [], []
    for _ in trainer.epochs(lambda done, total: steps.append(mixture_of(model).loc.clone())):
        seen.append(mixture_of(model).loc.clone())
    first, second, third = (steps[start : start + 4] for start in (0, 4, 8))
    assert all(torch.equal(one, first[0]) for one in first)
    assert all(torch.equal(one, seen[0]) for one in second)
    assert not torch.equal(seen[0], first[0]) and not torch.equal(seen[1], seen[0])
    assert not torch.equal(third[0], seen[1]) and torch.equal(third[-1], seen[2])


def test_a_refit_raises_the_density_of_the_posteriors() -> None:
    made = settings(aggregator="sum_pooling", recipe=True)
    model = start_model(made, Toy())
    points = posterior_draws(model, Toy().batches(0, 0, 500), 0)
    before = model.prior().log_prob(points).mean()
    prior = mixture_of(model)
    prior.become(fit_mixture(points, 3, seed=0))
    after = model.prior().log_prob(points).mean()
    assert float((after - before).detach()) > 0.1


def test_a_refit_needs_a_mixture_of_normals() -> None:
    with pytest.raises(ConfigError, match="refit needs a mixture of normals"):
        from_dict(to_dict(settings()) | {"prior": {"name": "flow", "refit": 0.5}})


def test_half_precision_is_for_networks_alone() -> None:
    """Features, latents and densities are float32. The same bound on real data: `test_shipped`."""
    made = settings(aggregator="sum_pooling", recipe=True, precision="bf16-mixed")
    trainer = Trainer(start_model(made, Toy()), made, Toy(), make_fabric("cpu"))
    for part in trainer.model.parts.values():
        part.half_precision = True  # also where the processor has to imitate it
    assert all(math.isfinite(report.validation_bound) for report in trainer.epochs())
    batch = next(Toy().batches(0, 0, 8))
    features = trainer.model.encode(batch.data, batch.observed)
    posterior = trainer.model.posterior(features, batch.observed)
    latent = posterior.rsample((2,), generator=generator_of(0))
    values = [features, latent, posterior.log_prob(latent), *trainer.model.decode(latent).values()]
    assert {value.dtype for value in values} == {torch.float32}
    half = trainer._validate()
    for part in trainer.model.parts.values():
        part.half_precision = False
    # Eight bits: outputs are off by up to 2^-8 of themselves, which the small scale magnifies.
    assert half == pytest.approx(trainer._validate(), rel=0.02)
    assert half != trainer._validate(), "else nothing was computed in half precision"


@pytest.mark.parametrize("has_half", [True, False])
def test_a_processor_without_bfloat16_trains_in_float32_and_the_card_says_so(
    has_half: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "has_half", lambda device: has_half)
    plain = train_run(settings(epochs=1), tmp_path / "plain", Toy(), "cpu")
    half = train_run(settings(epochs=1, precision="bf16-mixed"), tmp_path / "half", Toy(), "cpu")
    assert (curve(half) == curve(plain)) is not has_half
    assert half.card.hardware.endswith(", in float32") is not has_half
    assert "float32" not in plain.card.hardware


def curve(run: Run) -> list[tuple[int, float, float, float]]:
    """The history without the clock."""
    rows = read_history(run.folder / "history.csv")
    return [(row.epoch, row.training_bound, row.validation_bound, row.rate) for row in rows]


def test_interrupted_inside_an_epoch_the_epoch_is_done_again(finished: Run, tmp_path: Path) -> None:
    calls: list[int] = []

    def each_step(done: int, total: int) -> None:
        calls.append(total)
        if len(calls) == 6:
            raise StoppedError

    with pytest.raises(StoppedError):
        train_run(settings(), tmp_path / "cut", Toy(), "cpu", each_step=each_step)
    assert set(calls) == {4}
    cut = train_run(settings(), tmp_path / "cut", Toy(), "cpu")
    assert same(weights(cut), weights(finished))


@pytest.mark.parametrize("broken", ["write_history", "save"])
def test_killed_while_writing_it_still_goes_on(
    broken: str, finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two files of an epoch was not written, nothing that was trained is lost."""
    with pytest.raises(StoppedError):
        train_run(settings(), tmp_path / "cut", Toy(), "cpu", each_epoch=stop_after(1))

    def killed(*given: Any, **named: Any) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        owner = runs_module if broken == "write_history" else TrainingState
        patch.setattr(owner, broken, killed)
        with pytest.raises(StoppedError):
            train_run(settings(), tmp_path / "cut", Toy(), "cpu")
    cut = train_run(settings(), tmp_path / "cut", Toy(), "cpu")
    assert same(weights(cut), weights(finished))
    assert curve(cut) == curve(finished)


def test_the_seed_decides_the_curve(finished: Run, tmp_path: Path) -> None:
    torch.manual_seed(123)
    again = train_run(settings(), tmp_path / "again", Toy(), "cpu")
    other = train_run(settings(seed=1), tmp_path / "other", Toy(), "cpu")
    assert curve(again) == curve(finished)
    assert same(weights(again), weights(finished))
    assert all(one[1:] != two[1:] for one, two in zip(curve(other), curve(finished), strict=True))


def test_another_configuration_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train_run(settings(), tmp_path, Toy(), "cpu", each_epoch=stop_after(1))
    for made in (settings(epochs=4), settings(aggregator="moe"), settings(seed=1)):
        with pytest.raises(UsageError, match="begun with another configuration"):
            train_run(made, tmp_path, Toy(), "cpu")


def test_a_finished_run_is_not_trained_again(finished: Run) -> None:
    before = finished.weights.read_bytes()
    with pytest.raises(UsageError, match="holds a finished run"):
        train_run(settings(), finished.folder, Toy(), "cpu")
    assert finished.weights.read_bytes() == before


def test_data_that_are_no_numbers_are_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"training data hold 'left' of which every entry is missing"
    ):
        train_run(settings(), tmp_path, Toy(math.nan), "cpu")
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_training_that_diverges_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"diverged in epoch \d.*lower learning_rate"):
        train_run(settings(learning_rate=1e6), tmp_path, Toy(), "cpu")
    assert not (tmp_path / "weights.safetensors").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x04garbage", b"{}", bytes(100)])
def test_a_damaged_state_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train_run(settings(), tmp_path, Toy(), "cpu", each_epoch=stop_after(1))
    (tmp_path / STATE).write_bytes(content)
    with pytest.raises(RunError, match=r"not a readable training state.*delete it to train anew"):
        train_run(settings(), tmp_path, Toy(), "cpu")


def test_a_history_that_lacks_epochs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train_run(settings(), tmp_path, Toy(), "cpu", each_epoch=stop_after(2))
    rows = read_history(tmp_path / "history.csv")
    write_history(tmp_path / "history.csv", rows[:1])
    with pytest.raises(RunError, match="lacks epochs"):
        train_run(settings(), tmp_path, Toy(), "cpu")


def test_devices_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="this machine has none; use cpu"):
        make_fabric("cuda")
    with pytest.raises(UsageError, match="no device 'tpu'; choose auto, cpu or cuda"):
        make_fabric("tpu")


def test_history_comes_back(tmp_path: Path) -> None:
    row = EpochReport(1, -12.5, -13.25, 0.75, 2.0, 0.000999)
    rows = [row, replace(row, epoch=2, validation_bound=-1234.567891)]
    write_history(tmp_path / "history.csv", rows)
    assert read_history(tmp_path / "history.csv") == rows
    header = (tmp_path / "history.csv").read_text().splitlines()[0]
    assert header == "epoch,training_bound,validation_bound,rate,seconds,learning_rate"


def test_the_learning_rate_falls_to_a_fiftieth(finished: Run) -> None:
    """Warm-up takes 200 steps, more than the twelve here; so check the product of both."""
    steps = 3 * EPOCH // 32
    for row in read_history(finished.folder / "history.csv"):
        step = row.epoch * steps // 3 - 1
        cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
        expected = 0.05 * min(1, (step + 1) / 200) * (0.02 + 0.98 * cosine)
        assert row.learning_rate == pytest.approx(expected, abs=1e-6)  # the file has six digits


def test_beta_rises_over_the_warm_up_and_is_whole_after_it() -> None:
    made = settings()
    made = from_dict(
        to_dict(made) | {"objective": {"name": "masked", "warmup_epochs": 3, "beta": 2}}
    )
    assert [beta_at(made, epoch) for epoch in range(5)] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert beta_at(settings(), 0) == 0.5
    assert beta_at(settings(), 1) == 1.0


def test_the_noise_of_a_training_follows_its_seed() -> None:
    """The same items and the same weights at the start, another noise."""

    class Fixed(Toy):
        def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
            return super().batches(0, epoch, size)

    bounds = []
    for seed in (0, 1, 1):
        made = settings(epochs=1, seed=seed)
        trainer = Trainer(build_model(settings()), made, Fixed(), make_fabric("cpu"))
        bounds += [report.training_bound for report in trainer.epochs()]
    assert bounds[0] != bounds[1] == bounds[2]


def test_the_card_tells_how_the_run_came_to_be(finished: Run) -> None:
    card = json.loads((finished.folder / "card.json").read_text())
    assert {key: card[key] for key in ("format", "seed", "epochs", "device", "threads")} == {
        "format": 1,
        "seed": 0,
        "epochs": 3,
        "device": "cpu",
        "threads": torch.get_num_threads(),
    }
    assert card["weights"] == file_hash(finished.weights)
    assert card["bytes"] == finished.weights.stat().st_size
    assert card["parameters"] == sum(value.numel() for value in weights(finished).values())
    seconds = sum(row.seconds for row in read_history(finished.folder / "history.csv"))
    assert card["seconds"] == pytest.approx(seconds, abs=0.06)  # the card has one digit
    assert card["hardware"]
    assert card["torch"] == torch.__version__.split("+")[0] or card["torch"] == torch.__version__
    assert set(card) >= {"finished", "version"}


def test_what_is_on_disk_is_the_trained_model(finished: Run) -> None:
    made = settings()
    trainer = Trainer(build_model(made), made, Toy(), make_fabric("cpu"))
    assert len(list(trainer.epochs())) == 3
    halves = {name: value.half() for name, value in trainer.model.state_dict().items()}
    assert same(weights(finished), halves)
    fresh = {name: value.half() for name, value in build_model(made).state_dict().items()}
    assert not same(weights(finished), fresh)
    assert sorted(path.name for path in finished.folder.iterdir()) == [
        "card.json",
        "config.json",
        "history.csv",
        "weights.safetensors",
    ]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_run_trained_on_a_gpu_is_used_on_a_cpu(precision: str, tmp_path: Path) -> None:
    run = train_run(settings(epochs=1, precision=precision), tmp_path / "run", Toy(), "cuda")
    assert run.card.device == "cuda"
    batch = next(Toy().validation(8))
    posterior = run.model().infer(batch.data, batch.observed)
    assert posterior.mean.device.type == "cpu"
    assert torch.isfinite(posterior.mean).all()
