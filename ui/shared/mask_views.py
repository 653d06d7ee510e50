"""What is known of one item under its mask, and under every other one."""

from typing import TYPE_CHECKING

import streamlit as st

from mmvae_core.intervals import Z
from ui.draw import tables
from ui.draw.marks import class_html
from ui.shared import views
from ui.shell import loading, messages
from ui.shell.state import Here, subset_name

if TYPE_CHECKING:
    from mmvae_core.explore.lattice import Lattice

SAME = 1e-4
"""So few nats from the prior count as none."""


def item_head(here: Here) -> None:
    """Which item this is."""
    name = class_html(views.label_of(here), views.classes_of(here.study))
    messages.html(f'<p class="plain">Item {here.item}, class {name}</p>')


def mask_facts(here: Here, found: "Lattice") -> None:
    """Width and rate of the posterior, with the shares that tell whether it is also right."""
    made, report = found.node(found.row(here.mask)), loading.report(here.run)
    error, right = made.rate_error, views.coherence_facts(report, here.subset, here.names)
    views.facts(
        [
            ("Posterior width", f"{made.width:.2f}", f"prior: {found.prior_width:.2f}"),
            (
                "Rate",
                tables.nats(made.rate),
                "nats" if error is None else f"± {Z * error:.1f} nats",
            ),
            *right,
        ]
    )
    views.source(
        f"Width: mean standard deviation over {here.run.config.latents} latent axes",
        "rate: KL to the prior, "
        + ("exact" if error is None else f"estimate of {found.samples} draws, ± 95 %"),
        f"right: share of {report.items} test items, one draw each, 95 % Wilson "
        f"interval, seed {report.seed}"
        if report and right
        else "",
        views.run_mark(here.run),
    )
    messages.html(
        '<p class="source"><b>Narrower is not better:</b> a product of experts narrows with '
        "every modality, right or wrong."
        f"{' The shares beside it tell.' if right else ''}</p>"
    )


def what_nothing_is(here: Here, found: "Lattice") -> None:
    """With nothing shown the posterior may, but need not, be the prior."""
    rate = found.node(found.row(here.mask)).rate
    away = (
        "which here is the prior p(z)"
        if abs(rate) < SAME
        else (f"{rate:.2f} nats from the prior p(z)")
    )
    st.info(
        messages.literal(
            f"Nothing is shown: these are draws of q(z | nothing), the same for every item, {away}."
        )
    )


def all_subsets(here: Here, found: "Lattice") -> None:
    """A table of all subsets, the present one lit."""
    report, rows = loading.report(here.run), []
    shares = {} if report is None else report.coherence
    for row, kept in enumerate(found.masks.tolist()):
        name, made = subset_name(kept, here.names), found.node(row)
        rows.append(
            tables.SubsetRow(
                name,
                made.rate,
                made.width,
                shares.get(name, {}),
                tuple(kept) == here.mask,
                made.rate_error,
            )
        )
    targets = [name for name in here.names if any(name in one for one in shares.values())]
    messages.html(tables.subset_table(rows, targets))
    views.source(
        f"{len(rows)} of {2 ** len(here.names):,} subsets",
        f"rate and width: item {here.item}",
        *(["right: all test items, share and 95 % Wilson interval"] if targets else []),
        views.run_mark(here.run),
    )
