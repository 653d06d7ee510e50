"""Pictures of cards that stand still, as SVG, for the handout. No Streamlit."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmvae_core.errors import UsageError
from mmvae_core.explore.claims_of_runs import flat, read_latents
from mmvae_core.store.study import find_run, find_study
from ui.draw import lesson_plots
from ui.draw.lesson_plots import Bar, Outline
from ui.learn.cards import Card, Said, as_shown
from ui.learn.states import Clouds, Panel, Printed, Toy

if TYPE_CHECKING:
    import torch

MASS, REACH, INK, GREY = 0.68, 2.8, "#1b2026", "#6b7680"
"""Outlines hold as much, and the plane reaches as far, as in the toy world that moves."""
LOOKS = {
    "poe": ("PoE", "#0072b2", ""),
    "moe": ("MoE", "#b87f00", "9 4"),
    "mopoe": ("MoPoE", "#009e73", "3 3"),
    "sum_pooling": ("Sum pooling", "#d55e00", "12 4 3 4"),
    "self_attention": ("Self attention", "#a8437f", "6 3"),
}


def still(card: Card, revealed: bool, said: Said, root: Path) -> str:
    """The picture as SVG, before or after the reveal; of what moves, what print holds of it.

    UsageError where that is nothing.
    """
    state = card.state(revealed)
    if isinstance(state, Printed) and state.claims and revealed:
        return lesson_plots.bars([_bar(card, name, said) for name in state.claims])
    if isinstance(state, Clouds):
        return lesson_plots.clouds([_panel(one, said, root) for one in state.panels])
    if isinstance(state, Toy):
        return toy(state, revealed)
    raise UsageError(f"The picture of the card {card.id} cannot stand still.")


def alt(card: Card, revealed: bool, said: Said) -> str:
    """What bars or clouds show, in words; of others the caption."""
    state = card.state(revealed)
    if isinstance(state, Printed) and revealed:
        bars = [_bar(card, name, said) for name in state.claims]
        return "; ".join(f"{one.label}: {one.said}" for one in bars) + "."
    if isinstance(state, Clouds):
        parts = [f"{said.text(one.title)} {said.text(one.note)}".strip() for one in state.panels]
        return "Test items as points. " + "; ".join(parts) + "."
    return said.text(card.picture.caption)


def toy(state: Toy, revealed: bool) -> str:
    """The outlines of a toy world, in the plane of its latent."""
    import torch

    from mmvae_core.data.worlds.toy import WORLDS
    from mmvae_core.explore import toy as exactly
    from mmvae_core.explore.plane import ellipse

    world = WORLDS[state.world]
    data = _item(world, state.item)
    count = len(world.names)
    asked = (state.prediction or {}).get("mask" if revealed else "from")
    mask = torch.tensor([one == "1" for one in (asked or state.mask or "1" * count)])
    stats = exactly.statistics(world, data)
    parts = []
    if "prior" in state.show:
        parts.append(Outline("prior", [ellipse(np.zeros(2), np.eye(2), MASS)], GREY, "2 4"))
    if "singles" in state.show:
        for one in torch.eye(count, dtype=torch.bool)[mask]:
            posterior = exactly.posterior(stats, one)
            line = ellipse(posterior.mean.numpy(), posterior.covariance_matrix.numpy(), MASS)
            name = f"{world.names[int(one.nonzero()[0, 0])]} alone"
            parts.append(Outline(name, [line], GREY))
    if "exact" in state.show:
        posterior = exactly.posterior(stats, mask)
        line = ellipse(posterior.mean.numpy(), posterior.covariance_matrix.numpy(), MASS)
        parts.append(Outline("exact posterior", [line], INK, fill=True))
    if "ellipses" in state.show:
        parts += [_rule(name, stats, mask) for name in state.aggregators]
    if "lines" in state.show:
        parts += _lines(world, data, mask)
    return lesson_plots.outlines(parts, REACH)


def _rule(name: str, stats: Any, mask: "torch.Tensor") -> Outline:
    """A rule's belief: an ellipse, or of a mixture the border of its densest region."""
    from mmvae_core.explore.claims_of_toys import belief
    from mmvae_core.explore.plane import contour, ellipse, normal_mixture

    mixture = belief(stats, mask, name)
    weights, means, scales = (
        one.detach().numpy() for one in (mixture.log_weights.exp(), mixture.loc, mixture.scale)
    )
    covariances = np.stack([np.diag(one**2) for one in scales])
    title, colour, dash = LOOKS[name]
    if len(weights) == 1:
        return Outline(title, [ellipse(means[0], covariances[0], MASS)], colour, dash)
    density = normal_mixture(weights, means, covariances)
    return Outline(title, list(contour(density, density.level(MASS))), colour)


def _lines(world: Any, data: list[np.ndarray], mask: "torch.Tensor") -> list[Outline]:
    """Where the latent must lie for each number to be as it is."""
    outlines = []
    for index, name in enumerate(world.names):
        if not mask[index]:
            continue
        lines = []
        for w, b, x in zip(world.loadings[index], world.offsets[index], data[index], strict=True):
            foot, along = w * (x - b) / (w @ w), np.array([-w[1], w[0]]) / np.linalg.norm(w)
            lines.append(np.stack([foot - 9 * along, foot + 9 * along]))
        colour = ("#0072b2", "#b87f00", "#009e73", "#a8437f", "#d55e00")[index]
        outlines.append(
            Outline(f"{name}'s numbers", lines, colour, ("", "9 4", "3 3", "6 3", "2 4")[index])
        )
    return outlines


def _item(world: Any, item: Any) -> list[np.ndarray]:
    if isinstance(item, dict):
        return world.clean(item["latent"])
    return world.clean((0.8, 0.6)) if item is None else [np.asarray(one, float) for one in item]


def _bar(card: Card, name: str, said: Said) -> Bar:
    claim = card.claim(name)
    return Bar(claim.says, as_shown(claim, said.measured(claim)), said.unit(claim))


def _panel(one: Panel, said: Said, root: Path) -> lesson_plots.Panel:
    """A panel for print."""
    points, labels = points_of(one, root)
    return lesson_plots.Panel(said.text(one.title), said.text(one.note), points, labels)


def points_of(one: Panel, root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Items [item, 2] with labels [item]; of more latents than two the first two."""
    from mmvae_core.evaluation.identifiability import aligned

    run = find_run(one.run, root)
    study = find_study(run, root)
    labels = study.samples().labels.astype(int)
    if one.points in ("pca", "umap"):
        return flat(read_latents(run), one.points), labels
    mean = read_latents(run).mean[-1]
    if one.points == "learned":
        return mean[:, :2], labels
    true = study.truth()
    if true is None:
        raise UsageError(
            f"The true latents of {one.run} are not known; name a run of a made world."
        )
    points = true if one.points == "true" else aligned(true, mean)
    return points[:, :2], labels
