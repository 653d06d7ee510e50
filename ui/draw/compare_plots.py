"""Figures of several runs: their trade-offs, and one latent space laid onto another. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ui.draw.marks import class_name, colour, symbol
from ui.draw.plots import FAINT, Axes, Points, Theme, lay_out

LEAST = 300, 300
"""A plane of two figures has at least about so many pixels, across and up."""
BADGE = 27
"""Pixels from side to side of a letter's badge."""
WAYS = [(far * math.cos(turn), far * math.sin(turn)) for far in (30, 48, 66)
        for turn in (math.pi * eighth / 4 for eighth in (1, 3, 5, 7, 0, 2, 4, 6))]  # fmt: skip
"""Where a badge may stand from its point, in pixels, the best first."""
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
        "margin": {"l": 74, "r": 20, "t": 12, "b": 76},
        "annotations": _badges(points, axes, theme, ground),
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
                    "name": f"{which} {escape(class_name(label, classes), quote=False)}",
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
        "size": 13 if lit else 11,
        "color": theme.ink if lit else ground,
        "line": {"width": 2, "color": theme.ink if lit else theme.quiet},
    }
    return {
        "type": "scatter",
        "x": [one.x[0] for one in those],
        "y": [one.y[0] for one in those],
        "mode": "markers",
        "text": [one.letter for one in those],
        "marker": marker,
        "customdata": [one.name for one in those],
        "hovertext": [escape(one.said, quote=False) for one in those],
        "hoverinfo": "text",
        "error_x": _reach([one.x for one in those], theme),
        "error_y": _reach([one.y for one in those], theme),
    }


def _badges(
    points: Sequence[RunPoint], axes: Axes, theme: Theme, ground: str
) -> list[dict[str, Any]]:
    """The letters, each beside its point, on no other letter and, where there is room, no point."""
    lows, reach = np.array([axes.x[0], axes.y[0]]), np.ptp([axes.x, axes.y], 1)
    spots = (np.array([[one.x[0], one.y[0]] for one in points]) - lows) / reach * LEAST
    placed: list[np.ndarray] = []
    badges = []
    for one, spot in zip(points, spots, strict=True):
        if not one.letter:
            continue
        places = [spot + way for way in WAYS]
        crowd = [
            (
                sum(np.abs(place - other).max() < BADGE for other in placed),
                bool((place < BADGE / 2).any() or (place > np.array(LEAST) - BADGE / 2).any()),
                sum(np.hypot(*(place - other)) < BADGE * 0.75 for other in spots),
            )
            for place in places
        ]
        across, up = WAYS[crowd.index(min(crowd))]
        placed.append(places[crowd.index(min(crowd))])
        badges.append(
            {
                "x": one.x[0],
                "y": one.y[0],
                "text": one.letter,
                "ax": round(across),
                "ay": -round(up),
                "arrowhead": 0,
                "arrowwidth": 1.5,
                "arrowcolor": theme.ink,
                "bgcolor": theme.ink,
                "borderpad": 4,
                "font": {"color": ground, "size": 15},
            }
        )
    return badges


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
