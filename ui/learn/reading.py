"""Reading a folder of cards: each by its record, and what the fields alone do not tell. No Streamlit."""

import tomllib
from collections.abc import Callable
from pathlib import Path

from mmvae_core.errors import ConfigError, MMVAEError, RunError, one_line
from mmvae_core.explore import claims
from mmvae_core.store.record_files import as_record
from ui.learn.cards import SLOT, Card, Lesson
from ui.learn.states import MEND, Printed, Toy, check_known

SHIPPED = Path(__file__).with_name("lessons")
MOST_CARDS, MOST_BYTES = 100, 100_000


def read_lesson(folder: Path = SHIPPED) -> Lesson:
    """All cards of a folder, `*.toml` by name; a broken one is a fault, the others still open.

    ConfigError where the folder is not there or holds no file of a card.
    """
    files = sorted(path for path in folder.glob("*.toml") if path.is_file())[:MOST_CARDS]
    if not files:
        raise ConfigError(
            f"There is no card in the folder {folder}, expected files NAME.toml; name a folder of "
            "cards: `mmvae app --cards FOLDER`."
        )
    cards: dict[str, Card] = {}
    faults: dict[str, str] = {}
    for path in files:
        try:
            card = read_card(path)
            if card.id in cards:
                raise ConfigError(f"{path} holds {card.id} as id, which another card has; {MEND}.")
            cards[card.id] = card
        except MMVAEError as error:
            faults[path.name] = str(error)
    return Lesson(tuple(cards.values()), faults)


def read_card(path: Path) -> Card:
    """The card of a file; ConfigError in one sentence: file, field, what was found and expected."""
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is no plain file")
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{path} has over {MOST_BYTES:,} bytes, too many for a card; {MEND}.")
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read ({one_line(error)}); {MEND}.") from None
    try:
        check_known(data, Card, str(path), "")
        card = as_record(data, Card, str(path), MEND)
    except RunError as error:
        raise ConfigError(str(error)) from None
    _check(card, str(path))
    return card


def _check(card: Card, source: str) -> None:
    """ConfigError for what the fields alone do not tell: names that must be there, ranges."""

    def wrong(what: str) -> ConfigError:
        return ConfigError(f"{source} {what}; {MEND}.")

    names = [one.name for one in card.claims]
    if len(set(names)) < len(names):
        raise wrong(f"holds claims {', '.join(names)}, expected a name for each")
    for place, text in card.texts():
        for slot in SLOT.findall(text):
            if slot not in names:
                raise wrong(f"holds {{{slot}}} in {place}, expected one of {_listed(names)}")
    for one in card.claims:
        try:
            claims.check(one.quantity, one.given)
        except MMVAEError as error:
            raise ConfigError(f"{source}, claim {one.name}: {error}") from None
        if isinstance(one.than, str) and one.than not in names:
            raise wrong(f"holds {one.than} as {one.name}.than, expected one of {_listed(names)}")
    for revealed in (False, True):
        try:
            state = card.state(revealed)
        except RunError as error:
            raise ConfigError(f"{source}, picture: {error}") from None
        for text in state.texts():
            if missing := [slot for slot in SLOT.findall(text) if slot not in names]:
                raise wrong(
                    f"holds {{{missing[0]}}} in its picture, expected one of {_listed(names)}"
                )
        if isinstance(state, Printed) and (
            missing := [one for one in state.claims if one not in names]
        ):
            raise wrong(f"prints the claim {missing[0]}, expected one of {_listed(names)}")
    is_block = card.lights in ("picture", "question")
    if not is_block and not isinstance(card.state(), Toy):
        raise wrong(f"lights {card.lights}, a part of toy worlds, expected picture or question")
    _check_question(card, names, wrong)


def _check_question(card: Card, names: list[str], wrong: Callable[[str], ConfigError]) -> None:
    question = card.question
    choices, scale, ellipse = question.choices, question.scale, question.ellipse
    if [bool(choices), scale is not None, ellipse is not None].count(True) != 1:
        raise wrong("asks in no way or in several, expected choices, a scale or an ellipse")
    if choices and not (len(choices) > 1 and 1 <= question.right <= len(choices)):
        raise wrong(
            f"holds {question.right} as question.right of {len(choices)} choices, expected one of two "
            "or more, counted from 1"
        )
    if scale and not scale.low + scale.step <= scale.high:
        raise wrong(f"asks for a number from {scale.low:g} to {scale.high:g}, expected a range")
    answers = [scale.claim] if scale else [ellipse.across, ellipse.up] if ellipse else []
    for one in answers:
        if one not in names:
            raise wrong(f"is answered by the claim {one}, expected one of {_listed(names)}")
    state = card.state()
    asks_by_hand = isinstance(state, Toy) and state.prediction is not None
    if (ellipse is not None) != asks_by_hand:
        raise wrong("asks for an ellipse and its picture does not, or the other way round")


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "the claims, of which there are none"
