"""The true model's log-likelihood against quadrature, a closed form and its own stated error."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from mmvae_core.batch import Batch
from mmvae_core.data.source import Table
from mmvae_core.data.truth import Truth
from mmvae_core.evaluation.true_likelihood import true_log_likelihood
from mmvae_core.networks.mixing import MixingNetwork


def network(generator: np.random.Generator, latent: int, size: int, slope: float) -> MixingNetwork:
    weights = [generator.standard_normal((size, latent)), generator.standard_normal((size, size))]
    shifts = [generator.standard_normal(size)]
    return MixingNetwork((size,), 1, latent).double().adopt(weights, shifts, slope)


def world(latent: int, slope: float, noise: float) -> Truth:
    generator = np.random.default_rng(0)
    centres = torch.from_numpy(generator.standard_normal((3, latent)))
    spreads = torch.from_numpy(generator.uniform(0.4, 1.2, (3, latent)))
    maps = {name: network(generator, latent, size, slope) for name, size in (("a", 3), ("b", 4))}
    return Truth(centres, spreads, maps, noise)


def items(truth: Truth, count: int) -> Table:
    """Items of the world; of every third one the second modality is missing, as NaN."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(count) % 3
    noise = torch.randn(count, truth.centres.shape[1], dtype=torch.float64, generator=generator)
    latents = truth.centres[labels] + truth.spreads[labels] * noise
    data = {
        name: one(latents)
        + truth.noise * torch.randn(count, *one.shape, dtype=torch.float64, generator=generator)
        for name, one in truth.maps.items()
    }
    observed = torch.ones(count, 2, dtype=torch.bool)
    observed[::3, 1] = False
    data["b"][::3] = torch.nan
    return Table(Batch(data, observed), latents, labels)


def test_of_one_latent_it_is_the_integral() -> None:
    truth = world(1, 0.2, 0.5)
    table = items(truth, 12)
    found = true_log_likelihood(truth, table, 20_000, 0)
    for row in range(12):

        def density(value: float, row: int = row) -> float:
            latent = torch.tensor([[value]], dtype=torch.float64)
            prior = np.mean(
                [
                    stats.norm.pdf(value, float(centre), float(spread))
                    for centre, spread in zip(truth.centres, truth.spreads, strict=True)
                ]
            )
            logs = [
                stats.norm.logpdf(table.items.data[name][row], one(latent)[0], truth.noise).sum()
                for index, (name, one) in enumerate(truth.maps.items())
                if table.items.observed[row, index]
            ]
            return prior * math.exp(sum(logs))

        near = float(table.latents[row, 0])
        total, _ = integrate.quad(density, -12, 12, points=[near, *truth.centres[:, 0].tolist()],
                                  limit=400)  # fmt: skip
        assert found.error is not None
        assert float(found.error[row]) < 0.02
        assert float(found.value[row]) == pytest.approx(
            math.log(total), abs=5 * float(found.error[row]) + 1e-6
        )


def test_of_straight_maps_it_is_a_mixture_of_normals() -> None:
    """Slope 1 makes the map affine, so that each cluster gives a normal."""
    truth = world(3, 1.0, 0.3)
    table = items(truth, 30)
    found = true_log_likelihood(truth, table, 4_000, 0)
    assert found.error is not None
    zero = torch.zeros(1, 3, dtype=torch.float64)
    for row in range(30):
        seen = [name for index, name in enumerate(truth.maps) if table.items.observed[row, index]]
        offset = torch.cat([truth.maps[name](zero)[0] for name in seen]).numpy()
        loading = torch.cat([truth.maps[name].with_jacobian(zero)[1][0] for name in seen]).numpy()
        data = torch.cat([table.items.data[name][row] for name in seen]).numpy()
        logs = [
            stats.multivariate_normal.logpdf(
                data,
                offset + loading @ centre,
                loading @ np.diag(spread**2) @ loading.T + truth.noise**2 * np.eye(len(data)),
            )
            for centre, spread in zip(truth.centres.numpy(), truth.spreads.numpy(), strict=True)
        ]
        expected = np.logaddexp.reduce(logs) - math.log(3)
        error = float(found.error[row])
        assert error < 0.05
        assert float(found.value[row]) == pytest.approx(expected, abs=5 * error + 1e-6)


def test_a_label_keeps_its_own_cluster_alone() -> None:
    truth = world(2, 0.2, 0.4)
    table = items(truth, 9)
    labelled = Truth(truth.centres, truth.spreads, truth.maps, truth.noise, "label")
    data = dict(table.items.data) | {"label": table.labels[:, None]}
    seen = torch.cat([table.items.observed, torch.ones(9, 1, dtype=torch.bool)], 1)
    parts = []
    for label in range(3):
        codes = torch.full((9, 1), label)
        whole = Table(Batch(data | {"label": codes}, seen), table.latents, table.labels)
        parts.append(true_log_likelihood(labelled, whole, 500, 0).value)
    together = true_log_likelihood(truth, table, 500, 0).value
    torch.testing.assert_close(torch.stack(parts).logsumexp(0), together, rtol=0, atol=1e-9)


def test_the_stated_error_is_the_spread_over_seeds() -> None:
    truth = world(4, 0.2, 0.4)
    table = items(truth, 20)
    found = [true_log_likelihood(truth, table, 200, seed) for seed in range(40)]
    spread = torch.stack([one.value for one in found]).std(0)
    stated = torch.stack([one.error for one in found if one.error is not None]).mean(0)
    assert 0.7 < float((spread / stated).median()) < 1.4


def test_a_jacobian_is_the_derivative() -> None:
    one = network(np.random.default_rng(3), 3, 5, 0.1)
    latent = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    clean, slopes = one.with_jacobian(latent)
    torch.testing.assert_close(clean, one(latent))
    for row in range(6):
        expected = torch.autograd.functional.jacobian(one, latent[row : row + 1])[0, :, 0]
        torch.testing.assert_close(slopes[row], expected)
