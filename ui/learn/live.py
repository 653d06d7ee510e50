"""The lesson at hand and the numbers of its cards, computed when they are shown and then kept."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from mmvae_core.explore import claims
from mmvae_core.store.study import find_run
from ui.learn.cards import Card, Claim, Lesson, Said
from ui.learn.reading import SHIPPED, read_lesson
from ui.shell import caching, loading


def lesson() -> Lesson:
    """The cards of `--cards FOLDER`, else the shipped ones; read anew where a file changes."""
    folder = loading.cards(SHIPPED)
    ages = tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.toml")))
    return _lesson(str(folder), ages)


def value(claim: Claim) -> float:
    """A claim's number, of a share a part of 1."""
    runs = (claim.given.get(key) for key in ("run", "other"))
    root = loading.root()
    stamp = tuple(caching.run_key(find_run(one, root)) for one in runs if isinstance(one, str))
    given = json.dumps(dict(claim.given), sort_keys=True)
    return _measured(claim.quantity, given, str(root), stamp)


def said(card: Card) -> Said:
    """The card's texts with their numbers."""
    return Said(card, value)


def apart(card: Card, guess: Sequence[float]) -> float:
    """How far the middle of an ellipse that was drawn is from where it is."""
    asked = card.question.ellipse
    assert asked is not None
    across, up = (card.claim(name) for name in (asked.across, asked.up))
    return math.dist(guess[:2], (value(across), value(up)))


@caching.resource(max_entries=8)
def _lesson(folder: str, ages: tuple[tuple[str, int], ...]) -> Lesson:
    return read_lesson(Path(folder))


@caching.data(max_entries=1_024)
def _measured(quantity: str, given: str, root: str, stamp: tuple[str, ...]) -> float:
    return claims.measure(quantity, json.loads(given), Path(root))
