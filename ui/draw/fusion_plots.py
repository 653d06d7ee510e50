"""Figures of what goes on inside an aggregator. Pure, as `plots`: arrays in, plotly figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ui.draw.plots import FONT, Theme

MOST_GAPS = 64
"""Up to so many columns, cells of a strip stand apart."""
FEW = 12
"""So few columns are all numbered."""
BLUE, ORANGE, RED = "#0072B2", "#E69F00", "#D55E00"


def strips(
    values: np.ndarray, names: Sequence[str], titles: tuple[str, str], is_share: bool, dark: bool
) -> go.Figure:
    """A row of cells for each name: values [name, column], shares of 1 or numbers around 0."""
    top = 1.0 if is_share else float(np.abs(values).max(initial=1e-9))
    ground = "#14171a" if dark else "#fcfbf8"
    column, said = titles
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=list(range(values.shape[1])),
            y=list(names),
            ygap=4,
            xgap=1 if values.shape[1] <= MOST_GAPS else 0,
            colorscale=[ground, BLUE] if is_share else [BLUE, ground, ORANGE],
            zmin=0 if is_share else -top,
            zmax=top,
            hovertemplate=f"%{{y}}, {column} %{{x}}: {said} %{{z:.2f}}<extra></extra>",
            colorbar={
                "thickness": 12,
                "outlinewidth": 0,
                "tickfont": {"color": Theme.of(dark).quiet, "size": 13},
            },
        )
    )
    figure = _laid_out(figure, column, 110 + 38 * len(names), dark)
    return figure.update_xaxes(dtick=1 if values.shape[1] <= FEW else None)


def score_bands(
    bands: Mapping[str, Sequence[float]], score: float, titles: tuple[str, str], dark: bool
) -> go.Figure:
    """A box for each group's quantiles (5, 25, 50, 75, 95 %) and a line at the score at hand."""
    ink, figure = Theme.of(dark).ink, go.Figure()
    for (name, five), tint in zip(bands.items(), (BLUE, RED), strict=False):
        figure.add_trace(
            go.Box(
                y=[name],
                lowerfence=[five[0]],
                q1=[five[1]],
                median=[five[2]],
                q3=[five[3]],
                upperfence=[five[4]],
                orientation="h",
                fillcolor="rgba(128,128,128,0.15)",
                line={"color": tint, "width": 2.5},
                name=name,
                showlegend=False,
                hoverinfo="x",
            )
        )
    figure.add_vline(
        x=score,
        line={"color": ink, "width": 3},
        annotation={
            "text": titles[1],
            "font": {"color": ink, "size": 15},
            "yanchor": "bottom",
            "y": 1,
        },
    )
    return _laid_out(figure, titles[0], 210, dark, top=34)


def _laid_out(figure: go.Figure, title: str, height: int, dark: bool, top: int = 12) -> go.Figure:
    theme = Theme.of(dark)
    axis: dict[str, Any] = {
        "zeroline": False,
        "fixedrange": True,
        "showgrid": False,
        "tickfont": {"color": theme.quiet, "size": 14},
    }
    figure.update_layout(
        template="none",
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": theme.ink, "size": 15},
        margin={"l": 8, "r": 12, "t": top, "b": 8},
        hoverlabel={"font": {"family": FONT, "size": 15}},
        xaxis={**axis, "title": {"text": title, "font": {"size": 15}}, "automargin": True},
        yaxis={**axis, "autorange": "reversed", "automargin": True},
    )
    return figure
