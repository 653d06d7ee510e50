"""What a picture that moves is sent once: points, draws, worlds; see `ui.components.moving_picture`."""

from typing import Any

import numpy as np

from mmvae_core.data.worlds.toy import WORLDS
from mmvae_core.errors import UsageError
from mmvae_core.explore import claims_of_runs, toy_blur
from mmvae_core.store.run import Run
from mmvae_core.store.study import find_run, find_study
from ui.draw.marks import SHAPES, colour, symbol
from ui.learn import live, stills
from ui.learn.cards import Card
from ui.learn.states import Blur, Clouds, Hole, Orders, Row
from ui.shared import views
from ui.shell import answers, caching, loading

GROUND = 1_000
"""Most items that are the ground of draws."""


def data(card: Card, state: Blur | Clouds | Hole | Orders, is_open: bool) -> dict[str, Any]:
    """The data of a card's picture; `is_open` once the visitor has predicted."""
    if isinstance(state, Blur):
        sent = _blur(state)
    elif isinstance(state, Orders):
        sent = _orders(card, state)
    elif isinstance(state, Hole):
        sent = _hole(card, state, is_open)
    else:
        sent = _clouds(card, state)
    return sent | {"open": is_open, "marks": _marks(sent.get("labels", []))}


def _blur(state: Blur) -> dict[str, Any]:
    if state.world not in WORLDS or state.modality >= len(WORLDS[state.world].names):
        raise UsageError(
            f"There is no toy world {state.world!r} with a modality {state.modality}; choose one of "
            f"{', '.join(WORLDS)}."
        )
    world = WORLDS[state.world]
    return {
        "kind": "blur",
        "world": world.to_dict(),
        "item": [one.tolist() for one in world.clean(state.latent)],
        "modality": state.modality,
        "hidden": toy_blur.HIDDEN,
    }


def _orders(card: Card, state: Orders) -> dict[str, Any]:
    runs = [find_run(one.run, loading.root()) for one in state.rows]
    reordered = [_reordered(run) for run in runs]
    count = len(reordered[0][0].mean)
    return {
        "kind": "orders",
        "orders": [list(one.order) for one in reordered[0]],
        "labels": _labels(runs[0])[:count],
        "rows": [
            {
                "title": live.said(card).text(row.title),
                "points": [_plain(answers.plane(run).points(one.mean)) for one in orders],
                "changes": [one.change for one in orders],
            }
            for row, run, orders in zip(state.rows, runs, reordered, strict=True)
        ],
    }


def _hole(card: Card, state: Hole, is_open: bool) -> dict[str, Any]:
    run = find_run(state.rows[0].run, loading.root())
    items = answers.plane(run).points(loading.latents(run).mean[-1])[:GROUND]
    return {
        "kind": "hole",
        "classes": views.classes_of(find_study(run, loading.root())),
        "items": _plain(items),
        "labels": _labels(run)[:GROUND],
        "rows": [
            {"title": live.said(card).text(row.title)} | _drawn(row, state.count, is_open)
            for row in state.rows
        ],
    }


def _drawn(row: Row, count: int, is_open: bool) -> dict[str, Any]:
    """Draws of a prior in the plane, how each is judged, and what each is; nothing until `is_open`."""
    if not is_open:
        return {"draws": [], "named": [], "views": []}
    run = find_run(row.run, loading.root())
    study = find_study(run, loading.root())
    draws = answers.prior_draws(run, row.prior, count)
    values, seen, named = answers.decoded(run, draws), [], []
    for one in run.config.modalities:
        seen.append(views.look(study, one).card(values[one.name][None], False))
        judged = answers.verdict(study, one, values[one.name])
        if judged is not None:
            named.append(judged.labels)
    if not named:
        raise UsageError(f"Nobody judges what {row.run} makes; name a run of a study with judges.")
    return {
        "draws": _plain(answers.plane(run).points(draws)),
        "named": np.stack(named, -1).tolist(),
        "views": seen,
    }


def _clouds(card: Card, state: Clouds) -> dict[str, Any]:
    said, root = live.said(card), loading.root()
    points = [stills.points_of(one, root) for one in state.panels]
    run = find_run(state.panels[-1].run, root)
    sent: dict[str, Any] = {
        "kind": state.moves or "still",
        "labels": points[0][1].tolist(),
        "panels": [
            {
                "title": said.text(one.title),
                "note": said.text(one.note),
                "points": _plain(places),
            }
            for one, (places, _) in zip(state.panels, points, strict=True)
        ],
    }
    if state.moves == "turn":
        return sent | {"weak": claims_of_runs.mcc(root, run.id, "weak")}
    return sent | ({"near": _near(run, state.neighbours)} if state.moves else {})


@caching.data(max_entries=8)
def _reordered(run: Run) -> list[claims_of_runs.Reordered]:
    return claims_of_runs.reordered(loading.root(), run.id)


@caching.data(max_entries=8)
def _near(run: Run, count: int) -> list[list[int]]:
    return claims_of_runs.nearest(loading.latents(run).mean[-1], count).tolist()


def _labels(run: Run) -> list[int]:
    return loading.samples(find_study(run, loading.root())).labels.astype(int).tolist()


def _plain(points: np.ndarray) -> list[list[float]]:
    """As they are, in double precision."""
    return np.asarray(points, np.float64).tolist()


def _marks(labels: list[int]) -> dict[str, dict[str, str]]:
    """Colour and shape of each label."""
    return {
        str(one): {"colour": colour(one), "points": SHAPES[symbol(one)]}
        for one in sorted(set(labels))
    }
