"""A button that copies the page's address."""

from pathlib import Path

from ui import components

_COPY = components.load(Path(__file__).parent)


def copy_link() -> None:
    """Draw the button."""
    _COPY(key="copy_link")
