"""Values as people have them: pictures as bytes, text as text, all else as numbers.

What an item is in a study's `samples.npz` it is here too, and text beside it.
"""

from typing import Any

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.errors import DataError
from mmvae_core.modalities.own_input import read_symbols

Value = np.ndarray | list[str]


def to_stored(value: Any, modality: ModalityConfig, alphabet: str | None) -> np.ndarray:
    """One item as a study stores it, [*shape]; a text becomes codes, a blank after its end.

    Raises DataError for what is neither numbers nor, of symbols, a text that fits.
    """
    is_text, is_symbols = isinstance(value, str), modality.likelihood.name == "categorical"
    if is_text and is_symbols:
        return read_symbols(value, alphabet, modality.shape)
    values = np.asarray(value)
    if is_text or values.dtype.kind not in ("iu" if is_symbols else "fiub"):
        expected = "a text or whole numbers" if is_symbols else "an array of numbers"
        raise DataError(
            f"{type(value).__name__} was given as {modality.name!r}, expected {expected}."
        )
    if is_symbols and values.size and not 0 <= values.min() <= values.max() < modality.shape[-1]:
        raise DataError(
            f"Codes from {values.min()} to {values.max()} were given as {modality.name!r}, expected "
            f"0 to {modality.shape[-1] - 1}."
        )
    return values


def to_people(means: np.ndarray, modality: ModalityConfig, alphabet: str | None) -> Value:
    """Means [sample, *shape] as bytes (pictures), texts or codes (likeliest symbols), or floats."""
    if modality.likelihood.name == "categorical":
        codes = means.argmax(-1)
        return (
            codes if alphabet is None else ["".join(alphabet[one] for one in row) for row in codes]
        )
    if len(modality.shape) == 3 and modality.shape[0] in (1, 3):
        return (means.clip(0, 1) * 255).round().astype(np.uint8)
    return means
