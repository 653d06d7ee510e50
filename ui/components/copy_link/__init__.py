"""A button that copies the page's address."""

from pathlib import Path

from ui import components

_COPY = components.load(Path(__file__).parent)


def copy_link(more: dict[str, str] | None = None) -> None:
    """Draw the button; `more` parameters are added to the address that is copied."""
    _COPY(key="copy_link", data=more or {})
