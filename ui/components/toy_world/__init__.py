"""A toy world to move by hand: exact posteriors, each rule's approximation, gaps and bounds.

Everything is computed in the browser at the speed of the pointer; the server hears of nothing but
a guess that was kept. The parameters, all of them data that a card may hold:

`world`: a `ToyWorld`, its dict, or the name of one in `mmvae_core.data.worlds.toy.WORLDS`: `axes`,
`own`, `two`, `same`, `three`, `four`, `five`.
`item`: the observations, a list of numbers for each modality; or `{"latent": [z1, z2]}`, data
without noise of a true place; or `{"seed": 3}`, an item drawn from the world.
`mask`: which modalities are shown, "101" or a list of booleans; None for all.
`aggregators`: of `poe`, `moe`, `mopoe`, `sum_pooling`, `self_attention`; those in `off` are listed
but not drawn at first.
`controls`: what may be moved: `observation:m` (m the modality's number from 0) or one number of it,
`observation:m:k`; `noise:m`, `turn:m`; `mask`; and `latent`, the point of an item that is given by it.
`show`: of `exact` (the exact posterior, filled), `ellipses` (the aggregators), `gaps`, `bounds`,
`terms`, `samples` (draws of the exact posterior), `rule samples`, `singles` (the exact posterior of
each shown modality alone), `lines` (where z must lie for a number to be as observed), `arrows` (the
direction of z that raises a number), `prior`.
`prediction`: None, or a dict that asks for a guess before something is shown:
    `ask`: `ellipse` (place, length, direction and width), `place` or `width` (its size alone);
    `target`: what is guessed, `exact` or an aggregator, hidden until a guess is kept;
    `mask`: the mask of which it is asked; `from`: the mask that is drawn until then, with its
    truth in sight, as "101" or a list; without `from` the target is hidden instead;
    `start`: {"at": [0, 0], "long": 1, "short": 1, "angle": 0}, where the guess begins: standard
    deviations along two axes and the first's angle in degrees.
`reveal`: whether what is asked for is shown without a guess.
`guess`: one that was kept before, drawn at once.

Every outline holds 68 % of its normal's probability. The result is the guess that was kept,
`{"at": [x, y], "long": a, "short": b, "angle": degrees}`, or None.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from mmvae_core.data.worlds.toy import NETWORKS, WORLDS, ToyWorld
from mmvae_core.errors import UsageError
from ui import components

_FOLDER = Path(__file__).parent
SCRIPTS = (
    *(components.SHARED / name for name in ("maths.js", "drawing.js")),
    *(_FOLDER / name for name in ("world.js", "networks.js", "picture.js", "controls.js")),
)
_TOY = components.load(_FOLDER, *SCRIPTS)
LOOKS = {
    "poe": {"name": "PoE", "colour": "#0072b2", "dash": ""},
    "moe": {"name": "MoE", "colour": "#e69f00", "dash": "9 4"},
    "mopoe": {"name": "MoPoE", "colour": "#009e73", "dash": "3 3"},
    "sum_pooling": {"name": "Sum pooling", "colour": "#d55e00", "dash": "12 4 3 4"},
    "self_attention": {"name": "Self attention", "colour": "#cc79a7", "dash": "6 3"},
}
"""How each aggregator is drawn: colour and dashes of its outline."""
LEARNED = ("sum_pooling", "self_attention")
SHOW = (
    "exact",
    "ellipses",
    "gaps",
    "bounds",
    "terms",
    "samples",
    "rule samples",
    "singles",
    "lines",
    "arrows",
    "prior",
)
RANGE = 3.2
"""The plane shows latents from minus this to this."""

Mask = str | Sequence[bool]


def toy_world(
    key: str,
    *,
    world: ToyWorld | Mapping[str, Any] | str = "two",
    item: Sequence[Sequence[float]] | Mapping[str, Any] | None = None,
    mask: Mask | None = None,
    aggregators: Sequence[str] = (),
    off: Sequence[str] = (),
    controls: Sequence[str] = (),
    show: Sequence[str] = ("exact", "ellipses", "gaps"),
    prediction: Mapping[str, Any] | None = None,
    reveal: bool = False,
    guess: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Draw it; the guess that was kept, or None. UsageError where the card asks for what is not."""
    data = payload(
        world=world,
        item=item,
        mask=mask,
        aggregators=aggregators,
        off=off,
        controls=controls,
        show=show,
        prediction=prediction,
    )
    state = _TOY(
        key=key,
        data=data | {"reveal": reveal, "guess": None if guess is None else dict(guess)},
        on_guess_change=lambda: None,
    )
    kept = state["guess"]
    return None if kept is None else dict(kept)


