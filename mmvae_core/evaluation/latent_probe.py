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


def latent_probe(
    posterior: Posterior, labels: np.ndarray, seed: int, kept: np.ndarray | None = None
) -> list[float | None]:
    """Accuracy per subset of a posterior of batch shape [subset, item], one z ~ q(.|x_S) per item.

    Rows are ordered as `all_subsets`; the first one, of the empty subset, should be at chance. Items
    of no class, -1, do not count, and of each subset only those that are `kept` [subset, item];
    None where they are of fewer than two classes in either half.
    """
    rows = range(posterior.mean.shape[0])
    generator = generator_of(seed, posterior.mean.device)
    with torch.no_grad():
        latents = [
            one_subset(posterior, row).rsample(generator=generator).cpu().numpy() for row in rows
        ]
    counted = np.broadcast_to(labels >= 0, (len(latents), len(labels)))
    counted = counted if kept is None else counted & kept
    return [
        probe_accuracy(latent[some], labels[some]) if _has_classes(labels[some]) else None
        for latent, some in zip(latents, counted, strict=True)
    ]


def probe_accuracy(latents: np.ndarray, labels: np.ndarray) -> float:
    """Two-fold accuracy of a logistic regression on latents [item, latent], labels [item].

    Fitted on the first half of the items and tested on the second half, then the other way
    round; the mean of both. Each latent dimension is standardised on the half that is fitted;
    scikit-learn's default penalty (L2, C = 1). All items are test items of the model, so no latent
    here was seen in training.
    """
    halves = _halves(len(labels))
    if not _has_classes(labels):
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


def _halves(count: int) -> tuple[slice, slice]:
    return slice(None, count // 2), slice(count // 2, None)


def _has_classes(labels: np.ndarray) -> bool:
    """Whether either half has two classes, without which there is nothing to tell apart."""
    return all(len(np.unique(labels[rows])) > 1 for rows in _halves(len(labels)))
