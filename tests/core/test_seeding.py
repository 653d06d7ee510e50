"""Draws come from the generator that they are given, and no draw waits for another's."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

import numpy as np
import pytest
import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.build import LIKELIHOODS, build_likelihood, build_model
from mmvae_core.config import LikelihoodConfig, from_dict
from mmvae_core.evaluation.all_subsets import all_posteriors
from mmvae_core.evaluation.coherence import joint_coherence
from mmvae_core.evaluation.conflict import conflict
from mmvae_core.evaluation.judge import JudgeTraining, train_judge
from mmvae_core.evaluation.latent_probe import latent_probe
from mmvae_core.evaluation.log_likelihood import log_likelihoods
from mmvae_core.evaluation.rates import cross_rates, distortions
from mmvae_core.explore.inference import generate
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.flow import FlowPrior
from mmvae_core.seeding import generator_of, picked, seeded
from mmvae_core.training.runs import make_fabric
from mmvae_core.training.trainer import Trainer
from tests import family, small

PATIENCE = 120
"""Seconds after which a draw that hangs fails its test; no result depends on it."""


class Items:
    """Random items of the small run, for training as for evaluation."""

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        for start in range(0, 32, size):
            yield batch_of(size, 1_000 * epoch + start)

    def validation(self, size: int) -> Iterator[Batch]:
        yield batch_of(size, 9)


def batch_of(items: int, seed: int = 0) -> Batch:
    return Batch(small.data(items, seed), torch.ones(items, 3, dtype=torch.bool))


def model_of(aggregator: str, prior: str) -> MultimodalVAE:
    settings = {"name": prior, "components": 3, "layers": 1, "width": 8}
    return build_model(
        from_dict(small.settings(aggregator={"name": aggregator}) | {"prior": settings})
    )


def mixed() -> MultimodalVAE:
    """Posteriors and a prior without formulas, so that all figures are drawn."""
    return model_of("mopoe", "mixture")


def trainer_of(epochs: int = 1) -> Trainer:
    """Of a model whose prior is fitted by EM, and whose experts draw components."""
    made = from_dict(
        small.settings(
            aggregator={"name": "moe"},
            training={"epochs": epochs},
            data={"epoch_size": 32},
        )
        | {"prior": {"name": "mixture", "components": 2, "refit": 1.0}}
    )
    return Trainer(build_model(made), made, Items(), make_fabric("cpu"))


@contextmanager
def meanwhile(work: Callable[[Event, Event], object]) -> Iterator[ThreadPoolExecutor]:
    """Inside, `work` goes on in a thread of its own: it sets the first event and awaits the other."""
    there, leave = Event(), Event()
    with ThreadPoolExecutor(3) as pool:
        try:
            working = pool.submit(work, there, leave)
            assert there.wait(PATIENCE)
            yield pool
            assert not working.done()
        finally:
            leave.set()
        working.result(PATIENCE)


def training(there: Event, leave: Event) -> None:
    """A pass that stands still in its first step until it may go on."""

    def each_step(done: int, total: int) -> None:
        there.set()
        assert leave.wait(PATIENCE)

    list(trainer_of().epochs(each_step))


def starting(there: Event, leave: Event) -> None:
    """A library that is drawing from the process's generators."""
    with seeded(0):
        there.set()
        assert leave.wait(PATIENCE)


def figures(model: MultimodalVAE) -> list[Tensor]:
    """All that is measured by drawing."""
    batch = batch_of(6)
    posterior, labels = all_posteriors(model, batch), torch.arange(6) % 2
    judges = {"numbers": lambda means: (means.sum(-1) > 0).long()}
    joint = joint_coherence(model, judges, 1, 20)
    assert joint is not None
    shares = [
        joint.share,
        *latent_probe(posterior, labels.numpy(), 1),
    ]
    (one, *_) = conflict(model, batch, labels, judges, 4, 1).given.values()
    return [
        log_likelihoods(model, batch, 3, seed=1),
        *distortions(model, batch, posterior, 3, seed=1),
        *(rate.value for rate in cross_rates(posterior, 4, seed=1)),
        torch.tensor([*shares, *one.swapped]),
    ]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(left, right) for left, right in zip(one, other, strict=True))


def generated(model: MultimodalVAE, seed: int) -> list[Tensor]:
    given = {"numbers": small.data(1)["numbers"][0].numpy()}
    made = (generate(model, one, 5, seed).at_draws for one in (given, {}))
    return [torch.from_numpy(values) for one in made for values in one.values()]


def trained() -> list[Tensor]:
    trainer = trainer_of()
    list(trainer.epochs())
    return list(trainer.state().tensors.values())


@pytest.mark.parametrize("prior", ["standard_normal", "mixture", "flow"])
def test_a_draw_does_not_wait_for_a_training(prior: str) -> None:
    """The training stands inside a step; the draw comes all the same, and is what it is alone."""
    model = model_of("moe", prior)
    alone = generated(model, 3)
    with meanwhile(training) as pool:
        assert same(pool.submit(generated, model, 3).result(PATIENCE), alone)


