"""Around the card: chapters, previous and next, what is lit, and what a teacher may want."""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

import streamlit as st

from ui.learn.cards import Card, Lesson
from ui.shell import lesson as kept
from ui.shell import loading, messages, state

CHAPTER, AT = "learn_chapter", "learn_at"
BLOCKS = ("picture", "question")
"""What can be lit whole; all else is a part of a toy world."""


def faults(lesson: Lesson) -> None:
    """Why files of the folder are no cards; the other cards open all the same."""
    for fault in lesson.faults.values():
        st.error(messages.literal(fault))
    if not lesson.cards:
        raise messages.PageEnd


def pick(lesson: Lesson) -> Card:
    """The card that the link names, or the one before another page was visited, else the first."""
    at = kept.card([one.id for one in lesson.cards])
    return next(one for one in lesson.cards if one.id == at)


def answers(lesson: Lesson) -> dict[str, kept.Answer]:
    """What was predicted, by card."""
    return kept.answers({one.id: one.question.fits for one in lesson.cards})


def ways(lesson: Lesson, card: Card, answered: Mapping[str, kept.Answer]) -> None:
    """The chapters, and the cards of the present one; ✓ before those that were answered."""
    chapters = lesson.chapters()
    st.session_state[CHAPTER], st.session_state[AT] = card.chapter, card.id
    labels = {one.id: _label(lesson, one, answered) for one in lesson.cards}
    with st.container(key="learn_ways"):
        st.segmented_control(
            "Chapter",
            list(chapters),
            key=CHAPTER,
            required=True,
            on_change=_open_chapter,
            args=({name: cards[0].id for name, cards in chapters.items()},),
            format_func=lambda name: _chapter(name, chapters[name], answered),
            label_visibility="collapsed",
        )
        st.pills(
            "Card",
            [one.id for one in chapters[card.chapter]],
            key=AT,
            required=True,
            on_change=_open_card,
            format_func=labels.__getitem__,
            label_visibility="collapsed",
        )
    messages.tell(" ".join([*chapters, *(one.short for one in lesson.cards)]))


def steps(lesson: Lesson, card: Card, answered: Mapping[str, kept.Answer]) -> None:
    """One card back, one on."""
    ids = [one.id for one in lesson.cards]
    index = ids.index(card.id)
    with st.container(horizontal=True, key="learn_steps", vertical_alignment="center"):
        if index:
            st.button("← Previous", on_click=kept.go, args=(ids[index - 1],), key="learn_back")
        if index + 1 < len(ids):
            is_done = card.id in answered
            st.button(
                "Next →",
                on_click=kept.go,
                args=(ids[index + 1],),
                key="learn_next",
                type="primary" if is_done else "secondary",
            )
        done = sum(one in answered for one in ids)
        messages.html(f'<p class="source">{done} of {len(ids)} cards answered</p>')


def light(card: Card) -> None:
    """An outline around what the card speaks of; gone with the card, as it is part of its page."""
    is_block = card.lights in BLOCKS
    part = f".st-key-learn_picture ::part({card.lights})"
    kept.light(f".st-key-learn_{card.lights}" if is_block else part)


def for_the_teacher(card: Card) -> None:
    """The link of a lesson that begins here, and where own cards come from."""
    link = f"learn?{urlencode({kept.CARD: card.id, state.PLAIN: 'true'})}"
    room = (
        f' With <a href="{escape(link)}&amp;{kept.ROOM}=true" target="_blank">this link</a> the page '
        "also shows what the room predicted, before the reveal too."
        if loading.collects()
        else " <code>mmvae app --collect</code> counts what the room predicts."
    )
    messages.fold(
        "For the teacher",
        f'<p class="source"><a href="{escape(link)}" target="_blank">A lesson that begins here</a>, '
        "in large letters and with all other controls hidden. Cards of your own: <code>mmvae app "
        f"--cards FOLDER</code>, a file each.{room}</p>",
    )


def _open_chapter(first: Mapping[str, str]) -> None:
    kept.go(first[st.session_state[CHAPTER]])


def _open_card() -> None:
    kept.go(st.session_state[AT])


def _label(lesson: Lesson, card: Card, answered: Mapping[str, kept.Answer]) -> str:
    number = lesson.cards.index(card) + 1
    return f"{'✓ ' if card.id in answered else ''}{number}. {messages.literal(card.short)}"


def _chapter(name: str, cards: list[Card], answered: Mapping[str, kept.Answer]) -> str:
    is_done = all(one.id in answered for one in cards)
    return f"{'✓ ' if is_done else ''}{messages.literal(name)}"
