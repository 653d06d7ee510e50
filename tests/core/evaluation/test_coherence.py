"""Coherence where the answer is known: fake judges, and models that copy or forget."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, norm
from torch import Tensor, nn

from mmvae_core.batch import Batch
from mmvae_core.build import build_likelihood
from mmvae_core.config import LikelihoodConfig, ModalityConfig
from mmvae_core.data.digits.words import placements
from mmvae_core.evaluation.all_subsets import all_posteriors
from mmvae_core.evaluation.coherence import (
    ConfidentJudge,
    conditional_coherence,
    joint_coherence,
    judge_latents,
)
from mmvae_core.evaluation.digit_judges import WordJudge, digit_judges
from mmvae_core.evaluation.judge import Judge
from mmvae_core.intervals import wilson
from mmvae_core.modalities.modality import Modality
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Gaussian
from mmvae_core.probability.priors import StandardNormalPrior
from tests import rounding
from tests.small import Written


class FirstShown(Written):
    """z is what modality `teller` says, nearly without noise; all others say nothing."""

    def aggregate(self, features: Tensor, subset: Tensor) -> Gaussian:
        return Gaussian(features[:, 0], torch.full_like(features[:, 0], 1e-6))


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, latent: Tensor) -> Tensor:
        return self.factor * latent


def copying(factor: float) -> MultimodalVAE:
    config = LikelihoodConfig(name="normal")
    modalities = [
        Modality(
            ModalityConfig(name=name, shape=(4,), likelihood=config),
            nn.Identity(),
            Times(by),
            build_likelihood((4,), config),
        )
        for name, by in (("teller", 1.0), ("other", factor))
    ]
    return MultimodalVAE(modalities, FirstShown(), StandardNormalPrior(4))


def largest(means: Tensor) -> Tensor:
    return means.argmax(-1)


def test_conditional_coherence_counts_right_items() -> None:
    labels = torch.arange(1_200) % 4
    one_hot = nn.functional.one_hot(labels, 4).float()
    batch = Batch({"teller": one_hot, "other": one_hot}, torch.ones(1_200, 2, dtype=torch.bool))
    model = copying(1.0)
    judges = {"teller": largest, "other": lambda means: torch.ones(len(means), dtype=torch.long)}
    found = conditional_coherence(model, all_posteriors(model, batch), labels, judges, 0)
    assert list(found) == ["teller", "other", "teller+other"]
    assert found["teller"]["teller"].right == found["teller+other"]["teller"].right == 1_200
    assert 0.2 < found["other"]["teller"].share < 0.3
    for row in found.values():
        assert row["other"].right == 300
        assert row["other"].count == 1_200
        assert row["other"].low < row["other"].share == 0.25 < row["other"].high


@pytest.mark.parametrize(("factor", "share"), [(1.0, 1.0), (-1.0, 0.0)])
def test_joint_coherence_of_copies_and_opposites(factor, share) -> None:
    judges = {"teller": largest, "other": largest}
    found = joint_coherence(copying(factor), judges, 0, samples=700)
    assert found is not None
    assert found.share == share
    assert found.count == 700
    assert found.modalities == ("teller", "other")
    assert joint_coherence(copying(factor), {}, 0) is None


def test_words_are_judged_and_spelt(make_model) -> None:
    model, (codes, labels) = make_model("poe"), placements()
    exact = nn.functional.one_hot(torch.from_numpy(codes), 27).float()
    judge = WordJudge()
    assert (judge(exact).numpy() == labels).all()
    assert judge.spelt(exact).all()
    wrong = exact.clone()
    wrong[:, 0] = nn.functional.one_hot(torch.tensor(24), 27)
    assert not judge.spelt(wrong).any()
    named, spelt = judge_latents(model, torch.randn(5, 3), {"word": judge})
    assert named["word"].shape == (5,)
    assert spelt == {"word": 0.0}


def test_digit_judges_cover_pictures_and_words() -> None:
    judges = digit_judges({"photo": Judge((3, 16, 16))})
    pictures = torch.randn(3, 3, 16, 16)
    assert list(judges) == ["photo", "word"]
    named = judges["photo"](pictures)
    assert named.dtype == torch.int64
    assert torch.equal(named, judges["photo"](pictures.clamp(0, 1)))


@pytest.mark.parametrize(("right", "count"), [(0, 10), (3, 10), (10, 10), (1_234, 2_000)])
def test_wilson_against_scipy(right, count) -> None:
    expected = binomtest(right, count).proportion_ci(0.95, "wilson")
    found = wilson(right, count, float(norm.ppf(0.975)))
    assert np.allclose(found, (expected.low, expected.high), atol=1e-12)


def test_wilson_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_judges_tell_how_sure_they_are() -> None:
    torch.manual_seed(0)
    judges = digit_judges({"picture": Judge((1, 12, 12))})
    means = {"picture": torch.rand(9, 1, 12, 12), "word": torch.rand(9, 8, 27).softmax(-1)}
    for name, judge in judges.items():
        assert isinstance(judge, ConfidentJudge)
        shares = judge.probabilities(means[name])
        near = 2 * rounding.of_sum(shares, shares.dtype, -1)  # of the softmax's sum and of this
        assert rounding.within(shares.sum(-1), torch.ones(9), near)
        assert torch.equal(shares.argmax(-1), judge(means[name]))
