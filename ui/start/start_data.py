"""The start picture as its component takes it: plain JSON. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmvae_core.store.opening import Picture
from mmvae_core.store.records import Share
from ui.draw.marks import colour
from ui.kinds.view import View
from ui.shared.lattice_cards import SIZE, Square, number


@dataclass(frozen=True)
class About:
    """What is said beside the picture's own numbers."""

    looks: Sequence[View]
    own: Mapping[str, np.ndarray]
    """The item as stored, [*shape] by modality."""
    right: Mapping[str, Mapping[str, Share]]
    """From the run's report: subset, modality -> share of all test items judged right."""


def payload(picture: Picture, about: About) -> dict[str, Any]:
    """Everything that the component draws, the mask that it opens with apart."""
    names = [one.name for one in about.looks]
    return {
        "names": names,
        "parts": [_part(picture, one, about) for one in about.looks],
        "nodes": [_node(picture, row, names, about.right) for row in range(len(picture.masks))],
        "before": f"{float(picture.prior_width[0]):.2f}",
        "plane": _plane(picture),
    }


def _part(picture: Picture, look: View, about: About) -> dict[str, Any]:
    """A cell a node with its draws in a row; the last one is the item's own, to the same scale."""
    draws = look.kind.plain(picture.draws[look.name])
    own = np.zeros(draws.shape[2:], draws.dtype)
    if look.name in about.own:
        own = look.kind.plain(about.own[look.name])
    own = np.broadcast_to(own, (len(draws), 1, *own.shape))
    return look.row(np.concatenate([draws, own], 1)) | {"draws": len(draws)}


def _node(
    picture: Picture, row: int, names: Sequence[str], right: Mapping[str, Mapping[str, Share]]
) -> dict[str, Any]:
    kept = picture.masks[row].tolist()
    shown = [name for name, one in zip(names, kept, strict=True) if one]
    hidden = [name for name, one in zip(names, kept, strict=True) if not one]
    rate = number(picture.rate[row], float(picture.rate_error[row]))
    width = f"{float(picture.width[row]):.2f}"
    shares = {name: one for name, one in right.get("+".join(shown), {}).items() if name in hidden}
    said = _said(shown, hidden, len(next(iter(picture.draws.values()))), shares)
    return {
        "mask": "".join("1" if one else "0" for one in kept),
        "rate": rate,
        "answers": f"{float(picture.rate[row]) / math.log(2):,.0f}",
        "width": width,
        "said": said,
        "label": f"Shown: {_and(shown) or 'nothing'}. Made up: {_and(hidden) or 'nothing'}. "
        f"{said} Rate {rate} nats, width {width}.",
    }


def _said(
    shown: Sequence[str], hidden: Sequence[str], draws: int, right: Mapping[str, Share]
) -> str:
    """What is shown, what is made up, and how often that is right."""
    if not hidden:
        return "Nothing is hidden: the model rebuilds every view from what it knows. Hide one!"
    if not shown:
        return "Nothing is shown: the model dreams of anything that it has learnt."
    times = {1: "once", 4: "four times"}.get(draws, f"{draws} times")
    are, them = ("is", "it") if len(hidden) == 1 else ("are", "them")
    said = f"{_and(hidden)} {are} hidden, so the model dreams {them} {times}."
    shares = [f"{name} {100 * one.share:.0f} %" for name, one in right.items()]
    return f"{said} Right over all test items: {', '.join(shares)}." if shares else said


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _plane(picture: Picture) -> dict[str, Any]:
    """By node the outline of its posterior and its draws; other items as dots, a path a colour."""
    outlines = picture.outlines()
    square = Square.around(
        np.concatenate([picture.lines, picture.others, picture.latents.reshape(-1, 2)])
    )
    spots, labels = square.place(picture.others), picture.other_labels
    return {
        "size": SIZE,
        "nodes": [
            {
                "outline": _region(square.place(outline)),
                "box": _box(square.place(outline.reshape(-1, 2))),
                "draws": square.place(picture.latents[:, row]).round(1).tolist(),
            }
            for row, outline in enumerate(outlines)
        ],
        "dots": [
            [colour(int(label)), "".join(f"M{x:.0f} {y:.0f}h0" for x, y in spots[labels == label])]
            for label in np.unique(labels)
        ],
    }


def _box(points: np.ndarray) -> list[float]:
    """Left, top, width and height of points [point, 2]."""
    low, high = points.min(0), points.max(0)
    return [round(float(value), 1) for value in (*low, *(high - low))]


def _region(line: np.ndarray) -> str:
    """An outline as an SVG path that can be filled: its closed lines, one after the other."""
    loops = [line] if line.ndim == 2 else loops_of(line)
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in loop) + "Z" for loop in loops)


def loops_of(segments: np.ndarray) -> list[np.ndarray]:
    """Segments [segment, 2, 2] that share their ends, joined to closed lines [point, 2] each."""
    ends = [[(float(x), float(y)) for x, y in one] for one in segments]
    at: dict[tuple[float, float], list[int]] = {}
    for index, both in enumerate(ends):
        for end in both:
            at.setdefault(end, []).append(index)
    left, loops = set(range(len(ends))), []
    while left:
        one = left.pop()
        loop = list(ends[one])
        while (following := next((one for one in at[loop[-1]] if one in left), None)) is not None:
            left.discard(following)
            first, second = ends[following]
            loop.append(second if first == loop[-1] else first)
        loops.append(np.array(loop))
    return loops
