"""The probe finds a class that is there and none that is not."""

import numpy as np
import pytest
import torch

from mmvae_core.errors import DataError
from mmvae_core.evaluation.latent_probe import latent_probe, probe_accuracy
from mmvae_core.probability.posteriors import Gaussian


def test_separable_and_shuffled_classes() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 400)
    clusters = np.eye(4)[labels] * 1_000 + random.normal(size=(400, 4))
    assert probe_accuracy(clusters, labels) == 1
    assert abs(probe_accuracy(random.normal(size=(400, 50)), labels) - 0.25) < 0.08


def test_one_accuracy_per_subset_reproducible() -> None:
    labels = np.arange(200) % 2
    told = torch.from_numpy(labels)[:, None].float() * 5
    posterior = Gaussian(torch.stack([torch.zeros(200, 1), told]), torch.ones(2, 200, 1))
    found = latent_probe(posterior, labels, 0)
    assert abs(found[0] - 0.5) < 0.12
    assert found[1] > 0.97
    assert latent_probe(posterior, labels, 0) == found


def test_too_few_classes_is_an_error() -> None:
    with pytest.raises(DataError, match="fewer than two classes"):
        probe_accuracy(np.zeros((4, 2)), np.array([0, 0, 1, 1]))
