"""What is given and what is generated, side by side; a browser may paint it before the server does."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from ui.generate.control_views import OWN, Ways
from ui.kinds.view import DRAW
from ui.shared import live_views, views
from ui.shell import address, answers, drawing, loading, messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated, Verdict

WORDS = ("given, reconstructed", "generated")


def gather_known(here: Here, given: Mapping[str, np.ndarray]) -> live_views.Known:
    """All that could be given: every value of the item; of the visitor's own what is shown."""
    if st.session_state["start"] != OWN:
        return live_views.of_item(here)
    hidden = tuple(name for name in here.names if name not in here.shown)
    pads = {
        one.name: address.drawn(one.name)
        for one in here.run.config.modalities
        if DRAW in views.look(here.study, one).ways
    }
    return live_views.Known(given, hidden, pads)


def what_the_model_sees(
    here: Here, given: Mapping[str, np.ndarray], known: live_views.Known
) -> None:
    """The given modalities as they enter the model; hidden, for browsers, what could be given."""
    figures = []
    for one in here.run.config.modalities:
        name, value = one.name, known.values.get(one.name)
        if name not in given and not (
            loading.decodes_in_browser() and (value is not None or name in known.drawn)
        ):
            continue
        alt = f"{name} as given"
        body = "" if value is None else views.item_picture(here.study, one, value, alt)
        figures.append(
            f'<figure data-given="{escape(name)}"{"" if name in given else " hidden"}>{body}'
            f"<figcaption>{escape(name)}</figcaption></figure>"
        )
    if figures:
        messages.html(
            f'<div class="panel"{"" if given else " hidden"}><h3>What the model sees</h3>'
            f'<div class="pair">{"".join(figures)}</div></div>'
        )


def generations(
    here: Here,
    generated: "Generated",
    given: Mapping[str, np.ndarray],
    ways: Ways,
    truth: int | None,
    known: live_views.Known,
) -> list[ModalityConfig]:
    """A panel for each generated modality, in one order of the draws; those modalities.

    Where browsers make pictures the panels of the others are there too, hidden and empty.
    """
    every = here.run.config.modalities
    missing = [one for one in every if one.name not in given and one.name in ways.names]
    wanted = missing or ([] if len(given) < len(every) else list(every))
    values = shown(generated, ways)
    verdicts = {one.name: answers.verdict(here.study, one, values[one.name]) for one in wanted}
    order = _order(verdicts, len(next(iter(values.values()))), ways.surest)
    mark = views.stamp(here, ways.count, ways.temperature, known.drawn)
    panels = [
        _panel(here, one, values[one.name][order], verdicts[one.name], order, given, truth, mark)
        if one in wanted
        else _empty_panel(one)
        for one in every
        if one in wanted or loading.decodes_in_browser()
    ]
    messages.html(f'<div class="panels">{"".join(panels)}</div>')
    left_out = [one.name for one in every if one not in wanted and one.name not in given]
    if left_out:
        messages.html(
            f'<p class="source">Missing, neither given nor generated: '
            f"{escape(', '.join(left_out))}.</p>"
        )
    return wanted


def shown(generated: "Generated", ways: Ways) -> Mapping[str, np.ndarray]:
    """The values to show [n, ...] of every modality."""
    if ways.mean:
        return {name: values[None] for name, values in generated.at_mean.items()}
    return generated.at_draws


def _order(verdicts: Mapping[str, "Verdict | None"], count: int, surest: bool) -> np.ndarray:
    """The draws by the product of the judges' confidences, largest first."""
    sure = [one.confidence for one in verdicts.values() if one and one.confidence is not None]
    if not surest or not sure:
        return np.arange(count)
    return np.argsort(-np.log(np.maximum(sure, 1e-30)).sum(0), kind="stable")


def _panel(
    here: Here,
    modality: ModalityConfig,
    values: np.ndarray,
    verdict: "Verdict | None",
    order: np.ndarray,
    given: Mapping[str, np.ndarray],
    truth: int | None,
    mark: str,
) -> str:
    name, said = modality.name, views.verdict_text(verdict, here.study, truth)
    if verdict is not None and verdict.confidence is not None:
        said += f" Mean confidence of the judge {float(verdict.confidence.mean()):.2f}."
    spelt = None if verdict is None or verdict.spelt is None else verdict.spelt[order]
    word = WORDS[0 if name in given else 1]
    what = "1 value" if len(values) == 1 else f"{len(values)} values"
    body = views.look(here.study, modality).html(
        values, views.TILE_COLUMNS, f"{what} of {name}, {word}. {said}", spelt
    )
    return (
        f'<div class="panel" data-made="{escape(name)}" data-stamp="{mark}"><h3>{escape(name)} '
        f'{views.badge(name in given, WORDS)}</h3>{body}<p class="source">{escape(said)}</p></div>'
    )


def _empty_panel(modality: ModalityConfig) -> str:
    """For a browser to fill and show when it is wanted."""
    name = escape(modality.name)
    return (
        f'<div class="panel" data-made="{name}" hidden><h3>{name} {views.badge(False, WORDS)}</h3>'
        '<p class="source"></p></div>'
    )


def live(here: Here, given: Mapping[str, np.ndarray], ways: Ways, known: live_views.Known) -> None:
    """Controls of its own for the browser; where the judges sort, the server makes the pictures."""
    way = live_views.Way(
        ways.count,
        ways.temperature,
        mean=ways.mean,
        make=ways.names,
        prior=drawing.prior_chosen(list(here.run.priors)),
        words=WORDS,
        counts=() if state.is_plain() else drawing.COUNTS,
        hottest=drawing.HOTTEST,
        why="its judges sort them" if ways.surest else "",
    )
    live_views.live(here, way, known)
