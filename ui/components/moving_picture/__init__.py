"""A picture that moves by one slider, all of it in the browser from data that are sent once.

`data` has a `kind`, which names the scene, `open`, without which there is no slider yet, and:
`orders`: `rows` of {title, points [order][item][2], changes [order]}, `orders` of names, `labels`;
`hole`: `items` [item][2] with `labels`, `classes`, `rows` of {title, draws [draw][2], named
[draw][modality], views of a lattice's card};
`still`: `panels` of {title, note, points [item][2]} with `labels`;
`turn`: two of them, true and learned latents, and the `weak` MCC;
`neighbours`: `panels` and `near` [item][neighbour], the numbers of the true nearest items;
`blur`: a toy `world` as a dict, an `item`, the `modality` by its number, how often it is `hidden`.
`marks` are the colour and the shape of each label. The same numbers in Python: `explore.claims`.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ui import components
from ui.components import toy_world

_FOLDER, _TOY = Path(__file__).parent, Path(toy_world.__file__).parent
FIGURES = (components.SHARED / "maths.js", _TOY / "world.js", _FOLDER / "figures.js")
"""What computes, without a page."""
_MOVING = components.load(
    _FOLDER,
    *FIGURES,
    components.SHARED / "drawing.js",
    _TOY / "picture.js",
    "field.js",
    "scenes.js",
)


def moving_picture(data: Mapping[str, Any], key: str) -> None:
    """Draw it."""
    sent = {**data, "range": toy_world.RANGE}
    stamp = hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()[:16]
    _MOVING(key=key, data=sent | {"stamp": stamp})
