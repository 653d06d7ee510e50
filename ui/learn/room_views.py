"""What the visitors of this server predicted: counts alone, in its memory, only with `--collect`."""

import threading
from collections import Counter
from itertools import pairwise

import streamlit as st

from ui.draw import lesson_plots
from ui.learn import live
from ui.learn.cards import Card
from ui.shell import lesson, loading, messages, state

BINS, EVERY_SECONDS, MOST_QUESTIONS = 8, 5, 200
FAR = (1, 2, 4)
"""Ends of the bars of an ellipse's middle, in what counts as near enough."""


class Room:
    """Counts by question, which one thread at a time changes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: dict[tuple[str, str], Counter[int]] = {}

    def tell(self, question: tuple[str, str], place: int) -> None:
        """Count one prediction; of more than MOST_QUESTIONS none."""
        with self.lock:
            if question in self.counts or len(self.counts) < MOST_QUESTIONS:
                self.counts.setdefault(question, Counter())[place] += 1

    def of(self, question: tuple[str, str]) -> Counter[int]:
        """How often each place was predicted."""
        with self.lock:
            return Counter(self.counts.get(question, Counter()))


@st.cache_resource(show_spinner=False)
def _room() -> Room:
    return Room()


def tell(card: Card, value: lesson.Answer) -> None:
    """Count a prediction, where predictions are collected."""
    if loading.collects():
        _room().tell(_question(card), place_of(card, value))


def histogram(card: Card, guess: lesson.Answer | None) -> None:
    """What the room predicted: after one's own prediction, or by the teacher's link before it."""
    if not loading.collects():
        return
    state.check_link(lesson.ROOM, state.is_among(["true", "false"]), "true or false")
    if guess is None and st.query_params.get(lesson.ROOM) != "true":
        return
    _drawn(card)


@st.fragment(run_every=EVERY_SECONDS)
def _drawn(card: Card) -> None:
    counts = _room().of(_question(card))
    total = sum(counts.values())
    if not total:
        messages.html('<p class="source">Nobody in the room has predicted yet.</p>')
        return
    rows = [
        lesson_plots.Bar(label, counts[place], str(counts[place]))
        for place, label in enumerate(places(card))
    ]
    alt = f"{total} predictions: " + "; ".join(f"{one.label} {one.said}" for one in rows)
    messages.html(
        f'<p class="source">The room predicted ({total}):</p>'
        + lesson_plots.image(lesson_plots.bars(rows, state.is_dark()), alt, "room")
    )


def places(card: Card) -> list[str]:
    """What the bars are called: choices by their letters, ranges of the number, or how far off."""
    asked = card.question
    if asked.ellipse is not None:
        ends = [asked.ellipse.near * times for times in FAR]
        said = [f"{low:.2g} to {high:.2g} away" for low, high in pairwise([0.0, *ends])]
        return [*said, f"over {ends[-1]:.2g} away"]
    if asked.scale is None:
        return [f"{letter}" for letter in "ABCDE"[: len(asked.choices)]]
    scale = asked.scale
    width = (scale.high - scale.low) / BINS
    return [
        f"{scale.low + index * width:.3g} to {scale.low + (index + 1) * width:.3g}"
        for index in range(BINS)
    ]


def place_of(card: Card, value: lesson.Answer) -> int:
    """The bar that a prediction belongs to."""
    asked = card.question
    if asked.ellipse is not None:
        far = live.apart(card, value)
        return sum(far > asked.ellipse.near * times for times in FAR)
    if asked.scale is None:
        return int(value[0]) - 1
    scale = asked.scale
    return min(BINS - 1, int(BINS * (value[0] - scale.low) / (scale.high - scale.low)))


def _question(card: Card) -> tuple[str, str]:
    return card.id, card.question.asks
