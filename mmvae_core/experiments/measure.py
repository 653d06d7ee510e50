"""What is measured on a model of an experiment, all on test items unless a name says otherwise."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.build import build_objective, build_subsets
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Table, TableSource
from mmvae_core.data.worlds.linear import dense_loadings, sparse_loadings
from mmvae_core.evaluation.all_subsets import one_subset, posterior_all_subsets
from mmvae_core.evaluation.exact_linear import LinearGaussian, exact_linear, kl_from_exact
from mmvae_core.evaluation.identifiability import strong_mcc, weak_mcc
from mmvae_core.evaluation.log_likelihood import log_likelihood
from mmvae_core.evaluation.maximum_likelihood import dense_maximum, structured_maximum
from mmvae_core.evaluation.true_likelihood import true_log_likelihood
from mmvae_core.model import MultimodalVAE
from mmvae_core.seeding import generator_of
from mmvae_core.store.history import EpochReport
from mmvae_core.subsets import all_subsets

SAMPLES, ROWS = 1024, 20_000
"""Importance samples of a log-likelihood, and latents decoded at once."""
TRUTH_SAMPLES = 100
"""Draws for each cluster of the true model's log-likelihood."""
KL_ITEMS, KL_SAMPLES = 500, 64
BOUND_DRAWS = 16
SEED = 0
ALL, NOTHING = "all", "nothing"
CURVE, POINTS = "held_out_bound", 24
"""The held-out bound along the training, at so many passes."""


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
    own = (
        _sampled_figures(model, source)
        if exact is None
        else _exact_figures(config, model, exact, source)
    )
    total = own[0].value
    shown = {given: _bound(config, model, source.test.items, given) for given in (ALL, NOTHING)}
    return [
        *own,
        Figure("full_gap", ALL, total - shown[ALL]),
        Figure("bound_shown_nothing", ALL, shown[NOTHING]),
        *_identifiability(model, source),
    ]


def measure_truth(config: RunConfig, source: TableSource) -> list[Figure]:
    """The same of what the data were drawn from, or of the best that a linear model can be.

    `error` is the standard error of a mean of estimates over items, by their weights.
    """
    if source.truth is None:
        return _best_linear(config, source)
    figures = []
    for given, table in _tables(source):
        one = true_log_likelihood(source.truth, table, TRUTH_SAMPLES, SEED)
        assert one.error is not None
        error = float(one.error.square().sum().sqrt()) / len(one.error)
        figures += [
            Figure("log_likelihood", given, float(one.value.mean())),
            Figure("error", given, error),
        ]
    return figures


def curve(reports: Sequence[EpochReport]) -> list[Figure]:
    """The bound on held-out items along the training; `given` names the pass."""
    last = len(reports)
    passes = sorted({max(1, round(last * point / POINTS)) for point in range(1, POINTS + 1)})
    return [Figure(CURVE, str(one), reports[one - 1].validation_bound) for one in passes]


def maximum(config: RunConfig, source: TableSource) -> LinearGaussian:
    """The model of highest training likelihood with the same latents and structure."""
    data = source.train.items.data
    if not config.private:
        return dense_maximum(data, config.latent)
    loadings = [torch.from_numpy(one) for one in sparse_loadings(config)]
    structure = torch.stack([(one != 0).any(0) for one in loadings])
    return structured_maximum(data, dict(zip(config.names, loadings, strict=True)), structure)


def _tables(source: TableSource) -> list[tuple[str, Table]]:
    """The test items, and where there are any the same ones with modalities missing."""
    return [(ALL, source.test), *([("thinned", source.thinned)] if source.thinned else [])]


def _sampled_figures(model: MultimodalVAE, source: TableSource) -> list[Figure]:
    full = all_subsets(len(model.names))[-1]
    return [
        Figure(
            "log_likelihood",
            given,
            float(log_likelihood(model, table.items, full, full, SAMPLES, SEED, ROWS).mean()),
        )
        for given, table in _tables(source)
    ]


def _best_linear(config: RunConfig, source: TableSource) -> list[Figure]:
    """Log-likelihoods of the best linear model, and the true loadings' singular values."""
    best = maximum(config, source)
    figures = [
        Figure(f"log_likelihood{suffix}", ALL, float(best.log_evidence(*_of(table)).mean()))
        for suffix, table in (("", source.test), ("_train", source.train))
    ]
    if config.private:
        return figures
    make = dense_loadings if config.data.name == "linear" else sparse_loadings
    return [*figures, *_singular_values([torch.from_numpy(one) for one in make(config)])]


