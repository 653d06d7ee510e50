"""Figures for a lecture room. Pure."""

from typing import Any

import plotly.graph_objects as go


def enlarged(figure: go.Figure, by: float = 1.4) -> go.Figure:
    """A copy for a lecture room: text and margins so many times as large, marks a little more."""
    told = figure.to_dict()
    _grow(told["layout"], by)
    for trace in told["data"]:
        marker = trace.get("marker", {})
        if isinstance(marker.get("size"), int | float):
            marker["size"] *= 1.15 * by
        if isinstance(trace.get("textfont"), dict):
            _grow(trace, by)
    return go.Figure(told, skip_invalid=True)


def _grow(part: Any, by: float) -> None:
    """All sizes of text in a part of a figure, and its margins."""
    for key, value in part.items() if isinstance(part, dict) else ():
        if key == "margin":
            part[key] = {side: by * wide for side, wide in value.items()}
        elif key.endswith("font") and isinstance(value, dict) and "size" in value:
            value["size"] *= by
        else:
            for one in value if isinstance(value, list | tuple) else [value]:
                _grow(one, by)
