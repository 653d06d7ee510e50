"""A card's picture on the page: a toy world, a training, or one that moves by a slider."""

from collections.abc import Mapping
from typing import Any

from ui.components.moving_picture import moving_picture
from ui.components.toy_world import toy_world
from ui.learn import moving, training_views
from ui.learn.cards import Card
from ui.learn.states import Blur, Clouds, Hole, Orders, Toy, Training
from ui.shell import lesson

KEYS = ("long", "short", "angle")
KEPT, MOVING = "learn_toy_", "learn_moving_"
"""Their rooms in the style sheet are of different heights."""


def draw(card: Card, guess: lesson.Answer | None) -> lesson.Answer | None:
    """Draw it; what the visitor drew into it as a prediction, if that is new."""
    state = card.state(guess is not None)
    if isinstance(state, Toy):
        return _toy(card, state, guess)
    if isinstance(state, Training):
        training_views.training(state.world, state.objective)
    else:
        assert isinstance(state, Blur | Clouds | Hole | Orders)
        moving_picture(moving.data(card, state, guess is not None), MOVING + card.id)
    return None


def _toy(card: Card, state: Toy, guess: lesson.Answer | None) -> lesson.Answer | None:
    drawn = guess if state.prediction is not None else None
    kept = toy_world(
        KEPT + card.id,
        world=state.world,
        item=state.item,
        mask=state.mask or None,
        aggregators=state.aggregators,
        off=state.off,
        controls=state.controls,
        show=state.show,
        prediction=state.prediction,
        reveal=guess is not None,
        guess=None if drawn is None else _as_guess(drawn),
    )
    return None if kept is None or state.prediction is None else _as_answer(kept)


def _as_guess(answer: lesson.Answer) -> dict[str, Any]:
    return {"at": list(answer[:2])} | dict(zip(KEYS, answer[2:], strict=True))


def _as_answer(kept: Mapping[str, Any]) -> lesson.Answer:
    """Rounded, as it stands in the address."""
    return tuple(round(float(one), 2) for one in (*kept["at"], *(kept[key] for key in KEYS)))
