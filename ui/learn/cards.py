"""The cards of a lesson: what a file of one holds, and its texts with their numbers. No Streamlit.

A card is data. A number in its texts is a claim's name in braces, `{wide}`, and is computed when it
is shown; what the texts say about it in words, the claim's relation says to a test.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from mmvae_core.store.record_files import as_record
from mmvae_core.store.records import Number, Positive
from ui.learn.states import KINDS, MEND, Line, Part, Prose, Slug, State, check_known

SLOT = re.compile(r"\{(\w+)\}")
"""Where a claim's number stands in a text."""


class Claim(Part, frozen=True, kw_only=True):
    """A number of the card: `quantity` of `explore.claims` at `given`, and what is said of it.

    `relation` to `than`, a number or another claim's name: above or below it by more than `by`,
    or equal to it within `by`.
    """

    name: Slug
    says: Line
    quantity: Line
    given: dict[str, Any] = field(default_factory=dict)
    unit: Annotated[str, Meta(max_length=20)] = ""
    digits: Annotated[int, Meta(ge=0, le=6, description="a whole number from 0 to 6")] = 2
    percent: bool = False
    relation: Literal["", "above", "below", "equal"] = ""
    than: Number | Slug = 0.0
    by: Positive = 0.0


class Scale(Part, frozen=True, kw_only=True):
    """A question for a number: the claim that answers it, and how near is right."""

    claim: Slug
    low: Number
    high: Number
    step: Annotated[float, Meta(gt=0, description="a number above 0")]
    near: Positive


class Ellipse(Part, frozen=True, kw_only=True):
    """A question for a belief drawn by hand: the claims that are its middle, and how near is right."""

    across: Slug
    up: Slug
    near: Positive


class Question(Part, frozen=True, kw_only=True):
    """What is asked before the reveal, one of three.

    One of `choices`, of which `right` counts from 1; a number on a `scale`; or an ellipse drawn into
    a toy world, whose picture holds the `prediction`.
    """

    asks: Prose
    choices: Annotated[tuple[Line, ...], Meta(max_length=5)] = ()
    right: Annotated[int, Meta(ge=0, le=5)] = 0
    scale: Scale | None = None
    ellipse: Ellipse | None = None

    def fits(self, answer: tuple[float, ...]) -> bool:
        """Whether an answer is one of this question."""
        if self.ellipse is not None:
            return len(answer) == 5 and all(abs(one) <= 1000 for one in answer)
        if len(answer) != 1:
            return False
        if self.scale is not None:
            return self.scale.low <= answer[0] <= self.scale.high
        return answer[0] in range(1, len(self.choices) + 1)


class Picture(Part, frozen=True, kw_only=True):
    """What moves: its kind, its state, and what of that changes with the reveal.

    What a state holds is told by its kind's record in `states`.
    """

    kind: Literal["toy", "training", "clouds", "orders", "hole", "blur"]
    caption: Prose
    reads: Annotated[str, Meta(max_length=600)] = ""
    """What is to be seen in it, for the first depth; the caption where there is none."""
    state: dict[str, Any] = field(default_factory=dict)
    reveal: dict[str, Any] = field(default_factory=dict)


class Formula(Part, frozen=True, kw_only=True):
    """The third depth: a formula, what it says, and the line of code that does it."""

    text: Line
    says: Prose
    code: Annotated[
        str,
        Meta(
            pattern=r"^[a-z_0-9.]+:[A-Za-z_0-9.]+\Z",
            max_length=120,
            description="a module and a name in it, as package.module:name",
        ),
    ]
    line: Line


class Door(Part, frozen=True, kw_only=True):
    """A free page, what to do there, the state it opens with, and what it lights there, by its key."""

    page: Slug
    says: Line
    lights: Annotated[
        str,
        Meta(pattern=r"^[a-z][a-z0-9_-]{0,59}\Z", description="a key of what is drawn on the page"),
    ]
    state: dict[str, str | list[str]] = field(default_factory=dict)


