"""Pathwise draws of mixtures, against answers that are known."""

import pytest
import torch
from torch import Tensor

from mmvae_core.probability.posteriors import Gaussian, GaussianMixture
from mmvae_core.probability.products import times_prior

WEIGHTS = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
LOC = torch.tensor([[-1.0, 0.5], [1.5, -0.3], [0.4, 1.2]], dtype=torch.float64)
SCALE = torch.tensor([[0.5, 1.2], [0.8, 0.6], [1.1, 0.7]], dtype=torch.float64)
SHOWN = torch.ones(1, 1, dtype=torch.bool)


def pathwise(logits: Tensor, loc: Tensor, scale: Tensor) -> GaussianMixture:
    mixture = GaussianMixture(logits.log_softmax(-1), loc, scale)
    mixture.draws = "pathwise"
    return mixture


def test_values_are_those_of_implicit_draws() -> None:
    values = [one.clone().requires_grad_() for one in (WEIGHTS.log(), LOC, SCALE)]
    torch.manual_seed(0)
    one = pathwise(*values).rsample((50,))
    torch.manual_seed(0)
    assert torch.equal(one, GaussianMixture(*values).rsample((50,)))


def test_locations_and_scales_have_their_gradients_and_weights_have_none() -> None:
    """E z^2 = sum_k w_k (m_k^2 + s_k^2): 2 w_k m_k and 2 w_k s_k; weights get nothing."""
    rows, repeats = 400, 100
    torch.manual_seed(0)
    values = [
        one.expand(rows, *one.shape).clone().requires_grad_() for one in (WEIGHTS.log(), LOC, SCALE)
    ]
    total = pathwise(*values).rsample((repeats,)).square().mean(0).sum()
    weights, *gradients = torch.autograd.grad(total, values, allow_unused=True)
    assert weights is None
    for gradient, value in zip(gradients, (LOC, SCALE), strict=True):
        error = gradient.std(0) / rows**0.5
        assert ((gradient.mean(0) - 2 * WEIGHTS[:, None] * value).abs() <= 4 * error).all()
        assert (error < 0.05).all(), "the check must be able to fail"


def test_taken_apart_and_detached_it_stays_pathwise() -> None:
    mixture = pathwise(WEIGHTS.log(), LOC, SCALE)
    assert mixture.rebuilt(*mixture.parameters()).draws == "pathwise"
    assert mixture.detached().draws == "pathwise"


def bound(head: Tensor, prior: GaussianMixture, evidence: Gaussian, draws: int) -> Tensor:
    """log p(x | z) + log p(z) - log q(z), stuck to the landing, q = p(z) N(z; head) / Z."""
    loc, scale = head[:, :2], head[:, 2:].exp()
    posterior = times_prior(prior, Gaussian(loc, scale), SHOWN)
    posterior.draws = "pathwise"
    latent = posterior.rsample((draws,))
    return (
        evidence.log_prob(latent) + prior.log_prob(latent) - posterior.detached().log_prob(latent)
    )


@pytest.mark.parametrize("start", [(0.0, 0.0, 0.0, 0.0), (2.0, -2.0, 0.7, -0.7)])
def test_a_bound_leads_to_the_exact_posterior(start: tuple[float, ...]) -> None:
    """x = z + noise of scale 0.6: the exact posterior is the prior times N(z; x, 0.6).

    At the truth every draw has gradient zero, so that the bias of the weights' missing part is
    none there; from elsewhere gradient steps lead to it.
    """
    prior = GaussianMixture(WEIGHTS.log(), LOC, SCALE)
    evidence = Gaussian(torch.tensor([[0.8, 0.1]]).double(), torch.full((1, 2), 0.6).double())
    truth = torch.cat([evidence.loc, evidence.scale.log()], -1).requires_grad_()
    values = bound(truth, prior, evidence, 200)
    (gradient,) = torch.autograd.grad(values.sum(), truth)
    assert float(gradient.abs().max()) < 1e-10
    assert float(values.detach().std()) < 1e-12, "every draw gives log p(x)"
    head = torch.tensor([start], dtype=torch.float64).requires_grad_()
    optimizer = torch.optim.Adam([head], lr=0.02)
    torch.manual_seed(0)
    for _ in range(1_500):
        optimizer.zero_grad()
        (-bound(head, prior, evidence, 16).mean()).backward()
        optimizer.step()
    torch.testing.assert_close(head.detach(), truth.detach(), rtol=0, atol=0.02)
