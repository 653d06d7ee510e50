"""Components that Streamlit does not have: a folder each, JavaScript with a thin wrapper."""

from pathlib import Path

from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

SHARED = Path(__file__).parent / "shared"
"""JavaScript that several components use."""


def load(folder: Path, *parts: str | Path, code: str = "") -> ComponentRenderer:
    """The component of a folder's `index.html`, `style.css` and `main.js`.

    `parts` are further files, of the folder or by their path, whose functions `main.js` uses: they
    go before it, after `code`, all of them one module. The texts are handed over, not served:
    nothing is fetched, and no package needs a manifest.
    """
    html, css, *js = (
        (folder / name).read_text(encoding="utf-8")
        for name in ("index.html", "style.css", *parts, "main.js")
    )
    return component(folder.name, html=html, css=css, js="\n".join([code, *js]))
