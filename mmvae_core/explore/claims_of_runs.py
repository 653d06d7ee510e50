"""Numbers of trained runs, as their files have them or computed from these; `run` is `study/run`."""

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np

from mmvae_core.errors import RunError, UsageError
from mmvae_core.store.run import TRAINED, Latents, Run
from mmvae_core.store.study import find_run, find_study

EVERY = "all"
MOST_REORDERED = 4
"""Modalities of which every order is tried."""


def log_likelihood(root: Path, run: str) -> float:
    """log p(x) of test items as the report has it, nats."""
    return find_run(run, root).report.log_likelihood.joint.mean


def log_likelihood_fall(root: Path, run: str, other: str) -> float:
    """How much less log p(x) of test items is by another run, nats."""
    return log_likelihood(root, run) - log_likelihood(root, other)


def coherence(root: Path, run: str, shown: str, made: str) -> float:
    """Share of test items whose modality `made` is judged right where the subset is shown."""
    found, subset = find_run(run, root), _subset(find_run(run, root), shown)
    right = found.report.coherence.get(subset, {})
    if made not in right:
        raise UsageError(f"The report of {run} has no coherence of {made!r} from {shown!r}.")
    return right[made].share


def joint_coherence(root: Path, run: str, prior: str = TRAINED) -> float:
    """Share of draws of a prior whose modalities are judged the same."""
    told = find_run(run, root).report.of_prior(prior)
    if told is None or told.joint_coherence is None:
        raise UsageError(f"The report of {run} has no coherence of draws of the prior {prior!r}.")
    return told.joint_coherence.share


def mcc(root: Path, run: str, way: str) -> float:
    """The `strong` or the `weak` MCC of E[z | x], on items that nothing was fitted to."""
    from mmvae_core.evaluation.identifiability import strong_mcc, weak_mcc

    ways = {"strong": strong_mcc, "weak": weak_mcc}
    if way not in ways:
        raise UsageError(f"There is no MCC {way!r}; choose strong or weak.")
    found = find_run(run, root)
    true = find_study(found, root).truth()
    if true is None:
        raise UsageError(f"The true latents of {run} are not known; name a run of a made world.")
    return ways[way](true, read_latents(found).mean[-1]).outside


def order_change(root: Path, run: str, items: int = 100) -> float:
    """The largest change of a posterior's moments where the modalities come in reverse order.

    Relative to the largest moment, over the first test items with all modalities shown.
    """
    return reordered(root, run, items)[-1].change


@dataclass(frozen=True)
class Reordered:
    """Modalities in an `order`: E[z | x] `mean` [item, latent], and `change` as in `order_change`."""

    order: tuple[str, ...]
    mean: np.ndarray
    change: float


def reordered(root: Path, run: str, items: int = 100) -> list[Reordered]:
    """Every order of the modalities, that of training first and the reverse last."""
    import torch

    from mmvae_core.evaluation.invariance import moments, order_change

    found = find_run(run, root)
    model = found.model()
    if len(model.names) > MOST_REORDERED:
        raise UsageError(
            f"The run {run} has {len(model.names)} modalities, too many to try every order; name one "
            f"of {MOST_REORDERED} or less."
        )
    samples = find_study(found, root).samples_of(found.config)
    data = {
        name: torch.stack(
            [model.modality(name).kind.tensor(one) for one in samples.data[name][:items]]
        )
        for name in model.names
    }
    shown = torch.ones(len(next(iter(data.values()))), len(model.names), dtype=torch.bool)
    orders = torch.tensor(list(permutations(range(len(model.names)))))
    with torch.no_grad():
        features = model.encode(data, shown)
        return [
            Reordered(
                tuple(model.names[index] for index in order),
                moments(model, features, shown, order)[0].numpy(),
                order_change(model, features, shown, order).relative,
            )
            for order in orders
        ]


def neighbours_kept(root: Path, run: str, way: str, count: int = 10) -> float:
    """Share of an item's nearest neighbours in the latent space that are its nearest on the map."""
    latents = read_latents(find_run(run, root))
    near, seen = (nearest(places, count) for places in (latents.mean[-1], flat(latents, way)))
    return float((near[:, :, None] == seen[:, None, :]).any(-1).mean())


def distances_kept(root: Path, run: str, way: str) -> float:
    """Rank correlation of the distances between the classes' centres, in the latent space and on the map."""
    found = find_run(run, root)
    labels = find_study(found, root).samples().labels
    latents = read_latents(found)
    one, other = (
        np.argsort(np.argsort(_between(_centres(places, labels))))
        for places in (latents.mean[-1], flat(latents, way))
    )
    return float(np.corrcoef(one, other)[0, 1])


def explained(root: Path, run: str) -> float:
    """Share of the variance of E[z | x] that lies along the two axes of the PCA."""
    return float(read_latents(find_run(run, root)).pca_explained.sum())


def read_latents(run: Run) -> Latents:
    """The stored posteriors; RunError where there are none."""
    if not run.is_evaluated:
        raise RunError(
            f"The run {run.id} has no stored posteriors; make them with `python -m mmvae_core evaluate "
            f"{run.named} --save`."
        )
    return run.latents()


def flat(latents: Latents, way: str) -> np.ndarray:
    """Items [item, 2] on a map with all modalities shown."""
    if way not in ("pca", "umap"):
        raise UsageError(f"There is no map {way!r}; choose pca or umap.")
    return (latents.pca if way == "pca" else latents.umap)[-1]


def _subset(run: Run, shown: str) -> str:
    return "+".join(run.config.names) if shown == EVERY else shown


def nearest(places: np.ndarray, count: int) -> np.ndarray:
    """The nearest others [item, count] by Euclidean distance."""
    places = places.astype(np.float64)
    square = (places**2).sum(-1)
    table = square[:, None] + square[None] - 2 * places @ places.T
    np.fill_diagonal(table, np.inf)
    return np.argpartition(table, count, axis=1)[:, :count]


def _centres(places: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([places[labels == label].mean(0) for label in np.unique(labels)])


def _between(centres: np.ndarray) -> np.ndarray:
    """Distances of all pairs [pair]."""
    one, other = np.triu_indices(len(centres), 1)
    return np.linalg.norm(centres[one] - centres[other], axis=-1)
