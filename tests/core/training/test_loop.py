"""The loop is what a training is on paper: batches, drawn subsets, Adam, and a fixed validation."""

import math

import torch

from mmvae_core.build import DrawSubsets, build_subsets
from mmvae_core.seeding import generator_of, pass_seed
from mmvae_core.training.loop import FINAL_RATE, VALIDATION_SEED, WARMUP_STEPS
from mmvae_core.training.runs import make_fabric
from mmvae_core.training.start import start_model
from mmvae_core.training.step import Step
from mmvae_core.training.trainer import Trainer
from tests.core.training.test_training import Toy, settings

EPOCHS, STEPS = 2, 4


def test_a_training_has_the_bits_of_the_same_lines_by_hand() -> None:
    """Weights, bounds and rates, over a warm-up: beta is a half in the first pass, then 1."""
    made = settings(epochs=EPOCHS)
    trainer = Trainer(start_model(made, Toy()), made, Toy(), make_fabric("cpu"))
    reports = list(trainer.epochs())

    model = start_model(made, Toy())
    step, draw = Step(model, made), build_subsets(made)
    adam = torch.optim.Adam(model.parameters(), lr=made.training.learning_rate, fused=True)
    expected = []
    for epoch, beta in enumerate((0.5, 1.0)):
        subsets, noise = (generator_of(pass_seed(made.training.seed, epoch)) for _ in range(2))
        bounds, rates = torch.zeros(()), torch.zeros(())
        for index, batch in enumerate(Toy().batches(made.training.seed, epoch, 32)):
            done = STEPS * epoch + index
            cosine = 0.5 * (1 + math.cos(math.pi * done / (STEPS * EPOCHS)))
            rise = (done + 1) / WARMUP_STEPS
            adam.param_groups[0]["lr"] = 0.05 * (rise * (FINAL_RATE + (1 - FINAL_RATE) * cosine))
            bound, rate = step(batch, draw(batch.observed, subsets), beta, noise)
            adam.zero_grad()
            (-bound).backward()
            adam.step()
            bounds, rates = bounds + bound.detach(), rates + rate.detach()
        expected.append((float(bounds / STEPS), float(rates / STEPS), *validation(step, draw)))

    for name, value in model.state_dict().items():
        assert torch.equal(trainer.model.state_dict()[name], value), name
    told = [(one.training_bound, one.rate, one.validation_bound) for one in reports]
    assert told == expected


@torch.no_grad()
def validation(step: Step, draw: DrawSubsets) -> tuple[float]:
    """The mean bound of the held-out items, at full beta."""
    subsets, noise = generator_of(VALIDATION_SEED), generator_of(VALIDATION_SEED)
    total = 0.0
    for batch in Toy().validation(32):
        bound, _ = step(batch, draw(batch.observed, subsets), 1.0, noise)
        total += float(bound) * len(batch)
    return (total / 100,)