class Card(Part, frozen=True, kw_only=True):
    """One card; `lights` is what of the page it speaks of, or in a toy world a part of the picture.

    Parts are the `plane`, the table of `rules`, and each modality by its name.
    """

    id: Slug
    chapter: Line
    title: Line
    short: Annotated[str, Meta(min_length=1, max_length=30, description="1 to 30 letters")]
    text: Prose
    introduces: tuple[Line, ...] = ()
    lights: Literal["picture", "question", "plane", "rules", "sight", "sound", "touch"] = "picture"
    picture: Picture
    question: Question
    shows: Prose
    numbers: Prose
    formula: Formula
    door: Door
    claims: Annotated[tuple[Claim, ...], Meta(max_length=20)] = ()

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text that is read on the card, with its place."""
        yield from (("title", self.title), ("short", self.short), ("text", self.text))
        yield from (
            ("picture.caption", self.picture.caption),
            ("picture.reads", self.picture.reads),
            ("question.asks", self.question.asks),
        )
        yield from (
            (f"question.choices.{index}", one) for index, one in enumerate(self.question.choices)
        )
        yield from (("shows", self.shows), ("numbers", self.numbers))
        yield from (("formula.says", self.formula.says), ("door.says", self.door.says))
        yield from ((f"claims.{one.name}.says", one.says) for one in self.claims)

    def state(self, revealed: bool = False) -> State:
        """The picture's state, before or after the reveal; RunError where it does not fit its kind."""
        data = self.picture.state | (self.picture.reveal if revealed else {})
        kind = KINDS[self.picture.kind]
        check_known(data, kind, "the state", "")
        return as_record(data, kind, "the state", MEND)

    def claim(self, name: str) -> Claim:
        """A claim by its name."""
        return next(one for one in self.claims if one.name == name)


Measured = Callable[[Claim], float]
"""How a claim's value is had."""


@dataclass(frozen=True)
class Lesson:
    """Cards in the order of their files, and why other files are none, by the file's name."""

    cards: tuple[Card, ...]
    faults: Mapping[str, str]

    def chapters(self) -> dict[str, list[Card]]:
        """The cards by chapter, in order of first appearance."""
        chapters: dict[str, list[Card]] = {}
        for card in self.cards:
            chapters.setdefault(card.chapter, []).append(card)
        return chapters


def as_shown(claim: Claim, value: float) -> float:
    """A claim's value as it is written: per cent of a share."""
    return 100 * value if claim.percent else value


def as_said(claim: Claim, shown: float) -> str:
    """A number as the card has it; never a negative zero."""
    return f"{round(shown, claim.digits) + 0.0:,.{claim.digits}f}".replace("-", "\u2212")


class Said(Mapping[str, str]):
    """A card's numbers as its texts have them, each measured when it is asked for."""

    def __init__(self, card: Card, measured: Measured) -> None:
        self.card, self.measured = card, measured

    def __getitem__(self, name: str) -> str:
        claim = self.card.claim(name)
        return as_said(claim, as_shown(claim, self.measured(claim)))

    def __iter__(self) -> Iterator[str]:
        return (one.name for one in self.card.claims)

    def __len__(self) -> int:
        return len(self.card.claims)

    def text(self, template: str) -> str:
        """A text with its numbers; only those that stand in it are measured."""
        return SLOT.sub(lambda slot: self[slot[1]], template.replace("} %", "}\u00a0%"))

    def unit(self, claim: Claim, shown: float | None = None) -> str:
        """A claim's number with its unit, or another number of its kind."""
        number = as_shown(claim, self.measured(claim)) if shown is None else shown
        unit = "%" if claim.percent else claim.unit
        return f"{as_said(claim, number)}\u00a0{unit}".strip()


def holds(claim: Claim, value: float, than: float) -> bool:
    """Whether a claim's value stands to another as the claim says."""
    if claim.relation == "above":
        return value > than + claim.by
    if claim.relation == "below":
        return value < than - claim.by
    if claim.relation == "equal":
        return abs(value - than) <= (claim.by or 1e-9)
    return True
