"""An item under every subset, drawn in the browser: what is shown, what is known, what is made.

A pill hides or shows a modality without a word to the server. Given `data = {"picture":
start_data.payload(..), "stamp": its identity, "lit": "111", "cycle": "101"}`: it opens with the
mask `lit`, and shows `cycle`, if there is one, once by itself.
"""

from pathlib import Path
from typing import Any

from ui import components

_PICTURE = components.load(Path(__file__).parent)


def start_picture(data: dict[str, Any], key: str) -> None:
    """Draw it."""
    _PICTURE(key=key, data=data)
