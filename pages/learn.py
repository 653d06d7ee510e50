"""The whole idea by hand, in cards that ask before they show. Needs torch for some cards alone."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.learn import card_views, lesson_views, live, room_views, training_views  # noqa: E402

lesson = live.lesson()
lesson_views.faults(lesson)
card = lesson_views.pick(lesson)
answers = lesson_views.answers(lesson)
lesson_views.ways(lesson, card, answers)
lesson_views.light(card)

guess = answers.get(card.id)
with st.container(key="learn_card"):
    left, right = st.columns([4, 6], gap="large")
    with left:
        with st.container(key="learn_text"):
            card_views.text(card)
        with st.container(key="learn_question"):
            if guess is None:
                card_views.question(card)
            else:
                card_views.reveal(card, guess)
        room_views.histogram(card, guess)
        lesson_views.steps(lesson, card, answers)
    with right, st.container(key="learn_picture"):
        card_views.picture(card, guess)
if guess is not None:
    with st.container(key="learn_depths"):
        card_views.depths(card)
    with st.container(key="learn_door"):
        card_views.door(card)
    training_views.below(card.id)
lesson_views.for_the_teacher(card)
