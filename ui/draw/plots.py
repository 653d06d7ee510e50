"""Figures: arrays in, plotly figure out. Pure: never imports streamlit, torch or the core."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ui.draw.marks import NO_COLOUR, class_name, colour, symbol

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
WEBGL_FROM, STILL_WEBGL_FROM = 4_000, 500
"""From so many points on a map is WebGL, which cannot glide: one that may glide, and one that stands still.

Every point of an SVG is an element that the browser styles anew whenever the figure changes.
"""
MOST_NAMED = 30
"""So many classes stand in a legend, the largest ones; the others are told at a hover."""
NO_VALUE = "no value"
FAINT = 0.18
"""Opacity of what is not chosen."""
TAILS = 2, 98
"""Colours end at these percentiles, so that a few far values do not take them all."""
PAUSE_MS, GLIDE_MS = 400, 1_400
EQUAL = {"scaleanchor": "x", "scaleratio": 1}
"""Of a y axis whose unit is as long as the x axis's."""


@dataclass(frozen=True)
class Theme:
    """Ink and lines of a figure; the text is at least 7:1 against both of the app's grounds."""

    ink: str
    quiet: str
    line: str

    @staticmethod
    def of(dark: bool) -> "Theme":
        """The theme of a light or a dark page."""
        dark_one = Theme("#eceae4", "#c3c7c9", "#3a4148")
        return dark_one if dark else Theme("#1b2026", "#454d55", "#ddd8cd")


@dataclass(frozen=True)
class Points:
    """Items in the plane: coordinates [item, 2], ids [item], labels [item]."""

    where: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    before: np.ndarray | None = None
    """Coordinates under the mask before, to glide from."""
    values: np.ndarray | None = None
    """A number for each item, drawn as its colour in place of the class's; shapes stay."""
    lit: np.ndarray | None = None
    """Whether each item is one of the chosen; None where there is no choice."""
    prior: np.ndarray | None = None
    """Coordinates of draws of p(z) [draw, 2], to be drawn among the items."""
    names: Sequence[str] = ()
    """What the items are called in the data they come from, or nothing."""

    def members(self) -> list[np.ndarray]:
        """The rows of each trace: a class each, and those apart of which there is no value."""
        lacks = np.zeros(len(self.ids), bool) if self.values is None else np.isnan(self.values)
        rows = [np.flatnonzero((self.labels == label) & ~lacks) for label in np.unique(self.labels)]
        return [one for one in (*rows, np.flatnonzero(lacks)) if len(one)]


@dataclass(frozen=True)
class Axes:
    """What the two axes are, and the frame that is the same for every mask."""

    titles: tuple[str, str]
    x: tuple[float, float]
    y: tuple[float, float]
    values: str = ""
    """What `Points.values` are."""
    equal: bool = False
    """Whether a step along one axis is as long as along the other, so that distances can be seen."""


