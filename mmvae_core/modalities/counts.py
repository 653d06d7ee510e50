"""Counts: how often something was found. A byte 7 is seven, not 7 / 255."""

import numpy as np

from mmvae_core.modalities.vector import Numbers

MISSING = -1
"""Stands for a missing entry among stored counts."""


class Counts(Numbers):
    """Whole numbers from 0, of any shape; stored as such, a missing entry as -1."""

    title = "counts"
    likelihoods = ("poisson", "negative_binomial")
    gaps = True
    compressed = True

    def fault(self, values: np.ndarray) -> str | None:
        """Also what is no count."""
        values = self.plain(values) if values.dtype.kind in "iu" else values
        if (wrong := super().fault(values)) is not None:
            return wrong
        known = values[self.known(values)]
        if (known < 0).any() or (known != np.round(known)).any():
            return "with others than counts, expected whole numbers from 0"
        return None

    def plain(self, stored: np.ndarray) -> np.ndarray:
        """float32, NaN where an entry is missing."""
        numbers = np.asarray(stored, np.float32)
        is_whole = stored.dtype.kind == "i"
        return np.where(numbers == MISSING, np.float32(np.nan), numbers) if is_whole else numbers

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Whole numbers, of means the nearest."""
        return np.round(np.nan_to_num(values, nan=MISSING)).astype(np.int64)

    def rows(self, means: np.ndarray) -> np.ndarray:
        """Rates as they are: of rare things the nearest count would always be none."""
        return np.asarray(means)
