"""Words: codes and text are each other's inverse, and every placement is judged as itself."""

import numpy as np
import pytest

from mmvae_core.data.digits.words import (
    ALPHABET,
    LENGTH,
    NAMES,
    decode,
    encode,
    judge_words,
    placements,
    sample_words,
)
from mmvae_core.errors import DataError


def certain(codes: np.ndarray, leak: float = 0.0) -> np.ndarray:
    """Log-probabilities [n, 8, 27] with all mass but `leak` on the given codes."""
    probs = np.full((*codes.shape, len(ALPHABET)), leak / (len(ALPHABET) - 1))
    np.put_along_axis(probs, codes[..., None], 1 - leak, axis=-1)
    with np.errstate(divide="ignore"):
        return np.log(probs)


def test_placements_are_all_names_at_all_offsets() -> None:
    codes, labels = placements()
    assert codes.shape == (50, 8) and codes.dtype == labels.dtype == np.int64
    texts = [decode(row) for row in codes]
    assert len(set(texts)) == 50
    assert [text.strip() for text in texts] == [NAMES[label] for label in labels]
    assert {len(text) for text in texts} == {LENGTH}


def test_changing_the_returned_placements_changes_nothing_here() -> None:
    placements()[0][:] = 5
    assert decode(placements()[0][0]) == "zero    "


@pytest.mark.parametrize("text", ["", "seven", "  three ", "NiNe", "a z", "abcdefgh"])
def test_encode_then_decode(text: str) -> None:
    assert decode(encode(text)) == text.lower().ljust(LENGTH)


@pytest.mark.parametrize(
    ("text", "named"),
    [("se7en!", "'!', '7'"), ("naïve", "'ï'"), ("a\nb", r"'\\n'"), ("seventeen", "leave out 'n'")],
)
def test_encode_names_what_does_not_fit(text: str, named: str) -> None:
    with pytest.raises(DataError, match=named):
        encode(text)


@pytest.mark.parametrize(
    "codes", [np.zeros(7, int), np.zeros((2, 8), int), np.full(8, 27), np.full(8, -1), np.zeros(8)]
)
def test_decode_refuses_what_is_no_word(codes: np.ndarray) -> None:
    with pytest.raises(DataError, match="integers from 0 to 26"):
        decode(codes)


def test_sampled_words_name_their_label_at_uniform_offsets() -> None:
    labels = np.repeat(np.arange(10), 3_000)
    words = sample_words(labels, np.random.default_rng(0))
    assert words.shape == (30_000, 8) and words.dtype == np.int64
    codes, owners = placements()
    for label in range(10):
        own = codes[owners == label]
        hits = (words[labels == label][:, None] == own).all(axis=-1)
        assert (hits.sum(axis=1) == 1).all()
        # Each of k offsets is binomial(3000, 1/k): five standard deviations are at most 130.
        np.testing.assert_allclose(hits.sum(axis=0), 3_000 / len(own), atol=130)


def test_sampling_depends_on_the_generator_only() -> None:
    labels = np.arange(10).repeat(5)
    first, again, other = (sample_words(labels, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert sample_words(np.zeros(0, int), np.random.default_rng(0)).shape == (0, 8)


@pytest.mark.parametrize("label", [-1, 10])
def test_sampling_refuses_other_labels(label: int) -> None:
    with pytest.raises(DataError, match="expected 0 to 9"):
        sample_words(np.array([3, label]), np.random.default_rng(0))


@pytest.mark.parametrize("leak", [0.0, 1e-3, 0.3])
def test_law_every_placement_is_judged_as_itself_and_spelt(leak: float) -> None:
    codes, labels = placements()
    judged, spelt = judge_words(certain(codes, leak))
    np.testing.assert_array_equal(judged, labels)
    assert judged.dtype == np.int64 and spelt.dtype == bool and spelt.all()


def test_a_misspelt_word_keeps_its_class_but_is_not_spelt() -> None:
    words = np.stack([encode("sewen"), encode(" eigt"), encode("thre")])
    judged, spelt = judge_words(certain(words, 1e-3))
    np.testing.assert_array_equal(judged[[0, 2]], [7, 3])
    assert not spelt.any()


def test_the_class_scores_are_means_over_placements() -> None:
    generator = np.random.default_rng(3)
    log_probs = np.log(generator.dirichlet(np.ones(27), size=(40, 8)))
    codes, labels = placements()
    mass = np.zeros((40, 10))
    for code, label in zip(codes, labels, strict=True):
        mass[:, label] += np.exp(log_probs[:, np.arange(8), code].sum(axis=1))
    likeliest = (mass / np.bincount(labels)).argmax(axis=1)
    np.testing.assert_array_equal(judge_words(log_probs)[0], likeliest)


def test_uniform_impossible_and_no_words_at_all() -> None:
    uniform = np.full((2, 8, 27), -np.log(27))
    judged, spelt = judge_words(uniform)
    assert ((judged >= 0) & (judged <= 9)).all() and not spelt.any()
    judged, spelt = judge_words(certain(encode("zzzzzzzz")[None]))  # every class has mass zero
    assert 0 <= judged[0] <= 9 and not spelt[0]
    assert [part.shape for part in judge_words(np.zeros((0, 8, 27)))] == [(0,), (0,)]


def test_judging_refuses_other_shapes_and_nan() -> None:
    with pytest.raises(DataError, match="expected"):
        judge_words(np.zeros((8, 27)))
    with pytest.raises(DataError, match="NaN"):
        judge_words(np.full((1, 8, 27), np.nan))
