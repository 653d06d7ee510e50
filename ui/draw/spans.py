"""Rows of intervals, as they are drawn: each mean with its interval, its kind and its words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How a kind of row is drawn: its name in the legend, colour, plotly symbol."""

    name: str
    colour: str
    symbol: str


LOOKS = {
    "holds": Look("holds", "#0072B2", "triangle-up"),
    "open": Look("open", "#8C8C8C", "circle"),
    "reversed": Look("reversed", "#D55E00", "triangle-down"),
    "masked": Look("masked", "#56B4E9", "circle"),
    "mixture": Look("mixture", "#E69F00", "diamond"),
    "mixture_not_empty": Look("mixture never empty", "#009E73", "square"),
}
"""The verdicts of claims and the objectives, each with a colour and a shape of its own."""


def look_of(kind: str) -> Look:
    """How a kind is drawn; one that is not known here is grey and called as it is."""
    return LOOKS.get(kind, Look(kind, "#8C8C8C", "x"))


@dataclass(frozen=True)
class Span:
    """A mean with its interval, if there is one, and the single values, drawn as `kind` looks."""

    kind: str
    mean: float
    low: float | None
    high: float | None
    singles: tuple[float, ...] = ()

    @property
    def ends(self) -> tuple[float, float]:
        """The interval, or twice the mean."""
        return (
            self.mean if self.low is None else self.low,
            self.mean if self.high is None else self.high,
        )

    @property
    def reach(self) -> tuple[float, ...]:
        """All that is drawn of it."""
        return (*self.ends, self.mean, *self.singles)


@dataclass(frozen=True)
class Line:
    """A row: its label, its mean and more in words, and one or more spans; a heading has none."""

    label: str
    mean: str = ""
    more: str = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A vertical line at a value that all rows are held against."""

    value: float
    name: str = ""
