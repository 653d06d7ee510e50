"""Lines of measured figures: bounds along the training, loadings, what beta changes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from ui.draw.plots import FONT, Theme

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C8C8C")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
TALL = 340
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Course:
    """A line: its name and its points; `is_truth` sets it apart from the learned ones.

    `labels` are written beside the points, where there are any.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    is_truth: bool = False
    labels: tuple[str, ...] = ()


def lines(
    courses: Sequence[Course], across: str, up: str, dark: bool, floor: float | None = None
) -> go.Figure:
    """One line a course, each with a colour and a shape of its own; `floor` cuts off what is below.

    The truth is drawn thick and dashed in the colour of the text.
    """
    theme, figure = Theme.of(dark), go.Figure()
    learned = [one for one in courses if not one.is_truth]
    for index, one in enumerate(learned):
        look = index % len(COLOURS)
        figure.add_scatter(
            x=one.x,
            y=one.y,
            name=escape(one.name, quote=False),
            mode="lines+markers+text" if one.labels else "lines+markers",
            text=one.labels,
            textposition="top center",
            line={"color": COLOURS[look], "width": 2},
            marker={"symbol": SYMBOLS[look], "size": 7},
            hovertemplate=f"{escape(one.name, quote=False)}<br>%{{x}}: %{{y:.2f}}<extra></extra>",
        )
    for one in courses:
        if one.is_truth:
            figure.add_scatter(
                x=one.x,
                y=one.y,
                name=escape(one.name, quote=False),
                mode="lines",
                line={"color": theme.ink, "width": 3, "dash": "dash"},
                hovertemplate=f"{escape(one.name, quote=False)}<br>%{{x}}: %{{y:.2f}}<extra></extra>",
            )
    axis = {"gridcolor": theme.line, "zeroline": False, "automargin": True}
    tops = [value for one in courses for value in one.y]
    reach = None if floor is None or not tops else [floor, max(tops) + 0.05 * (max(tops) - floor)]
    figure.update_layout(
        height=TALL,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": theme.ink},
        legend={"orientation": "h", "y": -0.22, "yanchor": "top"},
        xaxis={**axis, "title": across},
        yaxis={**axis, "title": up, "range": reach},
    )
    return figure


def floor_of(courses: Sequence[Course]) -> float | None:
    """The lowest of the second halves: first passes lie far below all that is worth seeing."""
    late = [value for one in courses for value in one.y[len(one.y) // 4 :]]
    return min(late) - 0.05 * (max(late) - min(late)) - 1e-6 if late else None


def told(courses: Sequence[Course]) -> str:
    """The ends of all lines in words."""
    said = "; ".join(f"{one.name} {one.y[0]:.1f} to {one.y[-1]:.2f}" for one in courses)
    return said.replace(" -", f" {MINUS}")
