"""Mean correlation coefficients: what they do not see, what they do, and scikit-learn's CCA."""

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA

from mmvae_core.errors import DataError
from mmvae_core.evaluation.identifiability import canonical_maps, strong_mcc, weak_mcc

ITEMS, LATENT = 2_000, 5
MEASURES = {"strong": strong_mcc, "weak": weak_mcc}
both_measures = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)


def latents(seed: int = 0, items: int = ITEMS, size: int = LATENT) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((items, size)) ** 3  # not normal


def mixed(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Latents, and noisy affine maps of them."""
    true, generator = latents(), np.random.default_rng(seed)
    clean = true @ generator.standard_normal((LATENT, LATENT)) + 3
    return true, clean + 2 * generator.standard_normal(clean.shape)


@both_measures
def test_another_order_other_signs_and_scales_change_nothing(measure) -> None:
    true = latents()
    order = np.random.default_rng(2).permutation(LATENT)
    found = measure(true, true[:, order] * [-1, 2, -1e-7, 1, 100] + 5)
    assert found.inside == pytest.approx(1, abs=1e-9)
    assert found.outside == pytest.approx(1, abs=1e-9)


@both_measures
def test_under_another_order_a_noisy_figure_stays(measure) -> None:
    true, learned = mixed()
    order = np.random.default_rng(2).permutation(LATENT)
    one, other = measure(true, learned), measure(true[:, order[::-1]], -learned[:, order])
    assert 0.2 < one.outside < 0.98
    assert (other.inside, other.outside) == pytest.approx((one.inside, one.outside), abs=1e-10)


def test_weak_does_not_see_affine_maps_and_strong_does() -> None:
    true, generator = latents(), np.random.default_rng(3)
    matrix = generator.standard_normal((LATENT, LATENT))
    found = weak_mcc(true, true @ matrix - 7)
    assert (found.inside, found.outside) == pytest.approx((1, 1), abs=1e-8)
    assert strong_mcc(true, true @ matrix - 7).outside < 0.9
    true, learned = mixed()
    one, other = weak_mcc(true, learned), weak_mcc(true @ matrix.T + 1, learned @ matrix - 7)
    assert (other.inside, other.outside) == pytest.approx((one.inside, one.outside), abs=1e-8)


@both_measures
def test_independent_noise_is_near_chance_outside(measure) -> None:
    """The mean of |r| of independent columns of n items is sqrt(2 / (pi n)), its spread alike."""
    chance = (2 / (np.pi * ITEMS / 2)) ** 0.5
    found = measure(latents(), np.random.default_rng(9).standard_normal((ITEMS, LATENT)))
    assert found.outside < 3 * chance
    assert found.outside < found.inside < 8 * chance


@both_measures
def test_what_is_fitted_on_one_half_is_not_fitted_on_the_other(measure) -> None:
    """Where only the second half is right, the second half shows the wrong match."""
    true = latents()
    learned = np.concatenate([true[: ITEMS // 2, [1, 2, 3, 4, 0]], true[ITEMS // 2 :]])
    found = measure(true, learned)
    assert found.inside == pytest.approx(1, abs=1e-6)
    assert found.outside < 0.6


@both_measures
@pytest.mark.parametrize("value", [0.0, 0.1, 1e8])
def test_a_latent_that_does_not_vary_counts_as_nothing(measure, value: float) -> None:
    true = latents()
    learned = true.copy()
    learned[:, 2] = value
    found = measure(true, learned)
    assert found.inside == pytest.approx(0.8, abs=0.01)
    assert found.outside == pytest.approx(0.8, abs=0.01)
    nothing = measure(true, np.full_like(true, value))
    assert (nothing.inside, nothing.outside) == (0, 0)


@both_measures
def test_one_latent_said_five_times_is_one_of_five(measure) -> None:
    true = latents()
    found = measure(true, true[:, [1] * LATENT] * [1, -1, 2, 3, 4])
    assert found.outside == pytest.approx(0.2, abs=0.06)
    few = measure(true, true[:, :2])
    assert few.outside == pytest.approx(0.4, abs=1e-6)
    many = measure(true, np.concatenate([latents(7), true], 1))
    assert many.outside == pytest.approx(1, abs=1e-6)


def test_canonical_correlations_are_scikit_learns() -> None:
    true, learned = mixed()
    maps = canonical_maps(true, learned)
    ours = [
        np.corrcoef(true @ maps[0][:, pair], learned @ maps[1][:, pair])[0, 1]
        for pair in range(LATENT)
    ]
    fitted = CCA(LATENT, max_iter=5_000, tol=1e-12).fit(true, learned)
    scores = fitted.transform(true, learned)
    theirs = [np.corrcoef(scores[0][:, pair], scores[1][:, pair])[0, 1] for pair in range(LATENT)]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert ours == sorted(ours, reverse=True)
    whitened = true @ maps[0]
    np.testing.assert_allclose(np.cov(whitened.T, bias=True), np.eye(LATENT), atol=1e-10)


@both_measures
@pytest.mark.parametrize(
    ("true", "learned"),
    [
        ((100, 5), (99, 5)),
        ((19, 5), (19, 5)),
        ((100,), (100, 5)),
        ((), (100, 5)),
        ((9, 2, 2), (9, 2)),
    ],
)
def test_what_cannot_be_matched_is_refused(measure, true: tuple, learned: tuple) -> None:
    with pytest.raises(DataError, match="give more items"):
        measure(np.ones(true), np.ones(learned))
