"""All figures and tables of the page as files: SVG and PNG, CSV; made by the browser itself.

Figures are what carries `data-figure`, charts, and the blocks that `FIGURES` of `main.js` names;
tables are those of class `numbers`. So a page need not say that it can be taken home.
"""

from pathlib import Path

from ui import components

_FOLDER = Path(__file__).parent
_HOME = components.load(_FOLDER, _FOLDER / "svg.js", _FOLDER / "csv.js")


def take_home(stem: str) -> None:
    """At a page's end; file names begin with `stem`: study, run, item and mask."""
    _HOME(key="take_home", data={"stem": stem})
