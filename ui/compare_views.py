"""Runs side by side: their pictures of one item, and their measured figures."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mmvae_core.checkpoints import Run
from mmvae_core.config import ModalityConfig
from ui import loading, tables, views
from ui.pictures import values_html
from ui.state import Here

if TYPE_CHECKING:
    from ui.inference import Generated

COLUMNS = 4


def item(here: Here) -> None:
    """The item itself, what is not shown being pale."""
    stored = loading.item_values(here.study, here.item, here.names)
    figures = []
    for modality in here.run.config.modalities:
        shown = modality.name in here.shown
        body = views.item_picture(here.study, modality, stored[modality.name],
                                  f"{modality.name} of item {here.item}", 84)
        figures.append(f'<figure><div class="{"" if shown else "hidden-item"}">{body}</div>'
                       f'<figcaption>{escape(modality.name)}{"" if shown else ", not shown"}'
                       f"</figcaption></figure>")
    st.html(f'<div class="pair">{"".join(figures)}</div>')


def generations(here: Here, runs: Sequence[Run], draws: int) -> None:
    """What each run makes of the same item, mask and noise."""
    stored = loading.item_values(here.study, here.item, here.shown)
    made = [loading.generated(run, stored, draws, here.seed) for run in runs]
    rows = [_item_row(here, run, one) for run, one in zip(runs, made, strict=True)]
    st.html(tables.item_table(rows, here.names))
    for modality in here.run.config.modalities:
        cells = [_cell(here, modality, run, one, stored)
                 for run, one in zip(runs, made, strict=True)]
        st.html(f'<div class="panel"><h3>{escape(modality.name)} '
                f'{views.badge(modality.name in stored)}</h3>'
                f'<div class="side" style="--runs:{len(runs)}">{"".join(cells)}</div></div>')


def _item_row(here: Here, run: Run, made: "Generated") -> tables.SubsetRow:
    shares = loading.report(run).get("coherence", {}).get(here.subset, {})
    return tables.SubsetRow(run.folder.name, made.rate, made.width, shares,
                            error=made.rate_error)


def _cell(
    here: Here, modality: ModalityConfig, run: Run, made: "Generated",
    given: Mapping[str, np.ndarray],
) -> str:
    values = made.at_draws[modality.name]
    verdict = loading.verdict(here.study, modality, values)
    said = views.verdict_text(verdict, here.study, views.truth_of(here, given))
    alt = f"{len(values)} draws of {modality.name} by {run.folder.name}. {said}"
    body = values_html(values, modality, views.alphabet_of(here.study, modality.name), COLUMNS,
                       alt, None if verdict is None else verdict.spelt)
    return (f'<div><h4>{escape(run.folder.name)}</h4>{body}<p class="source">{escape(said)}</p>'
            "</div>")


def figures(runs: Sequence[Run]) -> None:
    """The table of figures from the runs' reports, with where they come from."""
    reports = [loading.report(run) for run in runs]
    names = runs[0].config.names
    st.html(tables.comparison(tables.comparison_rows(reports, names),
                              [run.folder.name for run in runs]))
    first = next((one for one in reports if one), {})
    likelihood = first.get("log_likelihood", {})
    views.source(
        f"Log-likelihood: {likelihood.get('estimate', 'importance-weighted estimate')}, "
        f"{likelihood.get('samples', '?')} draws for each of "
        f"{likelihood.get('items', first.get('items', '?'))} items, ± 95 %, unweighted",
        f"shares: {first.get('items', '?')} test items, 95 % Wilson interval; a text is right if "
        "its likeliest name is, and spelt if every symbol is",
        f"seed {first.get('seed', '?')}",
    )
    views.source("★ better than every other run beyond both intervals; no star, no clear best",
                 *(views.run_mark(run) for run in runs))
