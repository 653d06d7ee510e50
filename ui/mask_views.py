"""What is known of one item under its mask, and under every other one."""

import numpy as np
import streamlit as st

from mmvae_core.checkpoints import Latents
from ui import loading, tables, views
from ui.marks import class_html
from ui.state import Here, subset_name


def item_head(here: Here) -> None:
    """Which item this is."""
    name = class_html(views.label_of(here), views.classes_of(here.study))
    st.html(f'<p class="plain">Item {here.item}, class {name}</p>')


def mask_facts(here: Here, latents: Latents) -> None:
    """Width and rate of the posterior, with the shares that tell whether it is also right."""
    row, report = loading.row_of(latents, here.mask), loading.report(here.run)
    width = float(latents.stddev[row, here.item].mean())
    views.facts([
        ("Posterior width", f"{width:.2f}", "prior: 1"),
        ("Rate", f"{float(latents.rate[row, here.item]):.1f}", "nats"),
        *views.coherence_facts(report, here.subset, here.names),
    ])
    views.source(
        f"Width: mean standard deviation over {latents.mean.shape[-1]} latent axes, exact",
        f"rate: KL to the prior, {views.rate_source(here.run, here.subset)}",
        f"right: share of {report.get('items', '?')} test items, one draw each, 95 % Wilson "
        f"interval, seed {report.get('seed', '?')}",
        views.run_mark(here.run),
    )
    st.html('<p class="source"><b>Narrower is not better:</b> a product of experts narrows with '
            "every modality, right or wrong. The shares beside it tell.</p>")


def all_subsets(here: Here, latents: Latents) -> None:
    """A table of all subsets, the present one lit."""
    shares, rows = loading.report(here.run).get("coherence", {}), []
    for row in _shown_rows(here, latents):
        mask = tuple(bool(kept) for kept in latents.masks[row])
        name = subset_name(mask, here.names)
        rows.append(tables.SubsetRow(
            name, float(latents.rate[row, here.item]),
            float(latents.stddev[row, here.item].mean()), shares.get(name, {}), mask == here.mask,
        ))
    targets = [name for name in here.names if any(name in one for one in shares.values())]
    st.html(tables.subset_table(rows, targets))
    views.source(
        f"{len(rows)} of {len(latents.masks)} subsets", f"rate and width: item {here.item}",
        "right: all test items, share and 95 % Wilson interval", views.run_mark(here.run),
    )


def _shown_rows(here: Here, latents: Latents) -> list[int]:
    """All rows, or those at most one modality away from the mask where they are too many."""
    if len(latents.masks) <= tables.MOST_SUBSETS:
        return list(range(len(latents.masks)))
    away = (latents.masks != np.array(here.mask)).sum(1)
    return [int(row) for row in np.flatnonzero(away <= 1)]
