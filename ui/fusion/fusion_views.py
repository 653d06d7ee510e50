"""Inside an aggregator: each part's share, attention between modalities, the parts in detail."""

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from ui.draw import tables
from ui.shared import views
from ui.shell import messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.aggregators.base import About
    from mmvae_core.explore.insides import Parts


def explain(about: "About", has_parts: bool) -> None:
    """What the aggregator says of itself, and where else to look if it has no parts."""
    said = escape(about.sentence)
    if about.ordered:
        said += " Its dependence on the order is on the page Order."
    messages.html(f'<p class="plain">{said}</p>')
    if not has_parts and not about.ordered:
        st.info("No parts arise in this aggregator, so there are no shares to show.")


def shares(here: Here, parts: "Parts", caveat: str) -> None:
    """A bar for each part; what is not shown has none."""
    rows = [
        (one, float(share))
        for one, share in zip(parts.names, parts.shares, strict=True)
        if share or one in here.names
    ]
    top = max(1.0, *(abs(share) for _, share in rows))
    body = "".join(_share(one, share, top, here) for one, share in rows)
    messages.html(
        '<div class="scroll" tabindex="0" role="region" aria-label="Share of each part">'
        '<table class="numbers narrow"><thead><tr><th scope="col">part</th>'
        f'<th scope="col">share</th><th></th></tr></thead><tbody>{body}</tbody></table></div>'
    )
    private = "of the shared latents" if here.run.config.private else ""
    views.source(
        *(
            one
            for one in (
                f"{escape(views.item_name(here.study, here.item))}, shown: {here.subset}",
                "exact",
                private,
                escape(caveat),
                views.run_mark(here.run),
            )
            if one
        )
    )


def _share(name: str, share: float, top: float, here: Here) -> str:
    """One part's row; a bar below zero is hatched."""
    below = " class=below" if share < 0 else ""
    note = "" if name in here.shown or name not in here.names else "not shown"
    return (
        f'<tr><th scope="row">{escape(name)}</th><td><span class="bar">'
        f'<b{below} style="width:{100 * abs(share) / top:.0f}%"></b></span>'
        f'<span class="figure">{tables.nats(share, 2)}</span></td><td>{note}</td></tr>'
    )


def attention(here: Here, weights: np.ndarray) -> None:
    """Tables [query, key] for each layer: the mean of the heads, then each head."""
    layers, heads = weights.shape[:2]
    if not here.shown:
        st.info("Nothing is shown, so nothing can look at anything.")
        return
    messages.html(
        '<p class="plain">Each row says how much one modality takes from each shown one, '
        "itself included; a row adds up to 1. A modality that is not shown looks at nothing "
        "and is not looked at.</p>"
    )
    for layer in range(layers):
        figures = [
            (f"layer {layer + 1}, mean of {heads} heads", weights[layer].mean(0)),
            *(
                (f"layer {layer + 1}, head {head + 1}", weights[layer, head])
                for head in range(heads if heads > 1 else 0)
            ),
        ]
        messages.html(
            '<div class="matrices">'
            + "".join(_matrix(here, title, values) for title, values in figures)
            + "</div>"
        )
    views.source(
        f"{escape(views.item_name(here.study, here.item))}, shown: {here.subset}",
        "softmax weights, exact",
        views.run_mark(here.run),
    )


def _matrix(here: Here, title: str, values: np.ndarray) -> str:
    """One table of weights; the ground of a cell is as dark as the weight is large."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in here.names)
    body = "".join(
        f'<tr><th scope="row">{escape(name)} ←</th>'
        + "".join(
            f'<td style="--weight:{60 * float(one):.0f}%">{f"{one:.2f}" if one else "0"}</td>'
            for one in row
        )
        + "</tr>"
        for name, row in zip(here.names, values, strict=True)
    )
    return (
        f'<figure><figcaption>{title}</figcaption><div class="scroll" tabindex="0" '
        f'role="region" aria-label="Attention, {title}"><table class="numbers weights"><thead>'
        f"<tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div></figure>"
    )


def detail(here: Here, parts: "Parts") -> None:
    """The parts in every latent, or the vectors that are summed."""
    if parts.detail is None:
        return
    names, values, is_share = list(parts.names), parts.detail.values, parts.detail.is_share
    if not is_share:
        names, values = [*names, "sum"], np.concatenate([values, values.sum(0, keepdims=True)])
    st.subheader(messages.literal(parts.detail.title), anchor=False)
    st.plotly_chart(
        _figure(values, names, is_share),
        theme=None,
        key="parts",
        alt=_alt(names, values, is_share),
        config={"displayModeBar": False},
    )
    what = (
        "one column a latent; every column adds up to 1"
        if is_share
        else f"{values.shape[1]} entries of each vector; blue below zero, orange above"
    )
    views.source(
        what, escape(views.item_name(here.study, here.item)), "exact", views.run_mark(here.run)
    )


def _figure(values: np.ndarray, names: list[str], is_share: bool) -> Any:
    from ui.draw import fusion_plots

    titles = ("latent", "share") if is_share else ("entry", "value")
    return fusion_plots.strips(values, names, titles, is_share, state.is_dark())


def _alt(names: list[str], values: np.ndarray, is_share: bool) -> str:
    said = ", ".join(
        f"{name} {tables.nats(row.mean(), 2)}"
        if is_share
        else f"{name} {float(np.linalg.norm(row)):.1f}"
        for name, row in zip(names, values, strict=True)
    )
    return ("Mean share by part: " if is_share else "Length by vector: ") + said