def payload(
    *,
    world: ToyWorld | Mapping[str, Any] | str,
    item: Sequence[Sequence[float]] | Mapping[str, Any] | None,
    mask: Mask | None,
    aggregators: Sequence[str],
    off: Sequence[str],
    controls: Sequence[str],
    show: Sequence[str],
    prediction: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What the browser is given, checked; UsageError in one plain sentence."""
    toy = world_of(world)
    count = len(toy.names)
    known = [f"{what}:{m}" for what in ("observation", "noise", "turn") for m in range(count)]
    _check(aggregators, LOOKS, "aggregator")
    _check(off, aggregators, "aggregator to leave off")
    known += [f"observation:{m}:{k}" for m in range(count) for k in range(len(toy.offsets[m]))]
    _check(controls, [*known, "mask", "latent"], "control")
    _check(show, SHOW, "thing to show")
    data = {
        "world": toy.to_dict(),
        "item": [one.tolist() for one in item_of(toy, item)],
        "mask": mask_of(mask, count),
        "aggregators": list(aggregators),
        "off": list(off),
        "controls": list(controls),
        "latent": _point(item) if "latent" in controls else None,
        "show": list(show),
        "prediction": None if prediction is None else _asked(prediction, count),
        "looks": LOOKS,
        "range": RANGE,
        "networks": {name: packed(name) for name in aggregators if name in LEARNED},
    }
    text = json.dumps(data, sort_keys=True)
    return data | {"stamp": hashlib.sha256(text.encode()).hexdigest()[:16]}


@cache
def packed(aggregator: str) -> dict[str, Any]:
    """A learned aggregator's weights: names with shapes, and half floats one after the other."""
    weights = {
        name.partition(".")[2]: value
        for name, value in load_file(NETWORKS).items()
        if name.startswith(f"{aggregator}.")
    }
    halves = b"".join(value.astype("<f2").tobytes() for value in weights.values())
    shapes = [[name, list(value.shape)] for name, value in weights.items()]
    return {"shapes": shapes, "halves": base64.b64encode(halves).decode()}


def world_of(world: ToyWorld | Mapping[str, Any] | str) -> ToyWorld:
    """The world that was named or described."""
    if isinstance(world, ToyWorld):
        return world
    if not isinstance(world, str):
        return ToyWorld.from_dict(world)
    if world not in WORLDS:
        raise UsageError(f"There is no toy world {world!r}; choose one of {', '.join(WORLDS)}.")
    return WORLDS[world]


def item_of(
    world: ToyWorld, item: Sequence[Sequence[float]] | Mapping[str, Any] | None
) -> list[np.ndarray]:
    """The observations [size] of each modality; of the latent (0.8, 0.6) where none are given."""
    if item is None:
        return world.clean((0.8, 0.6))
    if isinstance(item, Mapping):
        if "latent" in item:
            return world.clean(item["latent"])
        return [one[0] for one in world.draw(1, np.random.default_rng(item["seed"]))[1:]]
    numbers = [np.asarray(one, float).reshape(-1) for one in item]
    sizes, wanted = [len(one) for one in numbers], [len(one) for one in world.offsets]
    if sizes != wanted:
        raise UsageError(f"The item has {sizes} numbers by modality, expected {wanted}.")
    return numbers


def _point(item: Sequence[Sequence[float]] | Mapping[str, Any] | None) -> list[float]:
    """The latent by which an item is given."""
    if isinstance(item, Mapping) and "latent" in item:
        return [float(one) for one in item["latent"]]
    raise UsageError("The control 'latent' moves an item that is given by its latent; give it one.")


def mask_of(mask: Mask | None, count: int) -> list[bool]:
    """Which of the modalities are shown."""
    if mask is None:
        return [True] * count
    flags = [one in ("1", True) for one in mask]
    if len(flags) != count:
        raise UsageError(f"The mask {mask!r} is of {len(flags)} modalities, expected {count}.")
    return flags


def _asked(prediction: Mapping[str, Any], count: int) -> dict[str, Any]:
    _check(prediction, ("ask", "target", "mask", "from", "start"), "key of a prediction")
    asked = dict(prediction)
    _check([asked.get("ask", "ellipse")], ("ellipse", "place", "width"), "way to ask")
    _check([asked.get("target", "exact")], ("exact", *LOOKS), "target of a prediction")
    for name in ("mask", "from"):
        if name in asked:
            asked[name] = mask_of(asked[name], count)
    return asked


def _check(given: Sequence[str] | Mapping[str, Any], known: Any, what: str) -> None:
    for one in given:
        if one not in known:
            raise UsageError(f"There is no {what} {one!r}; choose from {', '.join(known)}.")
