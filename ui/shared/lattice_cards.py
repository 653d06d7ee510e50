"""Subsets of an item as components take them: cards, edges, outlines as plain JSON. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmvae_core.explore.plane import Outline, Plane, nice
from mmvae_core.intervals import Z
from mmvae_core.store.records import Share
from ui.draw.tables import nats, spelt_text
from ui.kinds.view import View

if TYPE_CHECKING:
    from mmvae_core.explore.lattice import Lattice

ROOMY = 3
"""Up to so many modalities a card has room for four draws of each, else for one."""
SIZE, MARGIN = 560, 0.06


@dataclass(frozen=True)
class About:
    """What the cards say beside the lattice's own numbers."""

    looks: Sequence[View]
    right: Mapping[str, Mapping[str, Share]]
    """From the run's report: subset, modality -> share of all test items judged right."""
    plane: Plane | None


def payload(lattice: "Lattice", subsets: Sequence[str], about: About) -> dict[str, Any]:
    """Everything that the component draws, the lit mask apart."""
    names = [look.name for look in about.looks]
    roomy = len(names) <= ROOMY
    strongest = max(float(lattice.gain.value.max()), 1e-9) if len(lattice.gain.value) else 1
    highest = max(float(lattice.rate.value.max()), 1e-9)
    parts = [
        look.card(lattice.at_draws[look.name][: 4 if roomy else 1], roomy) for look in about.looks
    ]
    return {
        "names": names,
        "parts": [{key: part[key] for key in ("name", "sheet", "ratio")} for part in parts],
        "nodes": [
            _node(lattice, row, subset, about.right.get(subset, {}), parts, highest)
            for row, subset in enumerate(subsets)
        ],
        "edges": [
            [
                int(lower),
                int(upper),
                int(modality),
                number(lattice.gain.value[edge], _error(lattice.gain, edge)),
                round(max(0.0, float(lattice.gain.value[edge])) / strongest, 3),
                signed(lattice.rate.value[upper] - lattice.rate.value[lower]),
            ]
            for edge, (lower, upper, modality) in enumerate(
                zip(
                    lattice.between.lower,
                    lattice.between.upper,
                    lattice.between.modality,
                    strict=True,
                )
            )
        ],
        "plane": None
        if about.plane is None
        else plane_payload(lattice.outlines, lattice.exact_outlines, about.plane),
    }


def _node(
    lattice: "Lattice",
    row: int,
    subset: str,
    right: Mapping[str, Share],
    parts: Sequence[Mapping[str, Any]],
    highest: float,
) -> dict[str, Any]:
    rate = number(lattice.rate.value[row], _error(lattice.rate, row))
    width, names = f"{float(lattice.width[row]):.2f}", [part["name"] for part in parts]
    gap = (
        None if lattice.gap is None else number(lattice.gap.value[row], _error(lattice.gap, row), 2)
    )
    shares = [_right(right[name]) if name in right else None for name in names]
    said = [f"{name} {share}" for name, share in zip(names, shares, strict=True) if share]
    label = f"{subset}: rate {rate} nats, width {width}"
    label += f", {gap} nats from the exact posterior" if gap else ""
    lacking = [names[index] for index in lattice.lacks if lattice.masks[row][index]]
    label += f"; the item has no {' and no '.join(lacking)}, so this is without" if lacking else ""
    label += f"; judged right, all test items: {', '.join(said)}" if said else ""
    return {
        "mask": "".join("1" if kept else "0" for kept in lattice.masks[row]),
        "title": subset,
        "rate": rate,
        "width": width,
        "gap": gap,
        "right": shares,
        "bar": round(max(0.0, float(lattice.rate.value[row])) / highest, 3),
        "words": [part["words"][row] if part["words"] else None for part in parts],
        "label": label,
        "lacks": bool(lacking),
    }


def _right(share: Share) -> str:
    """How often it comes out right; of texts also how often without a mistake."""
    return f"{share.share:.2f}{spelt_text(share)}"


@dataclass(frozen=True)
class Square:
    """A square of SIZE in which a part of the plane is drawn, both axes to the same scale."""

    corner: np.ndarray
    reach: float

    @classmethod
    def around(cls, points: np.ndarray) -> "Square":
        """The smallest with a margin round all points [point, 2]."""
        low, high = points.min(0), points.max(0)
        reach = max(float((high - low).max()), 1e-6) * (1 + 2 * MARGIN)
        return cls((low + high - reach) / 2, reach)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Where points [..., 2] of the plane are drawn; to the right and down."""
        flipped = (points - self.corner) / self.reach * SIZE
        return np.stack([flipped[..., 0], SIZE - flipped[..., 1]], -1)

    def posterior(self, one: Outline) -> dict[str, Any]:
        """One posterior: its mean, and its lines as SVG paths."""
        return {
            "at": [round(float(value), 1) for value in self.place(one.at)],
            "outer": _path(self.place(one.outer)),
            "inner": _path(self.place(one.inner)),
        }

    def ticks(self, axis: int) -> list[list[Any]]:
        """Where round values of an axis are drawn, and what they are."""
        start = float(self.corner[axis])
        values = nice(start, start + self.reach)
        where = [(value - start) / self.reach * SIZE for value in values]
        return [
            [round(spot if axis == 0 else SIZE - spot, 1), f"{value:g}"]
            for spot, value in zip(where, values, strict=True)
        ]


def plane_payload(
    outlines: Sequence[Outline], exact: Sequence[Outline], plane: Plane
) -> dict[str, Any]:
    """Outlines as SVG paths in a square, with its axes."""
    ends = np.concatenate([one.outer.reshape(-1, 2) for one in (*outlines, *exact)])
    square = Square.around(ends)
    return {
        "size": SIZE,
        "titles": plane.titles,
        "x": square.ticks(0),
        "y": square.ticks(1),
        "nodes": [square.posterior(one) for one in outlines],
        "exact": [_path(square.place(one.outer)) for one in exact],
    }


def _path(line: np.ndarray) -> str:
    """Closed points [point, 2], or segments [segment, 2, 2], as an SVG path."""
    if line.ndim == 2:
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line) + "Z"
    return "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for (a, b), (c, d) in line)


def _error(estimate: Any, row: int) -> float:
    return 0.0 if estimate.error is None else float(estimate.error[row])


def signed(value: Any) -> str:
    """A change, with its sign; no zero has one."""
    text = f"{float(value):+.1f}"
    return "0.0" if not float(text) else text


def number(value: Any, error: float, digits: int = 1) -> str:
    """A value, with half its 95 % interval where its standard error is not 0."""
    text = nats(float(value), digits)
    return f"{text} ± {Z * error:.{digits}f}" if error else text
