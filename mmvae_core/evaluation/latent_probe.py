"""What a linear classifier reads off the latent."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmvae_core.errors import DataError
from mmvae_core.evaluation.all_subsets import one_subset
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.seeding import generator_of


def latent_probe(posterior: Posterior, labels: np.ndarray, seed: int) -> list[float]:
    """Accuracy per subset of a posterior of batch shape [subset, item], one z ~ q(.|x_S) per item.

    Rows are ordered as `all_subsets`; the first one, of the empty subset, should be at chance.
    """
    rows = range(posterior.mean.shape[0])
    generator = generator_of(seed, posterior.mean.device)
    with torch.no_grad():
        latents = [
            one_subset(posterior, row).rsample(generator=generator).cpu().numpy() for row in rows
        ]
    return [probe_accuracy(latent, labels) for latent in latents]


def probe_accuracy(latents: np.ndarray, labels: np.ndarray) -> float:
    """Two-fold accuracy of a logistic regression on latents [item, latent], labels [item].

    Fitted on the first half of the items and tested on the second half, then the other way
    round; the mean of both. Each latent dimension is standardised on the half that is fitted;
    scikit-learn's default penalty (L2, C = 1). All items are test items of the model, so no latent
    here was seen in training.
    """
    half = len(labels) // 2
    halves = [slice(None, half), slice(half, None)]
    if any(len(np.unique(labels[rows])) < 2 for rows in halves):
        raise DataError(
            f"{len(labels)} items were given of which one half has fewer than two classes; "
            "give more items, in random order."
        )
    scores = []
    for fitted, tested in (halves, halves[::-1]):
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
        probe.fit(latents[fitted], labels[fitted])
        scores.append(probe.score(latents[tested], labels[tested]))
    return float(np.mean(scores))