def _exact_figures(
    config: RunConfig, model: MultimodalVAE, exact: LinearGaussian, source: TableSource
) -> list[Figure]:
    own, train = (
        float(exact.log_evidence(*_of(table)).mean()) for table in (source.test, source.train)
    )
    figures = [
        Figure("log_likelihood", ALL, own),
        Figure("log_likelihood_train", ALL, train),
        Figure("variational_gap", ALL, own - _bound(config, model, source.test.items, None)),
        *_divergences(model, exact, source.test.items),
    ]
    return (
        figures if config.private else [*figures, *_singular_values(list(exact.loadings.values()))]
    )


def _of(table: Table) -> tuple[Mapping[str, Tensor], Tensor]:
    return table.items.data, table.items.observed


def _singular_values(loadings: Sequence[Tensor]) -> list[Figure]:
    """Of all modalities' loadings together, the largest first: how much of each latent is told."""
    values = torch.linalg.svdvals(torch.cat([one.double() for one in loadings]))
    return [Figure("singular_value", str(row + 1), float(one)) for row, one in enumerate(values)]


@torch.no_grad()
def _bound(config: RunConfig, model: MultimodalVAE, items: Batch, shown: str | None) -> float:
    """The training objective on test items: over fresh subsets and noise, or shown this."""
    objective, draw = build_objective(config), build_subsets(config)
    subsets, noise = generator_of(SEED), generator_of(SEED, model.device)
    weights, values = torch.ones(len(model.names)), []
    for _ in range(BOUND_DRAWS):
        subset = draw(items.observed, subsets)
        if shown is not None:
            subset = items.observed & (shown == ALL)
        terms = objective(model, items, subset, 1, True, generator=noise)
        values.append(terms.bound(weights, 1.0).mean())
    return float(torch.stack(values).mean())


def _divergences(model: MultimodalVAE, exact: LinearGaussian, items: Batch) -> list[Figure]:
    """KL(q(z | x_S) || p(z | x_S)) from the learned model's own exact posterior.

    Means over subsets: of all modalities, of pairs, of single ones; and by how many are shown.
    """
    part = items.rows(slice(0, KL_ITEMS))
    posterior, masks = posterior_all_subsets(model, part), all_subsets(len(model.names))
    values = []
    for row in range(len(masks)):
        truth = exact.posterior(part.data, masks[row].expand(len(part), -1))
        q = one_subset(posterior, row)
        values.append(float(kl_from_exact(q, truth, KL_SAMPLES, SEED).value.mean()))
    sizes = masks.sum(1).tolist()
    by_size = [
        (str(size), [row for row, one in enumerate(sizes) if one == size])
        for size in range(len(model.names) + 1)
    ]
    return [
        Figure(name, given, sum(values[row] for row in rows) / len(rows))
        for name, groups in (("kl_to_exact", _groups(masks)), ("kl_by_size", by_size))
        for given, rows in groups
    ]


@torch.no_grad()
def _identifiability(model: MultimodalVAE, source: TableSource) -> list[Figure]:
    """MCC from all modalities, and means over pairs and over single ones."""
    items, true, figures = source.test.items, source.test.latents.numpy(), []
    posterior, masks = posterior_all_subsets(model, items), all_subsets(len(model.names))
    for given, rows in _groups(masks):
        values = []
        for row in rows:
            learned = one_subset(posterior, row).mean.numpy()
            strong, weak = strong_mcc(true, learned), weak_mcc(true, learned)
            values.append((strong.inside, strong.outside, weak.inside, weak.outside))
        names = ("mcc_strong_inside", "mcc_strong", "mcc_weak_inside", "mcc_weak")
        means = (sum(column) / len(column) for column in zip(*values, strict=True))
        figures += [Figure(name, given, mean) for name, mean in zip(names, means, strict=True)]
    return figures


def _groups(masks: Tensor) -> Iterable[tuple[str, list[int]]]:
    """Rows of `all_subsets`: the full set, all pairs, all single modalities."""
    count, size = masks.shape[1], masks.sum(1)
    groups = [
        ("all", [len(masks) - 1]),
        ("pairs", torch.nonzero(size == 2)[:, 0].tolist()),
        ("singles", torch.nonzero(size == 1)[:, 0].tolist()),
    ]
    return [group for group in groups if group[0] != "pairs" or count > 2]
