"""Values as people have them: pictures as bytes, text as text, all else as numbers.

What an item is in a study's `samples.npz` it is here too, and text beside it.
"""

from typing import Any

import numpy as np

from mmvae_core.errors import DataError
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.symbols import Symbols

Value = np.ndarray | list[str]


def to_stored(value: Any, kind: Kind) -> np.ndarray:
    """One item as a study stores it, [*item]; a text becomes codes, a blank after its end.

    Raises DataError for what is neither numbers nor, of symbols, a text that fits.
    """
    is_text, is_symbols = isinstance(value, str), isinstance(kind, Symbols)
    if is_text and is_symbols:
        return kind.read(value)
    values = np.asarray(value)
    if is_text or values.dtype.kind not in ("iu" if is_symbols else "fiub"):
        expected = "a text or whole numbers" if is_symbols else "an array of numbers"
        raise DataError(
            f"{type(value).__name__} was given as {kind.modality.name!r}, expected {expected}."
        )
    return kind.checked(values)


def to_people(means: np.ndarray, kind: Kind) -> Value:
    """Means [sample, *shape] as bytes (pictures), texts or codes (likeliest symbols), or floats."""
    if isinstance(kind, Symbols) and kind.alphabet is not None:
        return kind.texts(means)
    return kind.stored(means)
