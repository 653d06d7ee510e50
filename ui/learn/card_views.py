"""A card: its text, its question, what is to be seen, three depths, and the door to a free page."""

from html import escape
from urllib.parse import urlencode

import streamlit as st

from mmvae_core.errors import MMVAEError
from ui.draw import lesson_plots
from ui.learn import live, pictures, room_views
from ui.learn.cards import Card, as_shown
from ui.shell import frame, lesson, messages, state

DEPTHS = ("Picture", "Numbers", "Formula")
CHOICE, NUMBER = "learn_choice_", "learn_number_"


def text(card: Card) -> None:
    """Title and two or three sentences."""
    messages.html(
        f'<h2 class="card-title">{escape(card.title)}</h2>'
        f'<p class="card-text card-intro">{escape(live.said(card).text(card.text))}</p>'
    )


def question(card: Card) -> None:
    """What is asked before anything is shown; nothing is kept until the button is pressed."""
    asked = card.question
    asks = live.said(card).text(asked.asks)
    messages.html(f'<p class="card-text"><b>{escape(asks)}</b></p>')
    if asked.ellipse is not None:
        messages.html('<p class="source">Move the dashed line, then keep it: Keep my guess.</p>')
        return
    if asked.scale is None:
        st.radio(
            messages.literal(asks),
            range(1, len(asked.choices) + 1),
            index=None,
            format_func=lambda number: messages.literal(asked.choices[number - 1]),
            key=CHOICE + card.id,
            label_visibility="collapsed",
        )
        messages.tell(" ".join(asked.choices))
    else:
        low, high, step = (
            float(one) for one in (asked.scale.low, asked.scale.high, asked.scale.step)
        )
        unit = "%%" if card.claim(asked.scale.claim).percent else ""
        middle = low + step * round((high - low) / 2 / step)
        st.slider(
            messages.literal(asks),
            low,
            high,
            middle,
            step,
            format=f"%.{0 if step.is_integer() else 2}f {unit}".strip(),
            key=NUMBER + card.id,
            label_visibility="collapsed",
        )
    st.button(
        "That is my prediction: show me",
        type="primary",
        on_click=_keep,
        args=(card,),
        key="learn_keep",
    )


def _keep(card: Card) -> None:
    """Keep what was chosen, if anything was."""
    key = (CHOICE if card.question.scale is None else NUMBER) + card.id
    chosen = st.session_state.get(key)
    if chosen is None:
        return
    _tell(card, (float(chosen),))


def _tell(card: Card, value: lesson.Answer) -> None:
    """Keep a prediction, and count it for the room where it is the session's first on this card."""
    if not lesson.is_own(card.id):
        room_views.tell(card, value)
    lesson.answer(card.id, value)


def reveal(card: Card, guess: lesson.Answer) -> None:
    """The prediction beside what is the case, and what there is to see."""
    try:
        shows = live.said(card).text(card.shows)
        drawn = _beside(card, guess)
    except MMVAEError as error:
        st.info(messages.literal(f"What this card shows cannot be had here. {error}"))
        return
    messages.html(
        f'<p class="card-text"><b>{escape(live.said(card).text(card.question.asks))}</b></p>{drawn}'
    )
    messages.html(
        f'<p class="card-text shows" role="status"><b>What you should see.</b> {escape(shows)}</p>'
    )
    if not lesson.is_own(card.id):
        messages.html(
            '<p class="source">This prediction came with the link and was not made in this visit.</p>'
        )
    st.button(
        "Predict again" if lesson.is_own(card.id) else "Predict yourself",
        on_click=lesson.take_back,
        args=(card.id,),
        type="tertiary",
        key="learn_again",
    )


def _beside(card: Card, guess: lesson.Answer) -> str:
    """The prediction beside what is the case; that of an ellipse is drawn in the picture."""
    if card.question.scale is not None:
        return _line(card, guess[0])
    if card.question.ellipse is None:
        return _choices(card, guess[0])
    far = live.apart(card, guess)
    near = "near enough" if far <= card.question.ellipse.near else "not quite"
    return (
        f'<p class="card-text">The middle of your guess is {far:.2f} from where it is: {near}.</p>'
    )


