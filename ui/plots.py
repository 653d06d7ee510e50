"""Figures: arrays in, plotly figure out. Pure: never imports streamlit, torch or the core."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ui.marks import class_name, colour, symbol

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
WEBGL_FROM = 4_000
"""SVG can glide, WebGL cannot; beyond so many points SVG becomes slow."""
PAUSE_MS, GLIDE_MS = 400, 1_400


@dataclass(frozen=True)
class Theme:
    """Ink and lines of a figure; the text is at least 7:1 against both of the app's grounds."""

    ink: str
    quiet: str
    line: str

    @staticmethod
    def of(dark: bool) -> "Theme":
        """The theme of a light or a dark page."""
        return Theme("#eceae4", "#c3c7c9", "#3a4148") if dark else Theme(
            "#1b2026", "#454d55", "#ddd8cd")


@dataclass(frozen=True)
class Points:
    """Items in the plane: coordinates [item, 2], ids [item], labels [item]."""

    where: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    before: np.ndarray | None = None
    """Coordinates under the mask before, to glide from."""


@dataclass(frozen=True)
class Axes:
    """What the two axes are, and the frame that is the same for every mask."""

    titles: tuple[str, str]
    x: tuple[float, float]
    y: tuple[float, float]


def frame_of(every: np.ndarray, margin: float = 0.06) -> tuple[tuple[float, float], ...]:
    """The ranges (x, y) that hold all coordinates [..., 2], with a margin."""
    flat = every.reshape(-1, 2).astype(float)
    low, high = flat.min(0), flat.max(0)
    pad = np.maximum((high - low) * margin, 1e-6)
    return tuple((float(a), float(b)) for a, b in zip(low - pad, high + pad, strict=True))


def latent_map(
    points: Points, axes: Axes, classes: list[str], here: int | None, dark: bool
) -> go.Figure:
    """One trace a class; `customdata` holds each point's id; the item `here` is ringed."""
    theme = Theme.of(dark)
    kind = go.Scattergl if len(points.ids) > WEBGL_FROM else go.Scatter
    figure = go.Figure()
    members = [np.flatnonzero(points.labels == label) for label in np.unique(points.labels)]
    for rows in members:
        label = int(points.labels[rows[0]])
        figure.add_trace(kind(
            x=points.where[rows, 0], y=points.where[rows, 1], mode="markers",
            name=class_name(label, classes), customdata=points.ids[rows].tolist(),
            hovertemplate="item %{customdata}<extra>%{fullData.name}</extra>",
            marker={"color": colour(label), "symbol": symbol(label), "size": 8, "opacity": 0.85,
                    "line": {"width": 0.7, "color": theme.ink}},
            selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 0.18}},
        ))
    ring = np.flatnonzero(points.ids == here)
    if len(ring):
        figure.add_trace(_ring(points.where[ring[0]], here, theme, kind))
    _lay_out(figure, axes, theme)
    if points.before is not None and kind is go.Scatter:
        _add_glide(figure, points, [*members, ring] if len(ring) else members, theme)
    return figure


def _ring(where: np.ndarray, here: int | None, theme: Theme, kind: type) -> go.Scatter:
    return kind(
        x=where[:1], y=where[1:], mode="markers", name=f"item {here}", hoverinfo="skip",
        marker={"symbol": "circle-open", "size": 22, "color": theme.ink, "line": {"width": 3}},
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
    )


def _lay_out(figure: go.Figure, axes: Axes, theme: Theme) -> None:
    axis = {"zeroline": False, "gridcolor": theme.line, "linecolor": theme.line,
            "tickfont": {"color": theme.quiet, "size": 14}, "nticks": 7}
    title = {"font": {"color": theme.ink, "size": 16}}
    figure.update_layout(
        template="none", height=560, dragmode="lasso", clickmode="event+select",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": theme.ink, "size": 15},
        margin={"l": 58, "r": 8, "t": 40, "b": 8},
        xaxis={**axis, "range": axes.x, "title": {**title, "text": axes.titles[0]}},
        yaxis={**axis, "range": axes.y, "title": {**title, "text": axes.titles[1]}},
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0, "itemsizing": "constant",
                "font": {"color": theme.ink, "size": 15}},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": theme.quiet, "activecolor": theme.ink},
        newselection={"line": {"color": theme.ink, "width": 2}},
        hoverlabel={"font": {"family": FONT, "size": 15}},
    )


def _add_glide(
    figure: go.Figure, points: Points, rows_of: Sequence[np.ndarray], theme: Theme
) -> None:
    """A button that moves every point from where it was under the mask before.

    The two frames stand inside the button: Streamlit does not hand a figure's own frames on.
    While points are selected plotly 7.1 fails to move any (TypeError in its own console), and no
    frame can drop a selection that may or may not be there; so the page asks for a double click.
    """
    assert points.before is not None
    traces = list(range(len(rows_of)))
    frames = [
        {"traces": traces, "data": [{"x": _plain(where[rows, 0]), "y": _plain(where[rows, 1])}
                                    for rows in rows_of]}
        for where in (points.before, points.where)
    ]
    timing = {
        "mode": "immediate", "frame": [{"duration": PAUSE_MS, "redraw": False},
                                       {"duration": GLIDE_MS, "redraw": False}],
        "transition": [{"duration": 0}, {"duration": GLIDE_MS, "easing": "cubic-in-out"}],
    }
    figure.update_layout(updatemenus=[{
        "type": "buttons", "direction": "right", "x": 0, "y": 1.01, "xanchor": "left",
        "yanchor": "bottom", "showactive": False, "bgcolor": "rgba(128,128,128,0.15)",
        "bordercolor": theme.quiet, "font": {"size": 14, "color": theme.ink}, "pad": {"b": 2},
        "buttons": [{"label": "▶ Glide from the mask before", "method": "animate",
                     "args": [frames, timing]}],
    }])


def _plain(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
