"""What is given to the model, how to draw from it, what comes out, and how to take it home."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from mmvae_core.intervals import Z
from mmvae_core.store.run import TRAINED
from ui.draw import tables
from ui.generate import own_inputs
from ui.kinds.pictures import stacked
from ui.shared import views
from ui.shell import loading, messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated, Verdict

ITEM, OWN = "a test item", "my own input"
SAMPLES, MEAN = "samples", "the mean"
DRAWN, SURE = "as drawn", "surest first"
COUNTS = (4, 8, 16, 32, 64)
SHEET_COLUMNS = 8
HOTTEST = 2.0
PRIORS = {
    TRAINED: "the trained prior p(z)",
    "mixture": "a mixture fitted afterwards",
    "flow": "a flow fitted afterwards",
}
STRANGE = 2.0
"""What is surely below this percentile of likelihood counts as unlike the training data."""


@dataclass(frozen=True)
class Ways:
    """How the visitor wants generations to be made and shown."""

    names: tuple[str, ...]
    mean: bool
    count: int
    temperature: float
    surest: bool


def pick_given(here: Here) -> tuple[dict[str, np.ndarray], int | None]:
    """What the model is given: the shown part of the item, or the visitor's own; and its class."""
    state.check_link("start", state.is_among([ITEM, OWN]), f"{ITEM!r} or {OWN!r}")
    start = st.segmented_control(
        "Start from", [ITEM, OWN], default=ITEM, required=True, key="start", bind="query-params"
    )
    if start == OWN:
        return own_inputs.own_inputs(here), None
    given = loading.item_values(here.study, here.item, here.shown)
    return given, views.truth_of(here, given)


def pick_prior(here: Here) -> str:
    """From which prior to draw where nothing is given: the trained one or one fitted afterwards."""
    options = list(here.run.priors)
    state.offer("prior", options, options[0])
    if len(options) == 1:
        return options[0]
    return (
        st.segmented_control(
            "Draw from the prior",
            options,
            default=options[0],
            required=True,
            key="prior",
            bind="query-params",
            format_func=lambda one: PRIORS[one],
            help="The trained prior may have holes: places where it is dense and no item is. A prior "
            "that was fitted afterwards, to where the training items' posteriors are, has fewer. The "
            "model itself is the same.",
        )
        or options[0]
    )


def prior_note(here: Here, prior: str) -> None:
    """What is drawn where nothing is given, and how often such draws agree."""
    report = loading.report(here.run)
    told = None if report is None else report.of_prior(prior)
    found, agreed = None if told is None else told.joint_coherence, ""
    if found is not None:
        share, low, high = (100 * one for one in (found.share, found.low, found.high))
        agreed = (
            f" Of {found.count:,} such draws {share:.1f} % were judged the same class in "
            f"all modalities (95 % {low:.1f} to {high:.1f})."
        )
    st.info(messages.literal(f"Nothing is given: these are draws from {PRIORS[prior]}.{agreed}"))


def pick_ways(here: Here) -> Ways:
    """The controls of drawing."""
    names = list(here.names)
    left, middle, right = st.columns([5, 4, 5], gap="large")
    with left:
        state.offer("make", names, names, here.study.name, empty=True)
        wanted = st.pills(
            "Generate, where not given",
            names,
            selection_mode="multi",
            default=names,
            key="make",
            bind="query-params",
        )
    with middle:
        state.check_link("show", state.is_among([SAMPLES, MEAN]), f"{SAMPLES} or {MEAN}")
        show = st.segmented_control(
            "Show", [SAMPLES, MEAN], default=SAMPLES, required=True, key="show", bind="query-params"
        )
    with right:
        order = _pick_order() if here.study.judge_cards else DRAWN
    count, temperature = _pick_numbers(here)
    return Ways(tuple(wanted), show == MEAN, count, temperature, order == SURE)


def _pick_order() -> str | None:
    state.check_link("sort", state.is_among([DRAWN, SURE]), f"{DRAWN} or {SURE}")
    return st.segmented_control(
        "Order",
        [DRAWN, SURE],
        default=DRAWN,
        required=True,
        key="sort",
        bind="query-params",
        help="Surest first: by the judges' probabilities of what they "
        "name, multiplied over what is generated; the same order for "
        "every modality.",
    )


def _pick_numbers(here: Here) -> tuple[int, float]:
    left, middle, right = st.columns([5, 4, 5], gap="large", vertical_alignment="bottom")
    with left:
        state.check_link("temperature", state.is_number(0, HOTTEST), f"0 to {HOTTEST:g}")
        temperature = st.slider(
            "Temperature",
            0.0,
            HOTTEST,
            1.0,
            0.1,
            key="temperature",
            bind="query-params",
            help="z = m + t (z - m): scales the noise "
            "around the posterior's mean m; 1 is the posterior itself.",
        )
    with middle:
        options = [str(count) for count in COUNTS]
        state.check_link("count", state.is_among(options), "one of " + ", ".join(options))
        count = st.selectbox("Draws of z", options, index=2, key="count", bind="query-params")
    with right:
        st.button(
            "New noise",
            key="new_noise",
            on_click=state.new_seed,
            width="stretch",
            help=f"The noise is fixed by the seed {here.seed} until you roll it anew.",
        )
    return int(str(count)), float(temperature)


def what_the_model_sees(here: Here, given: Mapping[str, np.ndarray]) -> None:
    """The given modalities as they enter the model; and what is neither given nor generated."""
    if not given:
        return
    figures = [
        f"<figure>{views.item_picture(here.study, one, given[one.name], f'{one.name} as given')}"
        f"<figcaption>{escape(one.name)}</figcaption></figure>"
        for one in here.run.config.modalities
        if one.name in given
    ]
    messages.html(
        f'<div class="panel"><h3>What the model sees</h3><div class="pair">{"".join(figures)}'
        "</div></div>"
    )


