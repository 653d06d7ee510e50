"""What a training came to, pass by pass: two small panels, and the numbers. Pure."""

import base64
from collections.abc import Sequence
from html import escape

from mmvae_core.store.history import EpochReport
from ui.draw.plots import FONT, Theme
from ui.draw.tables import nats

WIDE, HIGH, GAP, LEFT = 300, 96, 34, 6
TRAINING, HELD_OUT, RATE = "#0072B2", "#D55E00", "#009E73"


def curves_html(history: Sequence[EpochReport], dark: bool) -> str:
    """A folded section: the bounds of training and held-out items, the rate, a row an epoch."""
    if not history:
        return ""
    last = history[-1]
    alt = (
        f"Training curves over {len(history)} epochs: the bound ends at {nats(last.training_bound)} "
        f"weighted nats an item in training and {nats(last.validation_bound)} on held-out items, "
        f"the rate at {nats(last.rate)} nats."
    )
    drawing = base64.b64encode(curves_svg(history, dark).encode()).decode()
    return (
        "<details><summary>Training curves</summary>"
        f'<img class="tiles" data-figure="Training curves" alt="{escape(alt)}" '
        f'src="data:image/svg+xml;base64,{drawing}">{_table(history)}</details>'
    )


def curves_svg(history: Sequence[EpochReport], dark: bool) -> str:
    """Two panels over the epochs: both bounds on one axis, and the rate."""
    theme = Theme.of(dark)
    bounds = [
        ([one.training_bound for one in history], TRAINING, ""),
        ([one.validation_bound for one in history], HELD_OUT, "5 3"),
    ]
    rates = [([one.rate for one in history], RATE, "")]
    heads = (
        ("bound, nats an item:", ("training", TRAINING), ("held out", HELD_OUT)),
        ("rate, nats", ("", RATE)),
    )
    panels = "".join(
        _panel(lines, head, theme, index * (HIGH + GAP) + 22)
        for index, (lines, head) in enumerate(zip((bounds, rates), heads, strict=True))
    )
    height = 2 * (HIGH + GAP) + 8
    epochs = f"epoch 1 to {len(history)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{height}" '
        f'viewBox="0 0 {WIDE} {height}" font-family="{escape(FONT)}" font-size="12" '
        f'fill="{theme.ink}">{panels}'
        f'<text x="{WIDE - LEFT}" y="{height - 1}" text-anchor="end">{epochs}</text></svg>'
    )


def _panel(
    lines: Sequence[tuple[list[float], str, str]],
    head: tuple[str, *tuple[tuple[str, str], ...]],
    theme: Theme,
    top: int,
) -> str:
    """Lines (values, colour, dashes) in a frame, its lowest and highest value inside it."""
    values = [value for line, _, _ in lines for value in line]
    low, high = min(values), max(values)
    spread, wide = max(high - low, 1e-9), WIDE - 2 * LEFT
    drawn = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}" '
        f'points="{_points(line, low, spread, wide, top)}"/>'
        for line, colour, dashes in lines
    )
    title, *keys = head
    named = "".join(f' <tspan fill="{_told(key, theme)}">{name}</tspan>' for name, key in keys)
    edge = f'x="{LEFT}" y="{top}" width="{wide}" height="{HIGH}"'
    return (
        f'<rect {edge} fill="none" stroke="{theme.line}"/>{drawn}'
        f'<text x="{LEFT}" y="{top - 6}">{title}{named}</text>'
        f'<text x="{WIDE - LEFT - 4}" y="{top + 14}" text-anchor="end">{nats(high)}</text>'
        f'<text x="{WIDE - LEFT - 4}" y="{top + HIGH - 5}" text-anchor="end">{nats(low)}</text>'
    )


def _points(line: list[float], low: float, spread: float, wide: int, top: int) -> str:
    step = wide / max(len(line) - 1, 1)
    return " ".join(
        f"{LEFT + index * step:.1f},{top + HIGH * (1 - (value - low) / spread):.1f}"
        for index, value in enumerate(line)
    )


def _told(colour: str, theme: Theme) -> str:
    """Text takes the ink where a line's colour would be too pale on the ground."""
    dark = theme == Theme.of(True)
    return {TRAINING: "#6CBCEC", HELD_OUT: "#FF9A52"}.get(colour, colour) if dark else colour


def _table(history: Sequence[EpochReport]) -> str:
    heads = ("epoch", "bound, training", "bound, held out", "rate")
    rows = "".join(
        f'<tr><th scope="row">{one.epoch}</th>'
        + "".join(
            f'<td data-value="{value:.9g}">{nats(value)}</td>'
            for value in (one.training_bound, one.validation_bound, one.rate)
        )
        + "</tr>"
        for one in history
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="scroll curve" tabindex="0" role="region" aria-label="Training by epoch">'
        f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
