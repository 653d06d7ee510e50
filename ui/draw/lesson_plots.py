"""Still pictures of the cards as SVG: arrays in, text out. Pure; the page and the handout share them."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ui.draw.marks import defined_mark
from ui.draw.plots import FONT, Theme

PANEL, MARGIN, HEAD, MARK = 300, 14, 46, 8
ROW, LETTER, BAR, LINE = 34, 8.2, 280, 400
PREDICTED, TRUE = "#d55e00", "#0072b2"
PAD = 0.06


@dataclass(frozen=True)
class Panel:
    """Points [item, 2] with labels [item], and what is written above them."""

    title: str
    note: str
    points: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Bar:
    """A value from 0 on, what it is called, and how it is written."""

    label: str
    value: float
    said: str


@dataclass(frozen=True)
class Outline:
    """Lines [point, 2] around what holds 95 % of a distribution, its name, colour and dashes."""

    name: str
    lines: Sequence[np.ndarray]
    colour: str
    dash: str = ""
    fill: bool = False


def clouds(panels: Sequence[Panel]) -> str:
    """Points in panels side by side, each in its own frame of equal axes; for print, on white."""
    theme = Theme.of(False)
    labels = np.unique(np.concatenate([one.labels for one in panels]))
    shapes = "".join(defined_mark(int(label), MARK, theme.ink) for label in labels)
    wide, high = len(panels) * (PANEL + MARGIN) - MARGIN, PANEL + HEAD
    body = "".join(
        f'<g transform="translate({index * (PANEL + MARGIN)} 0)">{_panel(one, theme)}</g>'
        for index, one in enumerate(panels)
    )
    return _svg(wide, high, f"<defs>{shapes}</defs>{body}", theme)


def bars(rows: Sequence[Bar], dark: bool = False) -> str:
    """Bars from 0, one a row."""
    theme, top = Theme.of(dark), max([one.value for one in rows] + [1e-9])
    label = 16 + LETTER * max(len(one.label) for one in rows)
    body = ""
    for index, one in enumerate(rows):
        y, length = ROW * index, max(0.0, BAR * one.value / top)
        body += (
            f'<text x="{label - 8:.0f}" y="{y + 22}" text-anchor="end">{escape(one.label)}</text>'
            f'<rect x="{label:.0f}" y="{y + 7}" width="{length:.1f}" height="{ROW - 13}" rx="3" '
            f'fill="{TRUE}"/><text x="{label + length + 8:.1f}" y="{y + 22}" '
            f'font-weight="600">{escape(one.said)}</text>'
        )
    return _svg(label + BAR + 100, ROW * len(rows), body, theme)


def number_line(
    ends: tuple[float, float], guess: tuple[float, str], true: tuple[float, str], dark: bool = False
) -> str:
    """A prediction and what is the case on one line; what is outside stands at its end."""
    theme = Theme.of(dark)
    low, high = min(ends[0], true[0]), max(ends[1], true[0])
    start, length = 44, LINE - 88
    at = [start + length * (value - low) / (high - low) for value, _ in (guess, true)]
    inside = [min(max(one, 80), LINE - 80) for one in at]
    body = (
        f'<path d="M{start} 46H{start + length}" stroke="{theme.quiet}" stroke-width="3"/>'
        f'<text x="{start - 6}" y="51" text-anchor="end">{low:g}</text>'
        f'<text x="{start + length + 6}" y="51">{high:g}</text>'
        f'<path d="M{at[0]:.1f} 46l-9 -15h18z" fill="{PREDICTED}"/>'
        f'<text x="{inside[0]:.1f}" y="22" text-anchor="middle">predicted {escape(guess[1])}</text>'
        f'<circle cx="{at[1]:.1f}" cy="46" r="8" fill="{TRUE}"/>'
        f'<text x="{inside[1]:.1f}" y="76" text-anchor="middle" font-weight="600">it is '
        f"{escape(true[1])}</text>"
    )
    return _svg(LINE, 86, body, theme)


def outlines(parts: Sequence[Outline], reach: float) -> str:
    """Outlines in the square from -reach to reach, a legend below; for print, on white."""
    theme, size = Theme.of(False), PANEL + 60
    scale = size / (2 * reach)

    def path(line: np.ndarray) -> str:
        where = (line * (1, -1) + reach) * scale
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in where)

    frame = f'width="{size}" height="{size}"'
    body = (
        f'<clipPath id="frame"><rect {frame}/></clipPath><rect {frame} fill="none" '
        f'stroke="{theme.quiet}"/><path d="M0 {size / 2}H{size}M{size / 2} 0V{size}" '
        f'stroke="{theme.line}"/><g clip-path="url(#frame)">'
    )
    for one in parts:
        fill = f'fill="{one.colour}" fill-opacity=".16"' if one.fill else 'fill="none"'
        dash = f' stroke-dasharray="{one.dash}"' if one.dash else ""
        d = "".join(path(line) for line in one.lines)
        body += f'<path d="{d}" {fill} stroke="{one.colour}" stroke-width="2.4"{dash}/>'
    body += "</g>"
    for index, one in enumerate(parts):
        y, dash = size + 20 + 20 * index, f' stroke-dasharray="{one.dash}"' if one.dash else ""
        body += (
            f'<path d="M4 {y - 5}h34" stroke="{one.colour}" stroke-width="3"{dash}/>'
            f'<text x="46" y="{y}">{escape(one.name)}</text>'
        )
    return _svg(size, size + 14 + 20 * len(parts), body, theme)


def uri(drawing: str) -> str:
    """The address of a picture: Streamlit cuts SVG out of HTML."""
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()


def image(drawing: str, alt: str, name: str) -> str:
    """The picture as HTML, of a class of its own, with what it shows in words."""
    return f'<img class="{name}" src="{uri(drawing)}" alt="{escape(alt)}">'


def _svg(wide: float, high: float, body: str, theme: Theme) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" '
        f'height="{high:g}" font-family="{escape(FONT)}" font-size="15" fill="{theme.ink}">{body}</svg>'
    )


def _panel(one: Panel, theme: Theme) -> str:
    low, high = one.points.min(0), one.points.max(0)
    middle, half = (low + high) / 2, max((high - low).max() / 2, 1e-9) * (1 + 2 * PAD)
    places = (one.points - middle) / half * (1, -1) * PANEL / 2 + PANEL / 2
    uses = "".join(
        f'<use href="#c{label}" x="{x:.0f}" y="{y + HEAD:.0f}"/>'
        for (x, y), label in zip(places, one.labels, strict=True)
    )
    return (
        f'<text y="15" font-weight="600">{escape(one.title)}</text><text y="35" font-size="13" '
        f'fill="{theme.quiet}">{escape(one.note)}</text><rect x=".5" y="{HEAD}.5" '
        f'width="{PANEL - 1}" height="{PANEL - 1}" fill="none" stroke="{theme.line}"/>{uses}'
    )
