"""What is measured on a model of an experiment, all on test items unless a name says otherwise."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.build import build_objective, build_subsets
from mmvae_core.config import RunConfig
from mmvae_core.data.linear import sparse_loadings
from mmvae_core.data.source import TableSource
from mmvae_core.evaluation.all_subsets import one_subset, posterior_all_subsets
from mmvae_core.evaluation.exact_linear import LinearGaussian, exact_linear, kl_from_exact
from mmvae_core.evaluation.identifiability import strong_mcc, weak_mcc
from mmvae_core.evaluation.log_likelihood import log_likelihood
from mmvae_core.evaluation.maximum_likelihood import dense_maximum, structured_maximum
from mmvae_core.model import MultimodalVAE
from mmvae_core.seeding import generator_of
from mmvae_core.subsets import all_subsets

SAMPLES, ROWS = 256, 20_000
"""Importance samples of a log-likelihood, and latents decoded at once."""
KL_ITEMS, KL_SAMPLES = 500, 64
BOUND_DRAWS = 16
SEED = 0


@dataclass(frozen=True)
class Figure:
    """One measured number; `given` names the subset, or `all`, `pairs`, `singles` (means)."""

    figure: str
    given: str
    value: float


def measure(config: RunConfig, model: MultimodalVAE, source: TableSource) -> list[Figure]:
    """All figures of a model; log-likelihoods, bounds and KLs in nats per item."""
    model.eval()
    exact = exact_linear(model)
    figures = [] if exact is None else _exact_figures(config, model, exact, source)
    if exact is None:
        full = all_subsets(len(model.names))[-1]
        value = log_likelihood(model, source.test.items, full, full, SAMPLES, SEED, ROWS).mean()
        figures.append(Figure("log_likelihood", "all", float(value)))
    return [*figures, *_identifiability(model, source)]


def maximum(config: RunConfig, source: TableSource) -> LinearGaussian:
    """The model of highest training likelihood with the same latents and structure."""
    data = source.train.items.data
    if not config.private:
        return dense_maximum(data, config.latent)
    loadings = [torch.from_numpy(one) for one in sparse_loadings(config)]
    structure = torch.stack([(one != 0).any(0) for one in loadings])
    return structured_maximum(data, dict(zip(config.names, loadings, strict=True)), structure)


def _exact_figures(
    config: RunConfig, model: MultimodalVAE, exact: LinearGaussian, source: TableSource
) -> list[Figure]:
    best, figures = maximum(config, source), []
    for suffix, table in (("", source.test), ("_train", source.train)):
        items = table.items
        own, top = (
            float(one.log_evidence(items.data, items.observed).mean()) for one in (exact, best)
        )
        figures += [
            Figure("log_likelihood" + suffix, "all", own),
            Figure("maximum_likelihood" + suffix, "all", top),
        ]
    relative = (figures[3].value - figures[2].value) / abs(figures[3].value)
    gap = figures[0].value - _bound(config, model, source.test.items)
    return [
        *figures,
        Figure("relative_shortfall_train", "all", relative),
        Figure("variational_gap", "all", gap),
        *_divergences(model, exact, source.test.items),
    ]


@torch.no_grad()
def _bound(config: RunConfig, model: MultimodalVAE, items: Batch) -> float:
    """The training objective on test items, over fresh subsets and noise."""
    objective, draw = build_objective(config), build_subsets(config)
    subsets, noise = generator_of(SEED), generator_of(SEED, model.device)
    weights = torch.ones(len(model.names))
    values = [
        objective(model, items, draw(items.observed, subsets), 1, True, generator=noise)
        .bound(weights, 1.0)
        .mean()
        for _ in range(BOUND_DRAWS)
    ]
    return float(torch.stack(values).mean())


def _divergences(model: MultimodalVAE, exact: LinearGaussian, items: Batch) -> list[Figure]:
    """KL(q(z | x_S) || p(z | x_S)) from the learned model's own exact posterior."""
    part = items.rows(slice(0, KL_ITEMS))
    posterior, masks = posterior_all_subsets(model, part), all_subsets(len(model.names))
    found = []
    for given, rows in _groups(masks):
        values = []
        for row in rows:
            truth = exact.posterior(part.data, masks[row].expand(len(part), -1))
            q = one_subset(posterior, row)
            values.append(float(kl_from_exact(q, truth, KL_SAMPLES, SEED).value.mean()))
        found.append(Figure("kl_to_exact", given, sum(values) / len(values)))
    return found


@torch.no_grad()
def _identifiability(model: MultimodalVAE, source: TableSource) -> list[Figure]:
    """MCC from all modalities, and means over pairs and over single ones."""
    items, true, found = source.test.items, source.test.latents.numpy(), []
    posterior, masks = posterior_all_subsets(model, items), all_subsets(len(model.names))
    for given, rows in _groups(masks):
        values = []
        for row in rows:
            learned = one_subset(posterior, row).mean.numpy()
            strong, weak = strong_mcc(true, learned), weak_mcc(true, learned)
            values.append((strong.inside, strong.outside, weak.inside, weak.outside))
        names = ("mcc_strong_inside", "mcc_strong", "mcc_weak_inside", "mcc_weak")
        means = (sum(column) / len(column) for column in zip(*values, strict=True))
        found += [Figure(name, given, mean) for name, mean in zip(names, means, strict=True)]
    return found


def _groups(masks: Tensor) -> Iterable[tuple[str, list[int]]]:
    """Rows of `all_subsets`: the full set, all pairs, all single modalities."""
    count, size = masks.shape[1], masks.sum(1)
    groups = [
        ("all", [len(masks) - 1]),
        ("pairs", torch.nonzero(size == 2)[:, 0].tolist()),
        ("singles", torch.nonzero(size == 1)[:, 0].tolist()),
    ]
    return [group for group in groups if group[0] != "pairs" or count > 2]
