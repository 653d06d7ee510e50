"""Runs side by side: their pictures of one item, and their measured figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig, unequal
from mmvae_core.store.records import RunReport, Share
from mmvae_core.store.run import Run
from ui.compare.report_rows import comparison_rows, mean_text
from ui.draw import tables
from ui.draw.compare_plots import letter
from ui.shared import live_views, views
from ui.shell import answers, loading, messages
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated, Verdict

COLUMNS = 4
PICTURES = 8
"""So many of the draws are shown; all of them are judged."""
AGREE = "agree"
"""What `live_coherence` calls the share of draws whose modalities agree."""


@dataclass(frozen=True)
class Rendering:
    """What one run makes of the item."""

    run: Run
    drawn: "Generated"
    verdicts: "Mapping[str, Verdict | None]"


def make(here: Here, runs: Sequence[Run], draws: int) -> list[Rendering]:
    """Each run on the same item, mask and noise, judged."""
    given = loading.item_values(here.study, here.item, here.shown)
    renderings = []
    for run in runs:
        drawn = answers.generated(run, given, draws, here.seed)
        renderings.append(
            Rendering(
                run,
                drawn,
                {
                    one.name: answers.verdict(here.study, one, drawn.at_draws[one.name])
                    for one in here.run.config.modalities
                },
            )
        )
    return renderings


def unequal_note(runs: Sequence[Run]) -> None:
    """Say in what else than aggregator and objective the runs differ, where they do."""
    differences = unequal([run.config for run in runs])
    if differences:
        told = "; ".join(f"{key} {', '.join(values)}" for key, values in differences.items())
        st.warning(
            messages.literal(
                "These runs differ in more than aggregator and objective, so that a difference "
                f"between them may have another cause: {told}."
            )
        )


def item(here: Here) -> None:
    """The item itself, what is not shown being pale."""
    stored = loading.item_values(here.study, here.item, here.names)
    figures = []
    for modality in here.run.config.modalities:
        if modality.name in here.lacks:
            continue
        shown = modality.name in here.shown
        body = views.item_picture(
            here.study,
            modality,
            stored[modality.name],
            f"{modality.name} of item {here.item}{'' if shown else ', not shown'}",
            64,
        )
        figures.append(
            f'<figure><div class="{"" if shown else "hidden-item"}">{body}</div>'
            f"<figcaption>{escape(modality.name)}</figcaption></figure>"
        )
    messages.html(f'<div class="pair">{"".join(figures)}</div>')


def item_figures(here: Here, renderings: Sequence[Rendering]) -> None:
    """Rate, width, log-likelihood and live coherence of the item, one row a run."""
    rows = [_item_row(here, index, one) for index, one in enumerate(renderings)]
    heads = {name: f"right {name}" for name in here.names} | {AGREE: "all agree"}
    targets = {
        name: head for name, head in heads.items() if any(name in row.shares for row in rows)
    }
    likely = ["log p, item", "log p, test"] if here.shown else []
    messages.html(tables.item_table(rows, likely, targets))
    report = next((measured for one in renderings if (measured := loading.report(one.run))), None)
    draws = len(renderings[0].drawn.latents)
    shares = (
        "right: share of the draws judged as the item is"
        if here.shown
        else (
            "agree: share of the draws of q(z | nothing) whose modalities are all judged the same; the "
            "prior's own draws are in the last table"
        )
    )
    views.source(
        f"{draws} draws of z for each run, {_noise(here, renderings)}, seed {here.seed}",
        "rate: KL to the prior, exact, or an estimate where it has ±",
        f"{shares}, 95 % Wilson interval; {views.judges_source(here.study)}" if targets else "",
        *(
            [
                f"log p({here.subset}) of the item: importance-weighted lower bound from "
                f"{answers.LIKELIHOOD_DRAWS} draws of its own, ± 95 %; ≥ where fewer than four draws carry the weight",
                f"its mean over test items: {_likelihood_source(report)}",
            ]
            if likely
            else []
        ),
        *(views.run_mark(one.run) for one in renderings),
    )


def _likelihood_source(report: RunReport | None) -> str:
    if report is None:
        return "not measured"
    told = report.log_likelihood
    return f"the same, {told.samples} draws for each of {told.items}, ± 95 %, seed {report.seed}"


def live_shares(here: Here, rendering: Rendering) -> dict[str, Share]:
    """How many of the draws are judged as the item is; of nothing shown, how many agree."""
    from mmvae_core.explore.inference import live_coherence

    known = {name: one for name, one in rendering.verdicts.items() if one is not None}
    return live_coherence(known, views.truth_of(here, here.shown))


def _item_row(here: Here, index: int, rendering: Rendering) -> tables.SubsetRow:
    drawn, report = rendering.drawn, loading.report(rendering.run)
    measured = None if report is None else report.log_likelihood.marginal.get(here.subset)
    given = loading.item_values(here.study, here.item, here.shown)
    return tables.SubsetRow(
        f"{letter(index)} · {loading.title(rendering.run)}",
        drawn.rate,
        drawn.width,
        live_shares(here, rendering),
        error=drawn.rate_error,
        more=(
            tables.bound_text(*answers.likelihood(rendering.run, given, here.seed)),
            mean_text(measured),
        )
        if here.shown
        else (),
    )


def _noise(here: Here, renderings: Sequence[Rendering]) -> str:
    """The very same tensor, or what is the same where posteriors take noise of different kinds."""
    kinds = {
        one.run.config.aggregator.family if here.shown else one.run.config.prior.name
        for one in renderings
    }
    return (
        "the same noise for all"
        if len(kinds) == 1
        else (f"the same seed for all; the noise differs in kind ({', '.join(sorted(kinds))})")
    )


def generations(here: Here, renderings: Sequence[Rendering], difference: bool) -> None:
    """What each run makes of every modality, in one column a run."""
    for modality in here.run.config.modalities:
        given = modality.name in here.shown
        cells = [_cell(here, modality, index, one) for index, one in enumerate(renderings)]
        below = _differences(here, modality, renderings) if difference else ""
        messages.html(
            f'<div class="panel"><h3>{escape(modality.name)} {views.badge(given)}</h3>'
            f'<div class="side" style="--runs:{len(renderings)}">{"".join(cells)}{below}</div></div>'
        )
    views.source(
        f"E[x | z] at the first {min(PICTURES, len(renderings[0].drawn.latents))} draws of z",
        "latent axes of different models are not comparable",
    )


def _cell(here: Here, modality: ModalityConfig, index: int, rendering: Rendering) -> str:
    values, verdict = (
        rendering.drawn.at_draws[modality.name][:PICTURES],
        rendering.verdicts[modality.name],
    )
    said = views.verdict_text(verdict, here.study, views.truth_of(here, here.shown))
    name = f"{letter(index)} · {loading.title(rendering.run)}"
    alt = f"{len(values)} draws of {modality.name} by {name}. {said}"
    spelt = None if verdict is None or verdict.spelt is None else verdict.spelt[:PICTURES]
    body = views.look(here.study, modality).html(values, COLUMNS, alt, spelt)
    mark = views.stamp(here, len(rendering.drawn.latents))
    return (
        f'<div data-made="{escape(modality.name)}" data-run="{index}" data-stamp="{mark}">'
        f'<h4>{escape(name)}</h4>{body}<p class="source">{escape(said)}</p></div>'
    )


def live(here: Here, runs: Sequence[Run], draws: int) -> None:
    """The mask's pills, which all runs' pictures follow at once."""
    live_views.live(here, live_views.Way(draws, most=PICTURES), live_views.of_item(here), runs)


def _differences(here: Here, modality: ModalityConfig, renderings: Sequence[Rendering]) -> str:
    """The mean of each run's draws less the first run's, all on one scale."""
    means = [one.drawn.at_draws[modality.name].mean(0) for one in renderings]
    apart = np.stack(means) - means[0]
    top, cells = (
        float(np.abs(apart).max()),
        [
            f'<div class="apart"><p class="source">Means of all draws, less {letter(0)}\'s:</p></div>'
        ],
    )
    for index, one in enumerate(apart[1:], 1):
        said = (
            f"{letter(index)} less {letter(0)}: mean size {np.abs(one).mean():.3g}, largest "
            f"{np.abs(one).max():.3g}; orange more, blue less, full colour {top:.3g}"
        )
        alt = f"Difference of {modality.name}, {said}"
        picture = views.look(here.study, modality).difference_html(one, top, alt)
        cells.append(f'<div class="apart">{picture}<p class="source">{escape(said)}</p></div>')
    return "".join(cells)


def figures(runs: Sequence[Run]) -> None:
    """The table of figures from the runs' reports, with where they come from."""
    reports = [loading.report(run) for run in runs]
    first = next((one for one in reports if one is not None), None)
    if first is None:
        st.info(
            messages.literal(
                "None of these runs has been measured; `python -m mmvae_core evaluate "
                f"{runs[0].named} --save` does it."
            )
        )
        return
    heads = [f"{letter(index)} · {loading.title(run)}" for index, run in enumerate(runs)]
    messages.html(tables.comparison(comparison_rows(reports, runs[0].config.names), heads))
    likelihood = first.log_likelihood
    views.source(
        f"Log-likelihood: {escape(likelihood.estimate)}, {likelihood.samples} draws for each of "
        f"{likelihood.items} items, ± 95 %, unweighted",
        f"distortion: unweighted, {first.distortion_samples} draws for each of {first.items} "
        "items, ± 95 %"
        if first.distortion
        else "",
        f"shares: {first.items} test items, 95 % Wilson interval; a text is right if "
        "its likeliest name is, and spelt if every symbol is",
        f"seed {first.seed}",
    )
    views.source(
        "★ better than every other run beyond both intervals; no star, no clear best",
        *(views.run_mark(run) for run in runs),
    )
