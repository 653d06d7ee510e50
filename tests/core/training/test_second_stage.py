"""Priors fitted to a finished run, in a linear world whose aggregate posterior is known."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.config import from_dict
from mmvae_core.errors import RunError
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.flow import FlowPrior
from mmvae_core.probability.priors import StandardNormalPrior
from mmvae_core.seeding import generator_of
from mmvae_core.store.fitted_priors import Settings, load_prior, save_priors
from mmvae_core.store.run import FITTED, TRAINED, Run
from mmvae_core.store.weights import save_weights
from mmvae_core.training.prior_fit import posterior_draws
from mmvae_core.training.second_stage import fit_flow, fit_priors
from tests import small
from tests.oracles.linear_gaussian import LinearGaussian

WORLD = LinearGaussian.random()
FAR = torch.tensor([2.0, -1.0], dtype=torch.float64)


class Linear:
    """Data of the world; its posteriors are exact, so that their aggregate is the true p(z)."""

    def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
        yield from self._cut(WORLD.draw(10_000, seed), size)

    def validation(self, size: int) -> Iterator[Batch]:
        yield from self._cut(WORLD.draw(4_000, 77), size)

    def _cut(self, batch: Batch, size: int) -> Iterator[Batch]:
        for start in range(0, len(batch), size):
            yield batch.rows(slice(start, start + size))


class Misplaced(StandardNormalPrior):
    """A prior that training left beside the posteriors."""

    def forward(self):
        return type(super().forward())(self.zeros + FAR, torch.ones_like(self.zeros))


def misplaced() -> MultimodalVAE:
    """The exact encoder of z ~ N(0, I), with its prior moved away: the posteriors stay."""
    model = WORLD.model()
    model.prior = Misplaced(WORLD.latent).double()
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def stage() -> tuple[dict, dict, Tensor]:
    config = small.config("poe", latent=WORLD.latent)
    torch.set_default_dtype(torch.float64)
    try:
        found, card = fit_priors(misplaced(), config, Linear(), Settings(components=4, width=32))
    finally:
        torch.set_default_dtype(torch.float32)
    fresh = posterior_draws(misplaced(), Linear().validation(500), 5)
    return found, card, fresh


@pytest.mark.parametrize("kind", FITTED)
def test_both_find_the_aggregate_posterior(stage: tuple, kind: str) -> None:
    """It is N(0, I), of which E log p(z) is known; no prior can be likelier on fresh draws."""
    found, _, fresh = stage
    truth = torch.distributions.Normal(0.0, 1.0).log_prob(fresh).sum(-1)
    with torch.no_grad():
        gap = truth - found[kind]().log_prob(fresh)
    error = float(gap.std() / len(gap) ** 0.5)
    assert -4 * error < float(gap.mean()) < 0.03
    draws = found[kind]().rsample((20_000,), generator=generator_of(0)).detach()
    torch.testing.assert_close(draws.mean(0), torch.zeros(2).double(), rtol=0, atol=0.06)
    torch.testing.assert_close(draws.T.cov(), torch.eye(2).double(), rtol=0, atol=0.1)


def test_a_flow_finds_what_lies_far_from_the_origin() -> None:
    """Beyond its splines, which end at 5, and of another size in each latent."""
    truth = torch.distributions.Normal(
        torch.tensor([40.0, -7.0]).double(), torch.tensor([9.0, 0.02]).double()
    )
    torch.manual_seed(0)
    flow = FlowPrior(2, 8, 1).double()
    fit_flow(flow, truth.sample((4_000,)), seed=0, passes=2)
    fresh = truth.sample((4_000,))
    with torch.no_grad():
        gap = truth.log_prob(fresh).sum(-1) - flow().log_prob(fresh)
    assert -4 * float(gap.std()) / 4_000**0.5 < float(gap.mean()) < 0.03


def test_the_card_tells_what_each_prior_is_worth_on_held_out_items(stage: tuple) -> None:
    _, card, _ = stage
    entropy = -(1 + math.log(2 * math.pi))  # E log N(z; 0, I) of two latents
    shift = float(FAR.square().sum()) / 2
    wanted = {"trained": entropy - shift, "mixture": entropy, "flow": entropy}
    assert list(card.held_out) == list(wanted)
    for name, value in wanted.items():
        one = card.held_out[name]
        assert one.mean == pytest.approx(value, abs=4 * one.error + 0.03), name
        assert 0.005 < one.error < 0.06
    assert card.items == 10_000 and card.held_out_items == 4_000


@pytest.fixture(
    params=[{"name": "poe"}, {"name": "sum_pooling", "prior_product": True}],
    ids=["product", "times the prior"],
)
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    return small.write_study(
        tmp_path, from_dict(small.settings(latent=2, private=1, aggregator=request.param))
    )


def fitted(run: Run) -> dict:
    class Items:
        def batches(self, seed: int, epoch: int, size: int) -> Iterator[Batch]:
            yield Batch(small.data(200, seed), torch.ones(200, 3, dtype=torch.bool))

        def validation(self, size: int) -> Iterator[Batch]:
            yield from self.batches(9, 0, size)

    settings = Settings(components=3, width=8, layers=1)
    found, card = fit_priors(run.model(), run.config, Items(), settings)
    save_priors(run, found, card)
    return found


def test_they_come_back_from_disk_with_private_latents_beside_them(run: Run) -> None:
    assert run.priors == (TRAINED,)
    found = fitted(run)
    assert run.priors == (TRAINED, *FITTED)
    points = torch.randn(50, 5, generator=torch.Generator().manual_seed(0))
    private = torch.distributions.Normal(0.0, 1.0).log_prob(points[:, 2:]).sum(-1)
    for kind in FITTED:
        with torch.no_grad():
            expected = found[kind]().log_prob(points[:, :2]) + private
            value = load_prior(run, kind).log_prob(points)
        # Stored in half precision: eleven bits of each parameter.
        torch.testing.assert_close(value, expected, rtol=0.02, atol=0.05)
        assert load_prior(run, kind).rsample((7,), generator=generator_of(0)).shape == (7, 5)


def test_priors_of_other_weights_are_refused(run: Run) -> None:
    fitted(run)
    small.spread(model := run.model(), seed=4)
    save_weights(model, run.weights)
    with pytest.raises(RunError, match="was fitted to other weights than the run has"):
        load_prior(run, "mixture")


@pytest.mark.parametrize(
    "damage",
    [
        {"components": 10**9},
        {"components": "many"},
        {"width": None},
        {"layers": 4},
    ],
)
def test_a_damaged_card_is_one_sentence(run: Run, damage: dict) -> None:
    fitted(run)
    path = run.folder / "priors.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(RunError) as error:
        load_prior(run, "mixture" if "components" in damage else "flow")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"not tensors"])
def test_a_damaged_file_is_one_sentence(run: Run, content: bytes) -> None:
    fitted(run)
    (run.folder / "priors.safetensors").write_bytes(content)
    with pytest.raises(RunError, match="cannot be read"):
        load_prior(run, "flow")
