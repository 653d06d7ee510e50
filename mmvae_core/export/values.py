"""An item's values as bytes that JavaScript reads. Needs no torch."""

from typing import Any

import numpy as np

from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.picture import Picture
from mmvae_core.modalities.symbols import Symbols


def stored_value(values: np.ndarray, kind: Kind) -> tuple[dict[str, Any], bytes]:
    """Stored values as codes in a byte each, pictures' bytes, of which 255 is 1, or float32.

    Beside them how they are to be read: `type`, and what a byte is `divided` by.
    """
    if type(kind) is Symbols and values.max() < 256:
        return {"type": "u1", "divided": 1}, values.astype(np.uint8).tobytes()
    if isinstance(kind, Picture) and values.dtype == np.uint8:
        return {"type": "u1", "divided": 255}, values.tobytes()
    return {"type": "f4"}, kind.plain(values).astype("<f4").tobytes()
