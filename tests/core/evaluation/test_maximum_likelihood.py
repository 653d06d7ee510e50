"""The linear-Gaussian model of highest likelihood: no slope, no better neighbour, a known truth."""

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from mmvae_core.errors import UsageError
from mmvae_core.evaluation.exact_linear import LinearGaussian
from mmvae_core.evaluation.maximum_likelihood import dense_maximum, structured_maximum
from tests.oracles.exact_linear import ExactLinear

SIZES, SCALE = (4, 3, 5), 0.7
FULL = torch.ones(3, 2, dtype=torch.bool)
SPARSE = torch.tensor(
    [[True, True, False, False], [True, False, True, False], [True, False, False, True]]
)


def data_of(oracle: ExactLinear, count: int) -> dict[str, Tensor]:
    return dict(zip("abc", oracle.sample(count), strict=True))


def mean_log_likelihood(model: LinearGaussian, data: dict[str, Tensor]) -> float:
    masks = torch.ones(len(data["a"]), 3, dtype=torch.bool)
    return float(model.log_evidence(data, masks).mean())


def joint(model: LinearGaussian) -> Tensor:
    """All loadings under each other [numbers, latent]."""
    return torch.cat(list(model.loadings.values()))


def slope(model: LinearGaussian, data: dict[str, Tensor]) -> Tensor:
    """The gradient of the mean log-likelihood, written anew, with respect to the loadings."""
    loading, offset = joint(model).requires_grad_(), torch.cat(list(model.offsets.values()))
    covariance = loading @ loading.T + SCALE**2 * torch.eye(len(offset), dtype=torch.float64)
    value = MultivariateNormal(offset, covariance).log_prob(torch.cat(list(data.values()), -1))
    mean = value.mean()
    assert float(mean.detach()) == pytest.approx(mean_log_likelihood(model, data), rel=1e-10)
    return torch.autograd.grad(mean, loading)[0]


def start(structure: Tensor) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    return {
        name: torch.randn(size, structure.shape[1], generator=generator, dtype=torch.float64)
        * structure[index]
        for index, (name, size) in enumerate(zip("abc", SIZES, strict=True))
    }


def moved(model: LinearGaussian, seed: int, size: float) -> LinearGaussian:
    """The model with other loadings and offsets near its own; zeros stay zero."""
    generator = torch.Generator().manual_seed(seed)

    def near(values: Tensor) -> Tensor:
        noise = torch.randn(values.shape, generator=generator, dtype=torch.float64)
        return values + size * noise * (values != 0)

    loadings = {name: near(values) for name, values in model.loadings.items()}
    offsets = {name: near(values) for name, values in model.offsets.items()}
    return LinearGaussian(loadings, offsets, model.scales)


def test_at_the_dense_maximum_there_is_no_gradient_and_no_better_neighbour() -> None:
    data = data_of(ExactLinear.random(SIZES, 2), 300)
    best = dense_maximum(data, 2, SCALE)
    assert float(slope(best, data).abs().max()) < 1e-9
    assert float(slope(moved(best, 0, 0.1), data).abs().max()) > 1e-3
    top = mean_log_likelihood(best, data)
    for seed in range(30):
        assert mean_log_likelihood(moved(best, seed, (1e-3, 1e-2, 0.3)[seed % 3]), data) < top
    truth = ExactLinear.random(SIZES, 2)
    own = LinearGaussian(
        dict(zip("abc", truth.loadings, strict=True)),
        dict(zip("abc", truth.offsets, strict=True)),
        dict.fromkeys("abc", SCALE),
    )
    assert mean_log_likelihood(own, data) < top, "the truth is not the best fit of a sample"


def test_directions_weaker_than_the_noise_have_no_loading() -> None:
    """Of pure noise of less than the scale nothing is explained."""
    generator = torch.Generator().manual_seed(0)
    data = {
        name: 0.5 * SCALE * torch.randn(200, size, generator=generator, dtype=torch.float64)
        for name, size in zip("abc", SIZES, strict=True)
    }
    assert float(joint(dense_maximum(data, 2, SCALE)).abs().max()) == 0


def test_more_latents_than_numbers_are_refused() -> None:
    data = data_of(ExactLinear.random(SIZES, 2), 50)
    with pytest.raises(UsageError, match="fewer than the 12 numbers"):
        dense_maximum(data, 12, SCALE)


@pytest.mark.parametrize("structure", [FULL, SPARSE], ids=["full", "sparse"])
def test_every_step_raises_the_likelihood_and_keeps_structural_zeros(structure: Tensor) -> None:
    data = data_of(ExactLinear.random(SIZES, 1, 1), 200)
    values = []
    for steps in (0, 1, 2, 3, 5, 10, 30, 100):
        model = structured_maximum(data, start(structure), structure, SCALE, steps)
        values.append(mean_log_likelihood(model, data))
        for index, loading in enumerate(model.loadings.values()):
            assert torch.equal((loading != 0).all(0), structure[index])
            assert torch.equal((loading != 0).any(0), structure[index])
    assert values == sorted(values)
    assert values[-1] > values[0] + 1


def test_the_structured_maximum_has_no_gradient_inside_its_structure() -> None:
    data = data_of(ExactLinear.random(SIZES, 1, 1), 200)
    best = structured_maximum(data, start(SPARSE), SPARSE, SCALE, 1_500)
    inside = joint(best) != 0
    assert float(slope(best, data)[inside].abs().max()) < 1e-5
    top = mean_log_likelihood(best, data)
    for seed in range(20):
        assert mean_log_likelihood(moved(best, seed, 0.03), data) < top


def test_with_a_full_structure_it_is_the_dense_maximum_up_to_rotation() -> None:
    data = data_of(ExactLinear.random(SIZES, 2), 300)
    dense = joint(dense_maximum(data, 2, SCALE))
    found = joint(structured_maximum(data, start(FULL), FULL, SCALE, 2_000))
    torch.testing.assert_close(found @ found.T, dense @ dense.T, rtol=0, atol=1e-6)


@pytest.mark.parametrize("private", [0, 1])
def test_much_data_give_the_true_covariance(private: int) -> None:
    truth = ExactLinear.random(SIZES, 1 + (1 - private), private)
    data, loadings = data_of(truth, 100_000), torch.cat(truth.loadings)
    structure = SPARSE if private else FULL
    for found in [
        structured_maximum(data, start(structure), structure, SCALE),
        *([] if private else [dense_maximum(data, 2, SCALE)]),
    ]:
        torch.testing.assert_close(
            joint(found) @ joint(found).T, loadings @ loadings.T, rtol=0, atol=0.05
        )
        torch.testing.assert_close(
            torch.cat(list(found.offsets.values())), torch.cat(truth.offsets), rtol=0, atol=0.05
        )