def frame_of(
    every: np.ndarray, margin: float = 0.06
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ranges (x, y) that hold all coordinates [..., 2], with a margin."""
    flat = every.reshape(-1, 2).astype(float)
    low, high = flat.min(0), flat.max(0)
    pad = np.maximum((high - low) * margin, 1e-6)
    (left, bottom), (right, top) = (low - pad).tolist(), (high + pad).tolist()
    return (left, right), (bottom, top)


def latent_map(
    points: Points,
    axes: Axes,
    classes: list[str],
    dark: bool,
    glide: str = "",
    swift: bool = False,
) -> go.Figure:
    """One trace a class; `customdata` holds each point's id.

    `glide` is the label of the button that moves the points from where they were before; `swift`
    draws by WebGL, which cannot.
    """
    theme = Theme.of(dark)
    members = points.members()
    traces = [_class_trace(points, rows, axes, classes, theme) for rows in members]
    for place in np.argsort([-len(rows) for rows in members], kind="stable")[MOST_NAMED:]:
        traces[place]["showlegend"] = False
    if points.prior is not None:
        traces.insert(0, _prior(points.prior, theme))
    layout = lay_out(axes, theme)
    if points.values is not None:
        layout["coloraxis"] = _colours(points.values, axes.values, theme)
    if glide and points.before is not None and not swift:
        first = 0 if points.prior is None else 1
        layout["updatemenus"] = [_glide(points.before, points.where, members, theme, glide, first)]
    kind = "scattergl" if swift else "scatter"
    return go.Figure({"data": [{"type": kind, **one} for one in traces], "layout": layout})


def _class_trace(
    points: Points, rows: np.ndarray, axes: Axes, classes: list[str], theme: Theme
) -> dict[str, Any]:
    label = int(points.labels[rows[0]])
    edge = {"color": theme.ink, "width": 0.7 if points.values is None else 0.3}
    marker = {
        "symbol": symbol(label),
        "size": 8,
        "line": edge,
        "opacity": 0.85 if points.lit is None else np.where(points.lit[rows], 1.0, FAINT),
    }
    said, name = "", class_name(label, classes)
    if points.values is None:
        marker["color"] = colour(label)
    elif np.isnan(points.values[rows[0]]):
        marker |= {"color": NO_COLOUR, "symbol": "circle-open"}
        name = NO_VALUE
    else:
        marker |= {"color": points.values[rows], "coloraxis": "coloraxis"}
        said = f"<br>{axes.values}: %{{marker.color:,.1f}}"
    return {
        "x": points.where[rows, 0],
        "y": points.where[rows, 1],
        "mode": "markers",
        "name": escape(name, quote=False),
        "customdata": points.ids[rows],
        **(
            {"text": [escape(points.names[int(row)], quote=False) for row in rows]}
            if points.names
            else {}
        ),
        "hovertemplate": f"item %{{customdata}}{', %{text}' * bool(points.names)}{said}<extra>%{{fullData.name}}</extra>",
        "marker": marker,
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": FAINT}},
    }


def _prior(where: np.ndarray, theme: Theme) -> dict[str, Any]:
    return {
        "x": where[:, 0],
        "y": where[:, 1],
        "mode": "markers",
        "name": "draw of p(z)",
        "hovertemplate": "a draw of p(z)<extra></extra>",
        "selected": {"marker": {"opacity": 0.6}},
        "unselected": {"marker": {"opacity": 0.6}},
        "marker": {
            "symbol": "x-thin",
            "size": 7,
            "opacity": 0.6,
            "line": {"width": 1.4, "color": theme.quiet},
        },
    }


def lay_out(axes: Axes, theme: Theme, height: int = 480) -> dict[str, Any]:
    """Axes, fonts and grounds as all figures of the app have them.

    Plain dictionaries: plotly's own objects take four times as long to build.
    """
    axis = {
        "zeroline": False,
        "gridcolor": theme.line,
        "linecolor": theme.line,
        "tickfont": {"color": theme.quiet, "size": 14},
        "nticks": 7,
    }
    title = {"font": {"color": theme.ink, "size": 16}}
    return {
        "template": "none",
        "height": height,
        "dragmode": "lasso",
        "clickmode": "event+select",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "color": theme.ink, "size": 15},
        "margin": {"l": 58, "r": 20, "t": 40, "b": 8},
        "xaxis": {
            **axis,
            "automargin": True,
            "range": axes.x,
            "title": {**title, "text": axes.titles[0]},
        },
        "yaxis": {
            **axis,
            **(EQUAL if axes.equal else {}),
            "range": axes.y,
            "title": {**title, "text": axes.titles[1]},
        },
        "legend": {
            "orientation": "h",
            "yref": "container",
            "yanchor": "bottom",
            "y": 0,
            "x": 0,
            "itemsizing": "constant",
            "font": {"color": theme.ink, "size": 15},
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": theme.quiet, "activecolor": theme.ink},
        "newselection": {"line": {"color": theme.ink, "width": 2}},
        "hoverlabel": {"font": {"family": FONT, "size": 15}},
    }


def _colours(values: np.ndarray, title: str, theme: Theme) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    low, high = (float(one) for one in np.percentile(known if len(known) else [0.0], TAILS))
    return {
        "colorscale": "Cividis",
        "cmin": low,
        "cmax": max(high, low + 1e-9),
        "colorbar": {
            "title": {"text": title, "side": "right", "font": {"size": 15}},
            "thickness": 14,
            "outlinewidth": 0,
            "tickfont": {"color": theme.quiet},
        },
    }


def _glide(
    before: np.ndarray,
    where: np.ndarray,
    rows_of: Sequence[np.ndarray],
    theme: Theme,
    label: str,
    first: int,
) -> dict[str, Any]:
    """A button that moves every point from where it was under the mask before; traces from `first`.

    The two frames stand inside the button: Streamlit does not hand a figure's own frames on.
    While points are selected plotly 7.1 fails to move any (TypeError in its own console), so what
    was chosen before is drawn by opacity and not as a selection.
    """
    traces = list(range(first, first + len(rows_of)))
    frames = [
        {
            "traces": traces,
            "data": [{"x": _plain(one[rows, 0]), "y": _plain(one[rows, 1])} for rows in rows_of],
        }
        for one in (before, where)
    ]
    timing = {
        "mode": "immediate",
        "frame": [{"duration": PAUSE_MS, "redraw": False}, {"duration": GLIDE_MS, "redraw": False}],
        "transition": [{"duration": 0}, {"duration": GLIDE_MS, "easing": "cubic-in-out"}],
    }
    return {
        "type": "buttons",
        "direction": "right",
        "x": 0,
        "y": 1.01,
        "xanchor": "left",
        "yanchor": "bottom",
        "showactive": False,
        "bgcolor": "rgba(128,128,128,0.15)",
        "bordercolor": theme.quiet,
        "font": {"size": 14, "color": theme.ink},
        "pad": {"b": 2},
        "buttons": [{"label": label, "method": "animate", "args": [frames, timing]}],
    }


def _plain(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