def _choices(card: Card, guess: float) -> str:
    """The right choice, and the one that was predicted."""
    rows = []
    for number, one in enumerate(card.question.choices, 1):
        if number not in (guess, card.question.right):
            continue
        marks = (["so it is"] if number == card.question.right else []) + (
            ["your prediction"] if number == guess else []
        )
        names = ("right" if number == card.question.right else "") + (
            " predicted" if number == guess else ""
        )
        said = f" <small>{' · '.join(marks)}</small>" if marks else ""
        rows.append(f'<li class="{names.strip()}">{escape(one)}{said}</li>')
    return f'<ul class="choices">{"".join(rows)}</ul>'


def _line(card: Card, guess: float) -> str:
    """The number predicted and the number that it is, on a line."""
    scale = card.question.scale
    assert scale is not None
    claim = card.claim(scale.claim)
    true = as_shown(claim, live.value(claim))
    texts = [live.said(card).unit(claim, one) for one in (guess, true)]
    near = "near enough" if abs(guess - true) <= scale.near else "not quite"
    drawn = lesson_plots.number_line(
        (scale.low, scale.high), (guess, texts[0]), (true, texts[1]), state.is_dark()
    )
    alt = f"You predicted {texts[0]}, it is {texts[1]}: {near}."
    return f'{lesson_plots.image(drawn, alt, "line")}<p class="card-text">{escape(alt)}</p>'


def picture(card: Card, guess: lesson.Answer | None) -> None:
    """What moves or stands still; a prediction that was drawn into it is kept, and drawn on."""
    try:
        drawn = pictures.draw(card, guess)
        if guess is None and drawn is not None:
            _tell(card, drawn)
            st.rerun()
        caption = live.said(card).text(card.picture.caption)
    except MMVAEError as error:
        st.info(messages.literal(f"The picture of this card cannot be drawn here. {error}"))
        return
    messages.html(f'<p class="source">{escape(caption)}</p>')


def depths(card: Card) -> None:
    """The same thing three times: as a picture, in numbers, as a formula with its line of code."""
    tabs = st.tabs(DEPTHS, key=lesson.DEPTH, on_change="rerun", bind="query-params")
    for tab, body in zip(tabs, (_in_words, _in_numbers, _in_code), strict=True):
        if tab.open:
            with tab:
                try:
                    messages.html(body(card))
                except MMVAEError as error:
                    st.info(messages.literal(error))


def _in_words(card: Card) -> str:
    told = card.picture.reads or card.picture.caption
    return f'<p class="card-text">{escape(live.said(card).text(told))}</p>'


def _in_numbers(card: Card) -> str:
    """Every number of the card: what, how much, and how it is computed."""
    rows = "".join(
        f'<tr><th scope="row">{escape(one.says)}</th><td>{escape(live.said(card).unit(one))}</td>'
        f"<td><code>{escape(one.quantity)}</code></td></tr>"
        for one in card.claims
    )
    return (
        f'<p class="card-text">{escape(live.said(card).text(card.numbers))}</p><div class="scroll" '
        'tabindex="0" role="region" aria-label="Numbers of this card"><table class="numbers narrow">'
        "<thead><tr><th>Number</th><th>Value</th><th>Computed as</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _in_code(card: Card) -> str:
    one = card.formula
    return (
        f'<p class="formula">{escape(one.text)}</p><p class="card-text">{escape(live.said(card).text(one.says))}'
        f'</p><p class="source"><code>{escape(one.line)}</code><br>in <code>'
        f"{escape(one.code.replace(':', '.'))}</code></p>"
    )


def door(card: Card) -> None:
    """A link to the free page in the state of the card; in a tab of its own, the lesson stays."""
    one = card.door
    if one.page not in frame.PAGES:
        st.info(
            messages.literal(f"There is no page {one.page}; it is one of {', '.join(frame.PAGES)}.")
        )
        return
    messages.tell(one.says)
    path = "" if one.page == "start" else one.page
    link = f"{path}?{urlencode(one.state | {lesson.LIT: one.lights}, doseq=True)}"
    messages.html(
        f'<a class="door" href="{escape(link)}" target="_blank" rel="noopener"><b>'
        f'{escape(frame.PAGES[one.page][0])} <i aria-hidden="true">→</i></b>'
        f"<span>{escape(one.says)}</span></a>"
    )
