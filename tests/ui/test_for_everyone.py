"""Colours that stay apart for every kind of colour vision, and text that can be read."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from ui.draw import landing, marks, plots
from ui.kinds.words import PALEST

STYLE = (Path(__file__).resolve().parents[2] / "ui" / "shell" / "style.css").read_text()
GROUNDS = {False: "#fcfbf8", True: "#14171a"}
# Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", 2009, severity 1, on linear RGB.
VISIONS = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1, 1.08883])


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB."""
    t = XYZ @ rgb / WHITE
    f = np.where(t > 216 / 24389, np.cbrt(np.maximum(t, 0)), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(first: str, second: str) -> float:
    low, high = sorted(float(XYZ[1] @ linear(colour)) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)


def mixed(ink: str, ground: str, share: float) -> str:
    """What ink of that opacity looks like."""
    parts = [
        round(share * int(ink[at : at + 2], 16) + (1 - share) * int(ground[at : at + 2], 16))
        for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def test_the_ruler_is_right() -> None:
    np.testing.assert_allclose(lab(linear("#FFFFFF")), [100, 0, 0], atol=0.01)
    np.testing.assert_allclose(lab(linear("#FF0000")), [53.24, 80.09, 67.20], atol=0.05)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("vision", list(VISIONS))
def test_class_colours_stay_apart(vision: str) -> None:
    """At least 15 apart in CIE 1976, about six times what is just noticeable."""
    seen = [lab(np.clip(np.array(VISIONS[vision]) @ linear(one), 0, 1)) for one in marks.COLOURS]
    assert min(np.linalg.norm(first - second) for first, second in combinations(seen, 2)) >= 15


@pytest.mark.parametrize("dark", [False, True])
def test_text_in_figures_can_be_read(dark: bool) -> None:
    theme = plots.Theme.of(dark)
    assert contrast(theme.ink, GROUNDS[dark]) >= 4.5
    assert contrast(theme.quiet, GROUNDS[dark]) >= 4.5
    picture = landing.still(np.zeros((1, 2)), np.zeros(1, int), ((-1, 1), (-1, 1)), dark)
    assert picture.share(np.zeros(2))[0].tolist() == [0.5, 0.5]
    assert picture.share(np.array([3.0, 0]))[1] is False


@pytest.mark.parametrize("dark", [False, True])
def test_pale_text_can_still_be_read(dark: bool) -> None:
    """Text is paled by opacity; the palest that carries meaning is that of the sources."""
    ink, ground = plots.Theme.of(dark).ink, GROUNDS[dark]
    for rule in (
        r"\.source \{[^}]*opacity: \.(\d+)",
        r"\.question \{[^}]*opacity: \.(\d+)",
        r"figcaption \{[^}]*opacity: \.(\d+)",
        r"numbers small \{ opacity: \.(\d+)",
    ):
        found = re.search(rule, STYLE)
        assert found, rule
        assert contrast(mixed(ink, ground, float(f"0.{found[1]}")), ground) >= 4.5
    assert contrast(mixed(ink, ground, PALEST), ground) >= 4.5


def test_motion_stops_where_it_is_not_wanted() -> None:
    assert "prefers-reduced-motion" in STYLE