def posterior_facts(here: Here, made: "Generated", given: Mapping[str, np.ndarray]) -> None:
    """Width and rate of the posterior, how likely what is given is, and how often this is right."""
    subset = state.subset_name([name in given for name in here.names], here.names)
    report = loading.report(here.run)
    error = "exact" if made.rate_error is None else f"± {Z * made.rate_error:.1f}, estimate"
    entries = [
        (
            "Posterior width",
            f"{made.width:.2f}",
            f"prior: {loading.prior_scale(here.run).mean():.2f}",
        ),
        ("Rate", tables.nats(made.rate), f"nats, {error}"),
    ]
    likely = loading.familiar(here.run, given) if given else None
    if likely:
        low, high = likely.interval
        entries.append(
            (
                "Likelier than",
                f"{likely.percentile:.0f} %",
                f"of test items ({low:.0f} to {high:.0f} %)",
            )
        )
    right = views.coherence_facts(report, subset, here.names)
    views.facts([*entries, *right])
    if likely and likely.interval[1] < STRANGE:
        st.warning(
            messages.literal(
                f"This is unlike what the model was trained on: {100 - likely.percentile:.0f} % "
                "of the test items are likelier. What it generates says little."
            )
        )
    views.source(
        "width and rate: of what is given here",
        *(
            []
            if likely is None or report is None
            else [
                f"likelier than: log p({subset}) = {likely.value:.1f} nats, among {likely.count} test "
                f"items, each an importance-weighted estimate of {report.log_likelihood.samples} "
                "draws, seed 0, 95 % Wilson interval; what is simple, as a dot, is likely too"
            ]
        ),
        f"right: share of {report.items} test items with {subset} shown, "
        f"95 % Wilson interval, seed {report.seed}"
        if report and right
        else "",
        views.run_mark(here.run),
    )


def generations(
    here: Here, made: "Generated", given: Mapping[str, np.ndarray], ways: Ways, truth: int | None
) -> list[ModalityConfig]:
    """A panel for each generated modality, in one order of the draws; those modalities."""
    every = here.run.config.modalities
    missing = [one for one in every if one.name not in given and one.name in ways.names]
    wanted = missing or ([] if len(given) < len(every) else list(every))
    values = shown(made, ways)
    verdicts = {one.name: loading.verdict(here.study, one, values[one.name]) for one in wanted}
    order = _order(verdicts, len(next(iter(values.values()))), ways.surest)
    for column, modality in zip(st.columns(max(1, len(wanted)), gap="large"), wanted, strict=False):
        with column:
            _panel(
                here,
                modality,
                values[modality.name][order],
                verdicts[modality.name],
                order,
                "given, reconstructed" if modality.name in given else "generated",
                truth,
            )
    left_out = [one.name for one in every if one not in wanted and one.name not in given]
    if left_out:
        messages.html(
            f'<p class="source">Missing, neither given nor generated: '
            f"{escape(', '.join(left_out))}.</p>"
        )
    return wanted


def shown(made: "Generated", ways: Ways) -> Mapping[str, np.ndarray]:
    """The values to show [n, ...] of every modality."""
    if ways.mean:
        return {name: values[None] for name, values in made.at_mean.items()}
    return made.at_draws


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
    word: str,
    truth: int | None,
) -> None:
    said = views.verdict_text(verdict, here.study, truth)
    if verdict is not None and verdict.confidence is not None:
        said += f" Mean confidence of the judge {float(verdict.confidence.mean()):.2f}."
    spelt = None if verdict is None or verdict.spelt is None else verdict.spelt[order]
    mark = "badge" if word.startswith("given") else "badge made"
    what = "1 value" if len(values) == 1 else f"{len(values)} values"
    body = views.look(here.study, modality).html(
        values,
        views.TILE_COLUMNS,
        f"{what} of {modality.name}, {word}. {said}",
        spelt,
    )
    messages.html(
        f'<div class="panel"><h3>{escape(modality.name)} <span class="{mark}">{word}</span>'
        f'</h3>{body}<p class="source">{escape(said)}</p></div>'
    )


def downloads(
    here: Here,
    made: "Generated",
    given: Mapping[str, np.ndarray],
    ways: Ways,
    wanted: Sequence[ModalityConfig],
) -> None:
    """All that is shown as one PNG, and the numbers as npz; made when asked for."""
    name = f"{here.run.folder.name}-seed{here.seed}"
    values = shown(made, ways)

    def sheet() -> bytes:
        looks = [views.look(here.study, one) for one in wanted]
        return stacked((one.name, one.sheet(values[one.name], SHEET_COLUMNS)) for one in looks)

    def arrays() -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            allow_pickle=False,
            latent_mean=made.mean,
            latents=made.latents,
            temperature=ways.temperature,
            seed=here.seed,
            run=loading.run_hash(here.run),
            **{f"given_{key}": one for key, one in given.items()},
            **{f"mean_{one.name}": made.at_mean[one.name] for one in wanted},
            **{f"draws_{one.name}": made.at_draws[one.name] for one in wanted},
        )
        return buffer.getvalue()

    with st.container(horizontal=True):
        st.download_button(
            "Download as PNG",
            sheet,
            mime="image/png",
            on_click="ignore",
            file_name=f"{name}.png",
        )
        st.download_button(
            "Download numbers (npz)",
            arrays,
            on_click="ignore",
            mime="application/octet-stream",
            file_name=f"{name}.npz",
        )