def test_a_model_is_built_and_opened_while_another_one_trains() -> None:
    alone = list(mixed().state_dict().values())
    with meanwhile(training) as pool:
        assert same(list(pool.submit(mixed).result(PATIENCE).state_dict().values()), alone)


def test_a_draw_has_no_effect_on_the_training_beside_it() -> None:
    model, alone, found = mixed(), trained(), []

    def work(there: Event, leave: Event) -> None:
        def each_step(done: int, total: int) -> None:
            there.set()
            assert leave.wait(PATIENCE)

        trainer = trainer_of()
        list(trainer.epochs(each_step))
        found.extend(trainer.state().tensors.values())

    with meanwhile(work) as pool:
        pool.submit(figures, model).result(PATIENCE)
    assert same(found, alone)


def test_whatever_is_measured_or_trained_waits_for_no_library() -> None:
    model = mixed()
    trainer, alone = trainer_of(), (figures(model), trained())
    with meanwhile(starting) as pool:
        assert same(pool.submit(figures, model).result(PATIENCE), alone[0])
        pool.submit(lambda: list(trainer.epochs())).result(PATIENCE)
    assert same(list(trainer.state().tensors.values()), alone[1])


def test_two_at_once_draw_what_each_draws_alone() -> None:
    """Both start together and draw often, so that their draws fall between one another's."""
    model, start = mixed(), Barrier(2)

    def often(seed: int) -> list[Tensor]:
        start.wait(PATIENCE)
        return [one for _ in range(20) for one in generated(model, seed)]

    alone = {seed: generated(model, seed) * 20 for seed in (3, 4)}
    with ThreadPoolExecutor(2) as pool:
        for seed, found in zip(alone, pool.map(often, alone), strict=True):
            assert same(found, alone[seed])
    assert not same(alone[3], alone[4])


def test_measuring_training_and_judging_leave_the_global_generator_alone() -> None:
    model, before = mixed(), torch.get_rng_state()
    figures(model), generated(model, 0), trained()
    pictures = np.random.default_rng(0).integers(0, 255, (20, 1, 8, 8), dtype=np.uint8)
    train_judge(pictures, np.arange(20) % 10, JudgeTraining(epochs=1, batch=10))
    assert torch.equal(torch.get_rng_state(), before)


EVERY = family.EVERY | {"flow prior": {"name": "poe", "prior": "flow"}}


@pytest.mark.parametrize("settings", EVERY.values(), ids=EVERY)
@torch.no_grad()
def test_all_noise_of_a_posterior_is_its_generators(settings: dict) -> None:
    """Equal seeds draw the same twice, another seed does not, and the global stream stays put."""
    model = build_model(family.run(**settings)).double()
    family.spread(model)
    features = torch.randn(4, 3, family.FEATURES, generator=generator_of(0)).double()
    subset = torch.tensor([[False] * 3, [True, False, False], [False, True, True], [True] * 3])
    for one in (model.posterior(features, subset), model.prior()):
        before = torch.get_rng_state()
        draws = [one.rsample((5,), generator=generator_of(seed)) for seed in (1, 1, 2)]
        assert torch.equal(draws[0], draws[1])
        assert not (draws[0] == draws[2]).all(-1).any()
        assert torch.equal(torch.get_rng_state(), before)


@torch.no_grad()
def test_a_flow_draws_what_its_library_draws() -> None:
    flow = FlowPrior(3, 8, 2)
    family.spread(flow)
    flow.standardise(torch.tensor([[0.0, 1.0, 2.0], [3.0, -1.0, 0.5]]))
    with seeded(6):
        expected = flow.shift + flow.scale * flow.flow().rsample(torch.Size((7,)))
    assert torch.equal(flow().rsample((7,), generator=generator_of(6)), expected)


def test_components_are_picked_as_the_library_picks_them() -> None:
    probs = torch.rand(4, 3, 5, generator=generator_of(0)).softmax(-1)
    for shape in ((), (6,), (2, 3)):
        with seeded(1):
            expected = torch.distributions.Categorical(probs).sample(torch.Size(shape))
        drawn = picked(torch.distributions.Categorical(probs).probs, shape, generator_of(1))
        assert torch.equal(drawn, expected)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_likelihoods_draws_are_its_generators(name: str) -> None:
    shape = (4, 5) if name in ("categorical", "categories") else (20,)
    likelihood = build_likelihood(shape, LikelihoodConfig(name=name))
    outputs, before = torch.zeros(30, *likelihood.outputs), torch.get_rng_state()
    one, two, other = (
        likelihood.sample(outputs, generator=generator_of(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_same_seed_same_draws_and_nothing_outside_changes() -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    with seeded(4):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(4):
        assert torch.equal(torch.rand(3), first)
    assert torch.equal(torch.rand(3, generator=generator_of(4)), first)
    with seeded(5):
        assert not torch.equal(torch.rand(3), first)


def test_generator_is_given_back_after_an_error() -> None:
    before = torch.get_rng_state()
    try:
        with seeded(4):
            raise KeyError
    except KeyError:
        pass
    assert torch.equal(torch.get_rng_state(), before)
