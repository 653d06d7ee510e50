"""One colour and one shape for each class, the same on every page. Pure.

Colours: Okabe and Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/, with a
grey in place of black, which a dark page would swallow: dark enough to stay apart from green and
pink where red and green look alike, and a pale green and a brown that stay apart from all of them
for every kind of colour vision. The number of colours (10) and of shapes (9) share no factor, so
90 classes get different pairs, and ten classes ten colours.
"""

import base64
from html import escape

COLOURS = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#646464",
    "#BAEB9D",
    "#7A3E12",
)

NO_CLASS, NO_COLOUR = "no label", "#B4B4B4"

# plotly's name of the symbol -> the same shape as points in a box of 16 by 16
SHAPES = {
    "circle": "",
    "square": "2,2 14,2 14,14 2,14",
    "diamond": "8,0 16,8 8,16 0,8",
    "cross": "5,1 11,1 11,5 15,5 15,11 11,11 11,15 5,15 5,11 1,11 1,5 5,5",
    "triangle-up": "8,1 15,14 1,14",
    "x": "4,0 8,4 12,0 16,4 12,8 16,12 12,16 8,12 4,16 0,12 4,8 0,4",
    "triangle-down": "1,2 15,2 8,15",
    "star": "8,0 10,6 16,6 11,10 13,16 8,12 3,16 5,10 0,6 6,6",
    "hourglass": "2,1 14,1 2,15 14,15",
}


def colour(label: int) -> str:
    """The colour of a class; pale grey of none."""
    return COLOURS[label % len(COLOURS)] if label >= 0 else NO_COLOUR


def symbol(label: int) -> str:
    """Plotly's name of a class's shape."""
    return list(SHAPES)[max(label, 0) % len(SHAPES)]


def mark_html(label: int) -> str:
    """The mark of a class as a small picture (Streamlit cuts inline SVG out of HTML)."""
    points = SHAPES[symbol(label)]
    style = f'fill="{colour(label)}" stroke="#6b6b6b" stroke-width="1"'
    shape = (
        f'<polygon points="{points}" {style}/>'
        if points
        else (f'<circle cx="8" cy="8" r="7" {style}/>')
    )
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 18 18">{shape}</svg>'
    uri = "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
    return f'<img class="mark" src="{uri}" alt="">'


def defined_mark(label: int, size: int, ink: str) -> str:
    """A class's mark of so many pixels within an SVG, centred, to be used as `#c<label>`."""
    points = SHAPES[symbol(label)]
    drawn = f'<polygon points="{points}"/>' if points else '<circle cx="8" cy="8" r="7"/>'
    return (
        f'<g id="c{label}" transform="scale({size / 16}) translate(-8 -8)" opacity="0.8" '
        f'fill="{colour(label)}" stroke="{ink}" stroke-width="0.9">{drawn}</g>'
    )


def class_html(label: int, classes: list[str]) -> str:
    """Mark and name of a class."""
    return f'<span class="class">{mark_html(label)}{escape(class_name(label, classes))}</span>'


def class_name(label: int, classes: list[str]) -> str:
    """The name of a class, its number if it has none; -1 is no class."""
    if label < 0:
        return NO_CLASS
    return classes[label] if label < len(classes) else str(label)
