"""What the picture of a card holds, by its kind: records, and the words that they share. No Streamlit."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, structs

from mmvae_core.errors import RunError
from mmvae_core.store.record_files import shortened
from mmvae_core.store.records import Number, Record

MEND = "mend the card, as CONTRIBUTING tells"

Slug = Annotated[
    str,
    Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z", description="a short name of a to z, 0 to 9 and _"),
]
Line = Annotated[str, Meta(min_length=1, max_length=120, description="a text of 1 to 120 letters")]
Prose = Annotated[str, Meta(min_length=1, max_length=600, description="a text of 1 to 600 letters")]


class Part(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a card and its parts: what is not known is an error."""


class State(Part, frozen=True, kw_only=True):
    """Base of the states of a picture."""

    def texts(self) -> Iterator[str]:
        """The texts with numbers in it."""
        yield from ()


class Toy(State, frozen=True, kw_only=True):
    """A toy world to move by hand; the fields are those of `ui.components.toy_world`."""

    world: Slug
    item: Any = None
    mask: Annotated[str, Meta(pattern=r"^[01]*\Z", description="signs 0 and 1")] = ""
    aggregators: tuple[Slug, ...] = ()
    off: tuple[Slug, ...] = ()
    controls: tuple[Line, ...] = ()
    show: tuple[Line, ...] = ("exact",)
    prediction: dict[str, Any] | None = None


class Panel(Part, frozen=True, kw_only=True):
    """Test items as points: the true latents of the run's study, the learned ones, or a map of them."""

    title: Line
    note: Annotated[str, Meta(max_length=60)] = ""
    run: Line
    points: Literal["true", "learned", "aligned", "pca", "umap"]


class Clouds(State, frozen=True, kw_only=True):
    """Panels side by side, which stand still or move.

    `turn`: the second panel, learned latents, is turned against the first, the true ones; both have
    two axes. `neighbours`: on each panel the nearest ones, in all latents, of an item to be chosen.
    """

    panels: Annotated[tuple[Panel, ...], Meta(min_length=1, max_length=3)]
    moves: Literal["", "turn", "neighbours"] = ""
    neighbours: Annotated[int, Meta(ge=1, le=50)] = 10

    def texts(self) -> Iterator[str]:
        """What is written above the panels."""
        yield from (text for one in self.panels for text in (one.title, one.note))


class Row(Part, frozen=True, kw_only=True):
    """A run, or draws of its prior: the `trained` one, or one that was fitted afterwards."""

    title: Line
    run: Line
    prior: Literal["trained", "mixture", "flow"] = "trained"


class Printed(State, frozen=True, kw_only=True):
    """Base of what moves and is printed as bars: the card's claims, after the reveal."""

    claims: Annotated[tuple[Slug, ...], Meta(max_length=8)] = ()


class Orders(Printed, frozen=True, kw_only=True):
    """Posteriors of the first test items by each run, as the modalities come in another order."""

    rows: Annotated[tuple[Row, ...], Meta(min_length=1, max_length=2)]

    def texts(self) -> Iterator[str]:
        """What is written above the rows."""
        yield from (one.title for one in self.rows)


class Hole(Printed, frozen=True, kw_only=True):
    """Draws of one run's priors among its items, a row each, and what the run makes of them."""

    rows: Annotated[tuple[Row, ...], Meta(min_length=1, max_length=2)]
    count: Annotated[int, Meta(ge=1, le=50)] = 24

    def texts(self) -> Iterator[str]:
        """What is written above the rows."""
        yield from (one.title for one in self.rows)


class Blur(Printed, frozen=True, kw_only=True):
    """A toy world whose decoder of one modality takes less from the latent: see `explore.toy_blur`."""

    world: Slug
    modality: Annotated[int, Meta(ge=0, le=4)]
    latent: tuple[Number, Number] = (0.8, 0.6)


class Training(State, frozen=True, kw_only=True):
    """Rules that train in the page: on a toy world by its name, or on `clusters`."""

    world: Slug = "two"
    objective: Literal["masked", "mixture"] = "masked"


KINDS: dict[str, type[State]] = {
    "toy": Toy,
    "clouds": Clouds,
    "orders": Orders,
    "hole": Hole,
    "blur": Blur,
    "training": Training,
}


def check_known(data: Any, kind: Any, source: str, place: str) -> None:
    """RunError for a field that a card does not have, which is mostly one misspelt."""
    if isinstance(data, list):
        for index, one in enumerate(data):
            check_known(one, kind, source, f"{place}{index}.")
    if not isinstance(data, dict):
        return
    fields = {one.name: one.type for one in structs.fields(kind)}
    for name, value in data.items():
        if name not in fields:
            raise RunError(
                f"{source} holds {place}{shortened(name).strip(chr(39))}, which no card has, expected one "
                f"of {', '.join(fields)}; {MEND}."
            )
        if (inner := _part_of(fields[name])) is not None:
            check_known(value, inner, source, f"{place}{name}.")


def _part_of(kind: Any) -> type[Part] | None:
    """The kind of part that a field holds, one or several; None of a plain field."""
    if isinstance(kind, type):
        return kind if issubclass(kind, Part) else None
    inner = (_part_of(one) for one in getattr(kind, "__args__", ()))
    return next((one for one in inner if one is not None), None)
