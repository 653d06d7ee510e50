"""What is known of one item under its mask, and under every other one."""

from html import escape
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
    said, label = views.item_title(here.study, here.item), views.label_of(here)
    if label >= 0:
        said += f", class {class_html(label, views.classes_of(here.study))}"
    messages.html(f'<p class="plain">{said}</p>')


def mask_facts(here: Here, lattice: "Lattice") -> None:
    """Width and rate of the posterior, with the shares that tell whether it is also right."""
    node, report = lattice.node(lattice.row(here.mask)), loading.report(here.run)
    error, right = node.rate_error, views.coherence_facts(report, here.subset, here.names)
    views.facts(
        [
            ("Posterior width", f"{node.width:.2f}", f"prior: {lattice.prior_width:.2f}"),
            (
                "Rate",
                tables.nats(node.rate),
                "nats" if error is None else f"± {Z * error:.1f} nats",
            ),
            *right,
        ]
    )
    views.source(
        f"Width: mean standard deviation over {here.run.config.latents} latent axes",
        "rate: KL to the prior, "
        + ("exact" if error is None else f"estimate of {lattice.samples} draws, ± 95 %"),
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


def what_nothing_is(here: Here, lattice: "Lattice") -> None:
    """With nothing shown the posterior may, but need not, be the prior."""
    rate = lattice.node(lattice.row(here.mask)).rate
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


def all_subsets(here: Here, lattice: "Lattice") -> None:
    """A table of all subsets, the present one lit."""
    report, rows = loading.report(here.run), []
    shares = {} if report is None else report.coherence
    for row, kept in enumerate(lattice.masks.tolist()):
        if any(kept[index] for index in lattice.lacks):
            continue
        name, node = subset_name(kept, here.names), lattice.node(row)
        rows.append(
            tables.SubsetRow(
                name,
                node.rate,
                node.width,
                shares.get(name, {}),
                tuple(kept) == here.mask,
                node.rate_error,
            )
        )
    targets = [name for name in here.names if any(name in one for one in shares.values())]
    messages.html(tables.subset_table(rows, targets))
    views.source(
        f"{len(rows)} of {2 ** len(here.names):,} subsets"
        + (f", as the item has no {escape(' and no '.join(here.lacks))}" if here.lacks else ""),
        f"rate and width: item {here.item}",
        *(["right: all test items, share and 95 % Wilson interval"] if targets else []),
        views.run_mark(here.run),
    )
