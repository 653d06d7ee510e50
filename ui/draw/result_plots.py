"""Figures of the experiments: differences with intervals, figures by model, latents. Pure."""

from collections.abc import Iterator, Sequence
from html import escape
from statistics import median
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ui.draw.marks import colour, symbol
from ui.draw.plots import EQUAL, FONT, Theme, frame_of
from ui.draw.spans import Line, Look, Rule, Span, look_of

OUTLIER = 6
"""So many times the usual distance from the middle, and an end is cut off with an arrow."""
ROW, HEAD, ABOVE = 54, 34, 20
"""Pixels of a row, of a heading between rows, and of a label above its spans."""


def intervals(lines: Sequence[Line], title: str, dark: bool, rule: Rule | None = None) -> go.Figure:
    """A forest plot: one row a line, label and numbers above its interval, a rule to compare with.

    Ends far from all others are cut off at the frame and end in an arrow.
    """
    theme, places = Theme.of(dark), _places(lines)
    frame = window([span for line in lines for span in line.spans], rule)
    figure = go.Figure()
    for kind in dict.fromkeys(span.kind for line in lines for span in line.spans):
        spans = [
            (span, y)
            for line, place in zip(lines, places, strict=True)
            for span, y in _spread(line, place)
            if span.kind == kind
        ]
        _add_kind(figure, look_of(kind), spans, frame, theme)
    for line, place in zip(lines, places, strict=True):
        _add_label(figure, line, place, theme)
    if rule is not None:
        _add_rule(
            figure,
            rule,
            [place for line, place in zip(lines, places, strict=True) if line.spans],
            theme,
        )
    _lay_out(figure, title, frame, 18 - places[-1], theme)
    return figure


def window(spans: Sequence[Span], rule: Rule | None = None) -> tuple[float, float]:
    """The values that the axis shows: all but those far outside of the usual."""
    middle = median(span.mean for span in spans) if rule is None else rule.value
    reach = [max(abs(end - middle) for end in span.reach) for span in spans]
    usual = OUTLIER * median(reach)
    within = [
        end for span, far in zip(spans, reach, strict=True) if far <= usual for end in span.reach
    ]
    low, high = min([middle, *within]), max([middle, *within])
    pad = max(0.06 * (high - low), 1e-9 + 1e-6 * abs(middle))
    return low - pad, high + pad


def cloud(
    where: np.ndarray, labels: np.ndarray, titles: tuple[str, str], frame: np.ndarray, dark: bool
) -> go.Figure:
    """Latents [item, 2], each class with its mark; `frame` [n, 2] are points that fit in too."""
    theme, figure = Theme.of(dark), go.Figure()
    for label in np.unique(labels):
        rows = labels == label
        figure.add_trace(
            go.Scatter(
                x=where[rows, 0],
                y=where[rows, 1],
                mode="markers",
                hoverinfo="skip",
                showlegend=False,
                marker={
                    "color": colour(int(label)),
                    "symbol": symbol(int(label)),
                    "size": 6,
                    "opacity": 0.85,
                    "line": {"width": 0.5, "color": theme.ink},
                },
            )
        )
    x, y = frame_of(np.concatenate([where, frame]))
    axis = _axis(theme)
    figure.update_layout(
        **_common(theme),
        height=300,
        margin={"l": 46, "r": 4, "t": 6, "b": 44},
        xaxis={**axis, "range": x, "title": _title(titles[0], theme), "nticks": 6},
        yaxis={**axis, **EQUAL, "range": y, "title": _title(titles[1], theme), "nticks": 6},
    )
    return figure


def _places(lines: Sequence[Line]) -> list[float]:
    """Where each row's spans lie, a heading itself, in pixels below the top (negative)."""
    heights = [ROW if line.spans else HEAD for line in lines]
    below = [ABOVE + 12 if line.spans else HEAD / 2 for line in lines]
    return [-float(sum(heights[:index])) - below[index] for index in range(len(lines))]


def _spread(line: Line, place: float) -> Iterator[tuple[Span, float]]:
    """Several spans of one row lie a little apart."""
    count = len(line.spans)
    for index, span in enumerate(line.spans):
        yield span, place + 13 * ((count - 1) / 2 - index)


