"""Components that ask the tab's one decoder: the networks in JavaScript, and how values are drawn."""

import json
from pathlib import Path

from streamlit.components.v2.types import ComponentRenderer

from mmvae_core.export.scripts import NETWORKS, script
from ui import components

PARTS = ("decoder.js", "paint.js")


def load(folder: Path, *parts: str) -> ComponentRenderer:
    """As `components.load`; the component may use `decoder()`, `paint` and `ink`."""
    networks = f"const SCRIPTS = {json.dumps(script(*NETWORKS, 'tasks.js'))};"
    return components.load(
        folder,
        *(components.SHARED / name for name in PARTS),
        *parts,
        code=f"{networks}\n{script('client.js', 'strokes.js')}",
    )
