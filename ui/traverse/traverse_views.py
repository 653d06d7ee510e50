"""Planes and lines through the latent space to drag in."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from ui.shared import views
from ui.shell import answers, loading, state
from ui.shell.state import Here
from ui.traverse.drag_views import Chosen
from ui.traverse.strip_views import REACH, latent_name

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated
    from mmvae_core.explore.traversal import Plane

AXES, LATENTS, THREE, TWO = "principal axes", "two latents", "three items", "two items"
POSTERIOR, PRIOR = "posterior", "prior"


def posterior(here: Here, item: int) -> "Generated":
    """q(z | shown part of an item)."""
    return answers.generated(
        here.run, loading.item_values(here.study, item, here.shown), 1, here.seed
    )


def pick_way(here: Here, generated: "Generated") -> str:
    """What kind of plane or line to drag in."""
    ways = [AXES] if here.run.is_evaluated else []
    ways += [LATENTS, THREE, TWO] if len(generated.mean) > 1 else [TWO]
    state.offer("plane", ways, ways[0])
    way = st.segmented_control(
        "Drag along", ways, default=ways[0], required=True, key="plane", bind="query-params"
    )
    return str(way)


def pick_plane(
    here: Here, generated: "Generated", way: str, scale: np.ndarray, whose: str
) -> Chosen:
    """The plane or line itself."""
    from mmvae_core.explore import traversal

    if way == AXES:
        plane = traversal.of_principal_axes(
            loading.latents(here.run).mean[-1].astype(float), REACH, generated.mean.astype(float)
        )
        return Chosen(
            plane,
            f"through item {here.item} along the two principal axes of the test "
            f"items' means with everything shown, ± {REACH:g} standard deviations",
            _marks(plane, [(generated.mean, f"item {here.item}")]),
        )
    if way == LATENTS:
        return _two_latents(here, generated, scale, whose)
    return _items(here, generated, 3 if way == THREE else 2)


def pick_scale(here: Here, generated: "Generated") -> tuple[np.ndarray, str]:
    """Standard deviations [latent] to move a latent by, and whose they are."""
    state.check_link("scale", state.is_among([POSTERIOR, PRIOR]), f"{POSTERIOR} or {PRIOR}")
    whose = st.segmented_control(
        "Standard deviations of the",
        [POSTERIOR, PRIOR],
        default=PRIOR,
        required=True,
        key="scale",
        bind="query-params",
        help="How far -3 to 3 reaches.",
    )
    return (generated.stddev if whose == POSTERIOR else answers.prior_scale(here.run)), str(whose)


def _two_latents(here: Here, generated: "Generated", scale: np.ndarray, whose: str) -> Chosen:
    from mmvae_core.explore import traversal

    names = [latent_name(here, latent) for latent in range(len(generated.mean))]
    left, right = st.columns(2)
    picked = []
    for column, key, label, start in ((left, "across", "Across", 0), (right, "up", "Up", 1)):
        with column:
            state.offer(key, names, names[start], expected=f"{names[0]} to {names[-1]}")
            name = st.selectbox(label, names, index=start, key=key, bind="query-params")
        picked.append(names.index(str(name)))
    plane = traversal.of_latents(generated.mean.astype(float), scale, picked[0], picked[1], REACH)
    return Chosen(
        plane,
        f"{names[picked[0]]} and {names[picked[1]]}, ± {REACH:g} {whose} standard "
        f"deviations around item {here.item}",
        _marks(plane, [(generated.mean, f"item {here.item}")]),
    )


def _items(here: Here, generated: "Generated", count: int) -> Chosen:
    from mmvae_core.explore import traversal

    most, items = len(loading.samples(here.study)) - 1, [here.item]
    keys = ("second", "third")[: count - 1]
    firsts = views.partners(here, len(keys))
    for column, key, first in zip(st.columns(len(keys)), keys, firsts, strict=False):
        with column:
            state.offer(
                key,
                range(most + 1),
                first,
                here.study.name,
                expected=f"a number from 0 to {most}",
            )
            items.append(
                int(
                    st.number_input(
                        f"The {key} item (0 to {most})",
                        0,
                        most,
                        first,
                        key=key,
                        bind="query-params",
                    )
                )
            )
    points = [generated.mean, *(posterior(here, item).mean for item in items[1:])]
    plane = traversal.through(*(point.astype(float) for point in points))
    words = (
        ("the line" if count == 2 else "the plane")
        + " through items "
        + ", ".join(map(str, items))
        + f", each at the mean of q(z | {here.subset})"
    )
    return Chosen(
        plane,
        words,
        _marks(plane, [(point, f"item {item}") for point, item in zip(points, items, strict=True)]),
    )


def _marks(
    plane: "Plane", points: list[tuple[np.ndarray, str]]
) -> tuple[tuple[tuple[float, float], str], ...]:
    places = [(plane.place(point.astype(float)), label) for point, label in points]
    return tuple(
        ((round(float(at[0]), 4), round(float(at[1]), 4)), label)
        for at, label in places
        if np.abs(at).max() <= 1.001
    )
