"""The English name of a digit, at a random offset in eight characters.

A word is eight codes; code 0 is the space and 1..26 are a..z, so that any typed word of these
letters can be shown to a model. A *placement* is one of the 50 pairs (name, offset).
"""

import string

import numpy as np

from mmvae_core.errors import DataError

ALPHABET = " " + string.ascii_lowercase
LENGTH = 8
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_CODE_OF = {symbol: code for code, symbol in enumerate(ALPHABET)}
# Placements are listed class by class: how many each class has, and where each class starts.
_COUNTS = np.array([LENGTH - len(name) + 1 for name in NAMES])
_STARTS = np.concatenate([[0], np.cumsum(_COUNTS)[:-1]])


def placements() -> tuple[np.ndarray, np.ndarray]:
    """All (name, offset) pairs: codes int64 [placement, 8] and labels int64 [placement]."""
    return _PLACEMENTS.copy(), np.repeat(np.arange(len(NAMES)), _COUNTS)


def sample_words(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The name of each label at a uniformly drawn offset: labels int [n] -> codes int64 [n, 8].

    Raises DataError for a label outside 0..9.
    """
    labels = np.asarray(labels)
    if labels.size and not (labels.min() >= 0 and labels.max() < len(NAMES)):
        raise DataError(
            f"Labels between {labels.min()} and {labels.max()} were given, expected 0 to 9; "
            "pass digit labels only."
        )
    return _PLACEMENTS[_STARTS[labels] + generator.integers(0, _COUNTS[labels])]


def encode(text: str) -> np.ndarray:
    """Codes int64 [8] of a typed text, lower-cased and padded with spaces on the right.

    Raises DataError for more than eight characters or for characters other than a-z and space.
    """
    lowered = text.lower()
    unknown = sorted({symbol for symbol in lowered if symbol not in _CODE_OF})
    if unknown:
        raise DataError(
            f"The text {text!r} holds {', '.join(map(repr, unknown))}, expected only the letters "
            "a to z and spaces; leave the others out."
        )
    if len(lowered) > LENGTH:
        raise DataError(
            f"The text {text!r} has {len(lowered)} characters, expected at most {LENGTH}; "
            f"leave out {lowered[LENGTH:]!r}."
        )
    return np.array([_CODE_OF[symbol] for symbol in lowered.ljust(LENGTH)], dtype=np.int64)


def decode(codes: np.ndarray) -> str:
    """The eight characters, spaces included, of codes int [8]; DataError for anything else."""
    codes = np.asarray(codes)
    valid = codes.shape == (LENGTH,) and codes.dtype.kind in "iu"
    if not valid or codes.min() < 0 or codes.max() >= len(ALPHABET):
        raise DataError(
            f"Codes of shape {codes.shape} and type {codes.dtype} were given, expected "
            f"{LENGTH} integers from 0 to {len(ALPHABET) - 1}; pass one word at a time."
        )
    return "".join(ALPHABET[code] for code in codes)


def judge_words(log_probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which digit a decoded word names, and whether it is spelt without a mistake.

    log_probs as for `score_words`. Returns labels int64 [n], the class with the best score, and
    spelt bool [n], whether the likeliest symbol at each position together form a placement.
    """
    likeliest = np.asarray(log_probs).argmax(axis=-1)
    labels = score_words(log_probs).argmax(axis=1).astype(np.int64)
    return labels, (likeliest[:, None, :] == _PLACEMENTS).all(axis=-1).any(axis=-1)


def score_words(log_probs: np.ndarray) -> np.ndarray:
    """log p(word | class) in nats [n, 10] when all placements of a class are equally likely.

    log_probs: float [n, 8, 27], one log-probability (nats; -inf allowed) per position and symbol;
    the score of class c is log mean_{p in c} exp(sum_i log_probs[i, code_p_i]). Raises DataError.
    """
    log_probs = np.asarray(log_probs)
    if log_probs.ndim != 3 or log_probs.shape[1:] != (LENGTH, len(ALPHABET)):
        raise DataError(
            f"Log-probabilities of shape {log_probs.shape} were given, expected "
            f"[n, {LENGTH}, {len(ALPHABET)}]; pass one per position and symbol."
        )
    if np.isnan(log_probs).any():
        raise DataError(
            "The log-probabilities hold NaN, expected numbers; look for a model that diverged."
        )
    # Gathered, not multiplied with a one-hot: 0 * -inf would turn impossible symbols into NaN.
    scores = log_probs[:, np.arange(LENGTH), _PLACEMENTS].sum(axis=-1)
    return np.logaddexp.reduceat(scores, _STARTS, axis=1) - np.log(_COUNTS)


_PLACEMENTS = np.stack(
    [encode(" " * offset + name) for name in NAMES for offset in range(LENGTH - len(name) + 1)]
)
