"""The lattice of subsets on a page: its component, the modalities' shares, what the words mean."""

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from mmvae_core.errors import RunError
from mmvae_core.explore.plane import DRAWS, Plane
from ui.components.lattice import lattice as component
from ui.shared import lattice_cards, views
from ui.shared.lattice_cards import number
from ui.shell import answers, caching, loading, messages, state
from ui.shell.state import Here, subset_name

if TYPE_CHECKING:
    from mmvae_core.explore.lattice import Lattice

KEY = "lattice"
CARDS = 16
NARROW = 0.04
"""A share that takes less of the bar has no room for its key."""


def draw_lattice(here: Here, lattice: "Lattice", plane: Plane | None) -> None:
    """All subsets as cards and as posteriors; a click or a key there sets the mask everywhere."""
    stamp = (
        caching.run_key(here.run),
        here.item,
        here.seed,
        lattice.masks.tobytes(),
    )
    component(
        {
            "lattice": _payload(stamp, here, lattice, plane),
            "stamp": str(hash(stamp)),
            "lit": "".join("1" if kept else "0" for kept in here.mask),
        },
        KEY,
        _taken,
    )
    _caption(here, lattice)


def keys(here: Here) -> None:
    """How the lattice is worked."""
    names = ", ".join(
        f"<kbd>{index}</kbd> {escape(name)}" for index, name in enumerate(here.names, 1)
    )
    messages.html(
        "<p>Every card is a subset; to the right one more modality is shown. A click on a card "
        "or a line of the map below shows that subset to the model, on every page; so do the "
        f"keys {names}. Arrow keys go along the lines.</p>"
    )


def shares(here: Here, lattice: "Lattice") -> None:
    """The modalities' shares of the rate as one bar; to the left of its start those below zero."""
    if lattice.share is None:
        return
    share, error = lattice.share.value.tolist(), lattice.share.error
    errors = [0.0] * len(share) if error is None else error.tolist()
    total = sum(share)
    reach = max(sum(abs(value) for value in share), 1e-9)
    order = sorted(range(len(share)), key=lambda one: share[one] >= 0)
    parts = "".join(_part(one + 1, share[one] / reach) for one in order)
    said = [
        f"{index} {escape(name)} <b>{number(value, error)}</b>"
        for index, (name, value, error) in enumerate(zip(here.names, share, errors, strict=True), 1)
    ]
    messages.html(
        f'<div class="shares" aria-hidden="true">{parts}</div><p class="plain">Each '
        f"modality's share of what is known: {', '.join(said)} nats.</p>"
    )
    source = "exact" if error is None else f"± 95 %, {lattice.samples} draws a rate"
    views.source(
        f"Shapley shares of the rates, {source}: they sum to {number(total, 0)} nats, the rate of "
        f"{subset_name([True] * len(share), here.names)} less that of nothing",
        escape(views.item_name(here.study, here.item)),
        f"seed {here.seed}",
        views.run_mark(here.run),
    )


def _part(key: int, share: float) -> str:
    """One modality's piece of the bar."""
    return (
        f'<div class="share{" below" if share < 0 else ""}" style="flex-grow:'
        f'{abs(share):.4f}">{key if abs(share) > NARROW else ""}</div>'
    )


@caching.resource(max_entries=CARDS)
def _payload(
    stamp: tuple[object, ...], _here: Here, _lattice: "Lattice", _plane: Plane | None
) -> dict[str, object]:
    here, lattice, report = _here, _lattice, loading.report(_here.run)
    subsets = [subset_name(mask, here.names) for mask in lattice.masks.tolist()]
    payload = lattice_cards.payload(
        lattice,
        subsets,
        lattice_cards.About(
            [views.look(here.study, one) for one in here.run.config.modalities],
            {} if report is None else report.coherence,
            _plane,
        ),
    )
    if _plane is not None:
        rates = ", ".join(f"{node['title']} {node['width']}" for node in payload["nodes"])
        payload["plane"] |= {
            "notes": _notes(lattice, _plane),
            "label": f"Posteriors of {len(subsets)} subsets in the plane; widths: {rates}",
        }
    return payload


def _notes(lattice: "Lattice", plane: Plane) -> list[str]:
    line = "an ellipse" if lattice.normal else "the border of the region"
    notes = [
        f"Each line is {line} that holds 95 % of one posterior q(z | x_S), the dot its mean; the "
        "chosen one also has the line that holds 50 %. The more is shown, the bluer.",
        f"The axes: {plane.says}.",
    ]
    if not lattice.normal:
        notes.append(
            f"Posteriors without a formula here are seen through {DRAWS:,}"
            " seeded draws of each; mixtures of normals are exact."
        )
    if lattice.gap is not None:
        notes.append(
            "Dashed: the exact posterior p(z | x_S) of this linear-Gaussian model"
            + ("" if len(lattice.masks) <= 2**lattice_cards.ROOMY else ", of the chosen one")
            + "; the gap on a card is KL(q ‖ p) in nats."
        )
    return notes


def _caption(here: Here, lattice: "Lattice") -> None:
    report = loading.report(here.run)
    exact = lattice.rate.error is None and lattice.gain.error is None
    count, every = len(lattice.masks), 2 ** len(here.names)
    draws = "4 draws" if len(here.names) <= lattice_cards.ROOMY else "one draw"
    views.source(
        f"{count} subsets"
        if count == every
        else f"{count} of {every:,} subsets, those nearest to the mask",
        f"pictures: E[x | z] at {draws} of q(z | x_S), the same noise for all",
        "bar and nats: rate, KL to the prior; on a line: how far the posterior moves when one more "
        "is shown, KL(q(z | x_S+m) ‖ q(z | x_S)), which the rate may follow up or down; "
        + ("exact" if exact else f"with ± estimates, {lattice.samples} draws, 95 %"),
        f"under a picture: share of {report.items} test items judged right"
        if report and report.coherence
        else "",
        f"seed {here.seed}",
        views.run_mark(here.run),
    )


def _taken() -> None:
    """A card was chosen, or a key pressed."""
    chosen = getattr(st.session_state.get(KEY), "mask", None)
    names = state.here().names
    if isinstance(chosen, str) and len(chosen) == len(names) and set(chosen) <= {"0", "1"}:
        state.take_mask([name for name, kept in zip(names, chosen, strict=True) if kept == "1"])


def plane(here: Here) -> Plane | None:
    """Where this run's posteriors are drawn; nothing, and a word, if it was not evaluated."""
    try:
        return answers.plane(here.run)
    except RunError as error:
        if here.run.is_evaluated:  # what is stored is damaged
            raise
        st.info(messages.literal(f"No posteriors are drawn. {error}"))
        return None
