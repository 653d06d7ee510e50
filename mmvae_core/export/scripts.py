"""The JavaScript that follows a run's manifest, as one text: no module, no import, nothing fetched."""

from pathlib import Path

WEB = Path(__file__).parent / "web"
NETWORKS = ("products.js", "tensors.js", "noise.js", "model.js", "draws.js")
"""Layers, a generator's draws, posteriors, and what decoders make of them."""


def script(*names: str) -> str:
    """Files of `web/` one behind the other; they name their functions at the top level."""
    return "\n".join((WEB / name).read_text(encoding="utf-8") for name in names)
