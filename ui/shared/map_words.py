"""What is said below the map: how its places came to be, and what they do not tell."""

from html import escape

import numpy as np

from mmvae_core.geometry import prior_gaps
from mmvae_core.store.run import Latents, Run
from ui.draw import plots
from ui.shared import colours, views
from ui.shared.latent_views import (
    CLASS,
    DRAWS,
    ERROR,
    FIGURES,
    JUDGED,
    LIKELIHOOD,
    PCA,
    RATE,
    RAW,
    UMAP,
    coordinates,
    shown_prior,
)
from ui.shell import answers, caching, loading, messages
from ui.shell.state import Here

FOLLOWS = 0.7
"""From this correlation on an axis counts as following a quantity."""


def prior_caption(here: Here, way: str, prior: str) -> None:
    """How far draws of the prior are from items, beside how far items are from each other."""
    if way == UMAP and prior in here.run.priors:
        messages.html(
            '<p class="source">UMAP has no place for draws of a prior; choose PCA to see them.</p>'
        )
    draws = shown_prior(here.run, way, prior)
    if draws is None:
        return
    gap, own = _gaps(here.run, prior)
    messages.html(
        f'<p class="source">Crosses: {DRAWS} draws of the {prior} prior, seed 0. Half of '
        f"them are further than {gap:.2f} prior widths from the nearest item's mean "
        f"(everything shown, all {draws.shape[1]} latents); of draws of the items' own "
        f"posteriors, from the nearest other item, {own:.2f}. The more the first exceeds the "
        "second, the more of the prior is a hole.</p>"
    )


def map_caption(here: Here, latents: Latents, row: int, way: str, colour: str) -> None:
    """How many points, from where, and what the distances do not mean."""
    count = latents.mean.shape[1]
    views.source(
        f"all {count:,} test items shown",
        f"each at the mean of q(z | {here.subset}), {_places(latents, row, way)}",
        what(way),
        views.run_mark(here.run),
    )
    said = "" if colour == CLASS else f"Colour: {_colour_source(here, colour)}. "
    follows = brightness(here, latents) if way == PCA else ""
    messages.html(
        f'<p class="source">{said}{_warning(way)} {follows}The ring is {escape(views.item_name(here.study, here.item))}. '
        + (
            "The mean hides the width of each posterior: two items apart here may still overlap."
            if latents.has_width
            else ""
        )
        + "</p>"
    )


@caching.data(max_entries=FIGURES)
def _gaps(run: Run, prior: str) -> tuple[float, float]:
    """How far draws of the prior are from the nearest item, and draws of items from another."""
    latents, scale = loading.latents(run), answers.prior_scale(run)
    draws = answers.prior_draws(run, prior, DRAWS)
    return prior_gaps(draws, latents.mean[-1], latents.stddev[-1], scale)


def _places(latents: Latents, row: int, way: str) -> str:
    """At how many different places the items lie: few, where the shown part takes few values."""
    rounded = np.round(coordinates(latents, way)[row].astype(float), 3)
    places = len(np.unique(rounded, axis=0))
    return "all at one place" if places == 1 else f"at {places:,} different places"


def what(way: str) -> str:
    """How the coordinates came to be."""
    return {
        PCA: "PCA fitted to the means with everything shown, the same axes for every mask",
        UMAP: "UMAP fitted to the means with everything shown; other masks are placed by their "
        "nearest neighbours",
        RAW: "the two latent axes as they are",
    }[way]


def brightness(here: Here, latents: Latents) -> str:
    """Whether the first principal axis is what a modality's view knows of its items."""
    axis = latents.pca[-1, :, 0].astype(float)
    for one in here.run.config.modalities:
        if (values := loading.samples(here.study).data.get(one.name)) is None:
            continue
        known = views.look(here.study, one).axis(values)
        if known is None or not axis.std():
            continue
        what, number = known
        r = float(np.corrcoef(axis, number)[0, 1]) if number.std() else 0.0
        if abs(r) >= FOLLOWS:
            return (
                f"The first axis follows {what} (correlation {r:.2f} with "
                "everything shown), not the class: UMAP separates the classes better. "
            )
    return ""


def _warning(way: str) -> str:
    return {
        PCA: "Two axes of many: points that lie together here may be far apart along the others.",
        UMAP: "UMAP keeps neighbours, not distances: gaps and sizes of clusters mean nothing.",
        RAW: "Distances are those of the latent space.",
    }[way]


def _colour_source(here: Here, colour: str) -> str:
    report = loading.report(here.run)
    draws = "several draws an item"
    if report is not None and report.distortion_samples is not None:
        draws = f"{report.distortion_samples} draws an item, seed {report.seed}"
    rate = views.rate_source(here.run, here.subset)
    ends = f"colours end at the {plots.TAILS[0]}nd and {plots.TAILS[1]}th percentile"
    if colour.startswith(JUDGED):
        return (
            f"what the judge says of {colour.removeprefix(JUDGED)} made at the mean of "
            f"q(z | {here.subset}); {views.judges_source(here.study)}"
        )
    if colour.startswith((colours.NOTE, colours.ENTRY)):
        return escape(colours.said(here.study, here.run, colour)) + f"; {ends}" * (
            colours.of_items(here.study, here.run, colour)[2] is not None
        )
    return {
        RATE: f"KL(q(z | {here.subset}) ‖ p(z)), {rate}; {ends}",
        LIKELIHOOD: f"log p({here.subset}), importance-weighted lower bound, {draws}; {ends}",
        ERROR: f"-E log p({here.subset} | z), unweighted, estimate, {draws}; {ends}",
    }[colour]
