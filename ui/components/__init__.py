"""Components that Streamlit does not have: a folder each, JavaScript with a thin wrapper."""

from pathlib import Path

from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer


def load(folder: Path) -> ComponentRenderer:
    """The component of a folder's `index.html`, `style.css` and `main.js`.

    The texts are handed over, not served: nothing is fetched, and no package needs a manifest.
    """
    html, css, js = (
        (folder / name).read_text(encoding="utf-8")
        for name in ("index.html", "style.css", "main.js")
    )
    return component(folder.name, html=html, css=css, js=js)
