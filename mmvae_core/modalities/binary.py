"""Yes or no, many at a time: each entry a zero, a one, or a chance of one."""

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.modalities.vector import Numbers


class Binary(Numbers):
    """Numbers from 0 to 1 with the Bernoulli likelihood, of any shape that is no picture's."""

    title = "a binary vector"
    gaps = True

    @classmethod
    def takes(cls, modality: ModalityConfig) -> bool:
        """By its likelihood, which pictures may have too."""
        return modality.likelihood.name == "bernoulli"

    def plain(self, stored: np.ndarray) -> np.ndarray:
        """float32; bytes are zeros and ones."""
        return np.asarray(stored, np.float32)

    def stored(self, values: np.ndarray) -> np.ndarray:
        """float32."""
        return np.asarray(values, np.float32)
