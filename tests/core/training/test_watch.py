"""Which pass is the best, when patience is over, and whose weights are kept."""

import pytest
import torch
from torch import nn

from mmvae_core.training.watch import Watch


def watched(patience: int, bounds: list[float]) -> tuple[Watch, nn.Linear, list[bool]]:
    """A model of one weight, which is the pass's number; and after which passes it was over."""
    watch, model, over = Watch(patience), nn.Linear(1, 1, bias=False), []
    for epoch, bound in enumerate(bounds, start=1):
        nn.init.constant_(model.weight, epoch)
        watch.see(bound, epoch, model)
        over.append(watch.is_over(epoch))
    return watch, model, over


def test_the_best_pass_is_the_one_of_the_highest_bound() -> None:
    watch, model, over = watched(2, [-9.0, -5.0, -7.0, -6.0])
    assert (watch.epoch, watch.bound) == (2, -5.0)
    assert over == [False, False, False, True], "two passes without a better one"
    watch.settle(model)
    assert model.weight.item() == 2


@pytest.mark.parametrize("bounds", [[-9.0, -5.0, -7.0, -6.0, -8.0]])
def test_without_patience_nothing_is_over_and_the_last_weights_stay(bounds: list[float]) -> None:
    watch, model, over = watched(0, bounds)
    assert not any(over) and watch.epoch == 0
    watch.settle(model)
    assert torch.equal(model.weight, torch.full((1, 1), float(len(bounds))))