def _add_label(figure: go.Figure, line: Line, place: float, theme: Theme) -> None:
    """The label and the numbers above the spans, from the left edge on at any width."""
    label, mean, more = (escape(text) for text in (line.label, line.mean, line.more))
    figure.add_annotation(
        text=f"{label}&nbsp; <b>{mean}</b> {more}" if line.spans else f"<b>{label}</b>",
        x=0,
        xref="paper",
        xanchor="left",
        y=place + (ABOVE if line.spans else 0),
        yanchor="middle",
        showarrow=False,
        align="left",
        font={"size": 14, "color": theme.ink},
    )


def _add_kind(
    figure: go.Figure,
    look: Look,
    spans: Sequence[tuple[Span, float]],
    frame: tuple[float, float],
    theme: Theme,
) -> None:
    """Lines, marks and arrows of one kind of span."""
    x: list[float | None] = []
    y: list[float | None] = []
    cut: list[tuple[float, float, str]] = []
    for span, height in spans:
        ends = np.clip(span.ends, *frame)
        x += [float(ends[0]), float(ends[1]), None]
        y += [height, height, None]
        cut += [
            (edge, height, arrow)
            for edge, arrow, beyond in (
                (frame[0], "triangle-left", min(span.ends) < frame[0]),
                (frame[1], "triangle-right", max(span.ends) > frame[1]),
            )
            if beyond
        ]
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            line={"color": look.colour, "width": 3},
        )
    )
    outline = {"color": theme.ink, "width": 1}
    singles = [
        (value, height)
        for span, height in spans
        for value in span.singles
        if frame[0] <= value <= frame[1]
    ]
    if singles:
        values, heights = zip(*singles, strict=True)
        figure.add_trace(
            go.Scatter(
                x=values,
                y=heights,
                mode="markers",
                hoverinfo="skip",
                showlegend=False,
                marker={
                    "symbol": "line-ns",
                    "size": 12,
                    "line": {"color": look.colour, "width": 1.5},
                },
            )
        )
    inside = [(span.mean, height) for span, height in spans if frame[0] <= span.mean <= frame[1]]
    figure.add_trace(
        go.Scatter(
            x=[mean for mean, _ in inside] or [None],
            y=[height for _, height in inside] or [None],
            mode="markers",
            name=escape(look.name),
            hoverinfo="skip",
            marker={"color": look.colour, "symbol": look.symbol, "size": 12, "line": outline},
        )
    )
    if cut:
        edges, heights, arrows = zip(*cut, strict=True)
        figure.add_trace(
            go.Scatter(
                x=edges,
                y=heights,
                mode="markers",
                hoverinfo="skip",
                showlegend=False,
                cliponaxis=False,
                marker={"color": look.colour, "symbol": arrows, "size": 14, "line": outline},
            )
        )


def _add_rule(figure: go.Figure, rule: Rule, places: Sequence[float], theme: Theme) -> None:
    """A line through the rows, broken where a label stands."""
    y: list[float | None] = []
    for place in places:
        y += [place + ABOVE - 9, place - 16, None]
    figure.add_trace(
        go.Scatter(
            x=[rule.value] * len(y),
            y=y,
            mode="lines",
            name=rule.name,
            hoverinfo="skip",
            showlegend=bool(rule.name),
            line={"color": theme.ink, "width": 1.8},
        )
    )


def _lay_out(
    figure: go.Figure, title: str, frame: tuple[float, float], depth: float, theme: Theme
) -> None:
    figure.update_layout(
        **_common(theme),
        height=int(depth) + 96,
        margin={"l": 8, "r": 12, "t": 40, "b": 56},
        xaxis={**_axis(theme), "range": frame, "title": _title(title, theme), "nticks": 7},
        yaxis={"visible": False, "range": [-depth, 0], "fixedrange": True},
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1,
            "x": 1,
            "xanchor": "right",
            "itemclick": False,
            "itemdoubleclick": False,
            "font": {"color": theme.ink, "size": 14},
        },
    )


def _common(theme: Theme) -> dict[str, Any]:
    return {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "dragmode": False,
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "color": theme.ink, "size": 14},
    }


def _axis(theme: Theme) -> dict[str, Any]:
    return {
        "zeroline": False,
        "gridcolor": theme.line,
        "linecolor": theme.line,
        "fixedrange": True,
        "tickfont": {"color": theme.quiet, "size": 13},
    }


def _title(text: str, theme: Theme) -> dict[str, Any]:
    return {"text": text, "font": {"color": theme.ink, "size": 14}}
