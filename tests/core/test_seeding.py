"""A seed decides the draws inside and leaves the generator outside alone."""

import torch

from mmvae_core.seeding import seeded


def test_same_seed_same_draws_and_nothing_outside_changes() -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    with seeded(4):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(4):
        assert torch.equal(torch.rand(3), first)
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
