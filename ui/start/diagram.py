"""The model as a diagram of the present item: each part leads to the page that explains it. Pure.

What changes with the mask is there twice, shown and hidden, for the start picture's own pills: they
ask no server. A part's `of` is left out where there is no room.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ui.kinds.view import View


@dataclass(frozen=True)
class Parts:
    """What the diagram is drawn of."""

    looks: Sequence[View]
    values: Mapping[str, np.ndarray]
    """The item's own value of each modality that it has."""
    mask: Sequence[bool]
    fusion: str
    bound: str


def diagram(parts: Parts, page_of: Mapping[str, int]) -> str:
    """Encoders, fusion, posterior and decoders; `page_of` has each page's place."""
    rows = "".join(_row(parts, index, page_of) for index in range(len(parts.looks)))
    whole = f"grid-row: 1 / span {len(parts.looks)}"
    names = [look.name for look, kept in zip(parts.looks, parts.mask, strict=True) if kept]
    return (
        '<div class="diagram" role="group" aria-label="The parts of the model" '
        f'data-figure="The parts of the model">{rows}'
        + _part("fusion", parts.fusion, "fuses", page_of["fusion"], f"{whole}; grid-column: 3")
        + _part(
            "posterior",
            "q(z",
            "what is believed",
            page_of["latent_space"],
            f"{whole}; grid-column: 4",
            f'<span class="of"> | <span class="shown">{escape(", ".join(names) or "nothing")}'
            "</span></span>)",
        )
        + "</div>"
        + '<p class="plain">Press a part: its page explains it. Trained by the '
        + f'<button class="part" data-way="{page_of["compare"]}">{escape(parts.bound)}</button></p>'
    )


def _row(parts: Parts, index: int, page_of: Mapping[str, int]) -> str:
    look, kept = parts.looks[index], parts.mask[index]
    name, place = escape(look.name), f"grid-row: {index + 1}; grid-column: "
    hidden = "" if kept else " off"

    def both(shown: object, not_shown: object, what: str) -> str:
        return f' data-{what}="{shown}|{not_shown}"'

    def of(kind: str, says: tuple[str, str], pages: tuple[int, int], column: int) -> str:
        at = 0 if kept else 1
        more = f' data-modality="{index}"' + both(*says, "says") + both(*pages, "ways")
        return _part(
            f"{kind}{hidden}", kind, says[at], pages[at], f"{place}{column}",
            f'<span class="of"> of {name}</span>', more,
        )  # fmt: skip

    own = parts.values.get(look.name)
    alt = f"{look.name} of the item"
    picture = "the item lacks it" if own is None else look.small(own, alt)
    return (
        f'<button class="part given{hidden}" data-way="{page_of["masks"]}" style="{place}1" '
        f'data-modality="{index}" aria-label="{name}: Masks">{picture}</button>'
        + of("encoder", ("reads", "hidden"), (page_of["order"], page_of["order"]), 2)
        + of("decoder", ("rebuilds", "makes it up"), (page_of["traverse"], page_of["generate"]), 5)
    )


def _part(
    kind: str, name: str, does: str, page: int, style: str, of: str = "", more: str = ""
) -> str:
    return (
        f'<button class="part {kind}" data-way="{page}" style="{style}"{more}>'
        f"<b>{escape(name)}{of}</b><small>{escape(does)}</small></button>"
    )
