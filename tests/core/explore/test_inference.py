"""What pages are told of a model: widths of its prior, and live counts of verdicts."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from mmvae_core.build import build_model
from mmvae_core.config import from_dict
from mmvae_core.explore.inference import Verdict, live_coherence, prior_scale
from mmvae_core.explore.lattice import make_lattice
from mmvae_core.model import MultimodalVAE
from mmvae_core.subsets import all_subsets
from tests import small


@pytest.fixture
def model() -> MultimodalVAE:
    """Its prior is a mixture of normals, whose widths are its components' and their distances."""
    prior = {"name": "mixture", "components": 3}
    made = build_model(from_dict(small.settings() | {"prior": prior}))
    small.spread(made)
    return made.eval().requires_grad_(False)


def widths(model: MultimodalVAE) -> np.ndarray:
    """Of a mixture: sum_k w_k (s_k^2 + m_k^2) - (sum_k w_k m_k)^2, its root."""
    log_weights, loc, scale = (one.double().numpy() for one in model.prior().parameters())
    weights = np.exp(log_weights)[:, None]
    mean = (weights * loc).sum(0)
    return np.sqrt((weights * (scale**2 + loc**2)).sum(0) - mean**2)


def test_the_priors_widths_are_those_of_its_mixture(model: MultimodalVAE) -> None:
    assert (np.abs(widths(model) - 1) > 0.01).all()
    np.testing.assert_allclose(prior_scale(model), widths(model), rtol=1e-5)


def test_the_lattice_tells_the_priors_mean_width(model: MultimodalVAE) -> None:
    values = {name: one[0].numpy() for name, one in small.data(1).items()}
    made = make_lattice(model, values, all_subsets(3).numpy(), 2, 0)
    assert made.prior_width == pytest.approx(widths(model).mean(), rel=1e-5)


def test_live_shares_are_of_the_items_own_class() -> None:
    labels = torch.tensor([7, 7, 7, 2, 5]).numpy()
    spelt = np.array([True, True, False, True, False])
    found = live_coherence({"word": Verdict(labels, spelt)}, 2)["word"]
    low, high = binomtest(1, 5).proportion_ci(method="wilson")
    assert (found.right, found.count, found.share, found.spelt) == (1, 5, 0.2, 0.2)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-3)
    assert live_coherence({"word": Verdict(labels, spelt)}, 3)["word"].share == 0
