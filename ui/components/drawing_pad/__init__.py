"""A pad to draw on by mouse, finger, pen or keyboard; it gives back strokes, not pixels."""

from pathlib import Path

from mmvae_core.modalities.strokes import MAX_POINTS, MAX_STROKES, PEN
from ui import components

_PAD = components.load(Path(__file__).parent)


def drawing_pad(name: str, key: str, strokes: str) -> str:
    """The drawing of a modality as `strokes.from_text` reads it; it begins with `strokes`."""
    state = _PAD(
        key=key,
        default={"strokes": strokes},
        on_strokes_change=lambda: None,
        data={
            "name": name,
            "label": f"Drawing pad for {name}",
            "strokes": strokes,
            "pen": PEN,
            "most_points": MAX_POINTS,
            "most_strokes": MAX_STROKES,
        },
    )
    return str(state["strokes"] or "")
