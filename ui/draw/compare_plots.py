"""Figures of several runs: their trade-offs, and one latent space laid onto another. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ui.draw.marks import class_name, colour, symbol
from ui.draw.plots import FAINT, Axes, Points, Theme, lay_out

Span = tuple[float, float, float]
"""A value and the ends of its 95 % interval."""


@dataclass(frozen=True)
class RunPoint:
    """A run on the plane of two measured figures."""

    name: str
    x: Span
    y: Span
    letter: str = ""
    """A, B, .. where the run is one of those compared."""

    @property
    def said(self) -> str:
        """The numbers in words."""
        x, y = ("{:,.4g} ({:,.4g} to {:,.4g})".format(*span) for span in (self.x, self.y))
        return f"{f'{self.letter}, ' if self.letter else ''}{self.name}: {x}; {y}"


def letter(index: int) -> str:
    """The letter of a compared run, on the figures and over its column."""
    return chr(ord("A") + index)


def trade_off(titles: tuple[str, str], points: Sequence[RunPoint], dark: bool) -> go.Figure:
    """All runs with their intervals; the compared ones are large and carry their letters."""
    theme, ground = Theme.of(dark), "#14171a" if dark else "#fcfbf8"
    parts = [([one for one in points if bool(one.letter) == lit], lit) for lit in (False, True)]
    axes = Axes(
        (titles[0].replace(" (", "<br>("), titles[1]),
        _frame([one.x for one in points]),
        _frame([one.y for one in points]),
    )
    layout = lay_out(axes, theme, 400) | {
        "showlegend": False,
        "dragmode": "pan",
        "margin": {"l": 74, "r": 8, "t": 12, "b": 76},
    }
    return go.Figure(
        {
            "data": [_runs(those, lit, theme, ground) for those, lit in parts if those],
            "layout": layout,
        }
    )


def overlay(
    first: Points,
    second: np.ndarray,
    axes: Axes,
    classes: list[str],
    letters: tuple[str, str],
    dark: bool,
) -> go.Figure:
    """The first run's items filled, the second's (coordinates [item, 2]) hollow, on one plane."""
    traces = []
    for label in np.unique(first.labels).tolist():
        rows = np.flatnonzero(first.labels == label)
        lit = 0.8 if first.lit is None else np.where(first.lit[rows], 1.0, FAINT)
        for where, which, shape in ((first.where, letters[0], ""), (second, letters[1], "-open")):
            traces.append(
                {
                    "type": "scatter",
                    "x": where[rows, 0],
                    "y": where[rows, 1],
                    "mode": "markers",
                    "name": f"{which} {class_name(label, classes)}",
                    "legendgroup": str(label),
                    "showlegend": not shape,
                    "customdata": first.ids[rows],
                    "hovertemplate": "item %{customdata}<extra>%{fullData.name}</extra>",
                    "marker": {
                        "color": colour(label),
                        "symbol": symbol(label) + shape,
                        "size": 8,
                        "opacity": lit,
                    },
                }
            )
    return go.Figure(
        {"data": traces, "layout": lay_out(axes, Theme.of(dark)) | {"dragmode": "pan"}}
    )


def _runs(those: Sequence[RunPoint], lit: bool, theme: Theme, ground: str) -> dict[str, Any]:
    marker = {
        "size": 26 if lit else 11,
        "color": theme.ink if lit else ground,
        "line": {"width": 2, "color": theme.ink if lit else theme.quiet},
    }
    return {
        "type": "scatter",
        "x": [one.x[0] for one in those],
        "y": [one.y[0] for one in those],
        "mode": "markers+text" if lit else "markers",
        "text": [one.letter for one in those],
        "textfont": {"color": ground, "size": 16},
        "marker": marker,
        "customdata": [one.name for one in those],
        "hovertext": [one.said for one in those],
        "hoverinfo": "text",
        "error_x": _reach([one.x for one in those], theme),
        "error_y": _reach([one.y for one in those], theme),
    }


def _reach(spans: Sequence[Span], theme: Theme) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "color": theme.quiet,
        "thickness": 1.5,
        "width": 5,
        "array": [high - value for value, _, high in spans],
        "arrayminus": [value - low for value, low, _ in spans],
    }


def _frame(spans: Sequence[Span]) -> tuple[float, float]:
    low, high = min(one[1] for one in spans), max(one[2] for one in spans)
    pad = 0.12 * (high - low) or 1.0
    return low - pad, high + pad
