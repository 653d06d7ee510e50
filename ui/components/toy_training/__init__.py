"""Trainings side by side: how far each bound is below log p(x), its terms, posteriors that turn.

Fed once a tick with all that was measured; which bound and which subset is looked at, the browser
keeps by itself. `data`: see `ui.learn.training_data.payload`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ui import components
from ui.components import toy_world

_FOLDER = Path(__file__).parent
SCRIPTS = (
    *(components.SHARED / name for name in ("maths.js", "drawing.js")),
    Path(toy_world.__file__).parent / "picture.js",
)
_TRAINING = components.load(_FOLDER, *SCRIPTS)


def toy_training(data: Mapping[str, Any], key: str) -> None:
    """Draw it."""
    _TRAINING(key=key, data=dict(data))
