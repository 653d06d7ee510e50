"""The map as a still picture, on which a marker can move without drawing it anew. Pure.

A plotly chart of 2,000 points takes the browser a quarter of a second to draw again; this one is
sent once for a mask, and only the marker's place changes.
"""

import base64
from dataclasses import dataclass
from html import escape

import numpy as np

from ui.draw.marks import defined_mark
from ui.draw.plots import Theme

WIDE, HIGH, MARK = 1_000, 640, 13


@dataclass(frozen=True)
class Still:
    """A picture of points [n, 2] as an address, and the frame it shows."""

    uri: str
    low: np.ndarray
    high: np.ndarray

    def share(self, where: np.ndarray) -> tuple[np.ndarray, bool]:
        """A place as shares of the width and of the height from the top, and whether it is inside.

        What is outside is moved to the nearest edge.
        """
        share = (where - self.low) / (self.high - self.low)
        clipped = np.clip(share, 0, 1)
        return np.array([clipped[0], 1 - clipped[1]]), bool((share == clipped).all())


def still(
    points: np.ndarray, labels: np.ndarray, frame: tuple[tuple[float, float], ...], dark: bool
) -> Still:
    """Points with the marks of their classes [n], within `frame` ((x, x), (y, y))."""
    low, high = np.array(frame, float).T
    places = (points - low) / (high - low) * (WIDE, -HIGH) + (0, HIGH)
    theme = Theme.of(dark)
    shapes = "".join(defined_mark(int(label), MARK, theme.ink) for label in np.unique(labels))
    uses = "".join(
        f'<use href="#c{label}" x="{x:.0f}" y="{y:.0f}"/>'
        for (x, y), label in zip(places, labels, strict=True)
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" '
        f'width="{WIDE}" height="{HIGH}"><defs>{shapes}</defs>{uses}</svg>'
    )
    uri = "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
    return Still(uri, low, high)


def still_html(picture: Still, where: np.ndarray, alt: str) -> str:
    """The picture with the marker at a place of the map."""
    (left, top), _ = picture.share(where)
    return (
        f'<div class="still"><img src="{picture.uri}" alt="{escape(alt)}">'
        f'<span style="left:{100 * left:.2f}%;top:{100 * top:.2f}%"></span></div>'
    )
