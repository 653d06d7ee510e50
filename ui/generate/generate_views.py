"""How likely what was given is, from what is drawn, and how to take home what came out."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from mmvae_core.intervals import Z
from ui.draw import tables
from ui.generate.control_views import PRIORS, Ways
from ui.generate.panels import shown
from ui.kinds.pictures import stacked
from ui.shared import views
from ui.shell import answers, loading, messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated

SHEET_COLUMNS = 8
STRANGE = 2.0
"""What is surely below this percentile of likelihood counts as unlike the training data."""


def prior_note(here: Here, prior: str) -> None:
    """What is drawn where nothing is given, and how often such draws agree."""
    report = loading.report(here.run)
    told = None if report is None else report.of_prior(prior)
    coherence, agreed = None if told is None else told.joint_coherence, ""
    if coherence is not None:
        share, low, high = (100 * one for one in (coherence.share, coherence.low, coherence.high))
        agreed = (
            f" Of {coherence.count:,} such draws {share:.1f} % were judged the same class in "
            f"all modalities (95 % {low:.1f} to {high:.1f})."
        )
    st.info(messages.literal(f"Nothing is given: these are draws from {PRIORS[prior]}.{agreed}"))


def posterior_facts(here: Here, generated: "Generated", given: Mapping[str, np.ndarray]) -> None:
    """Width and rate of the posterior, how likely what is given is, and how often this is right."""
    subset = state.subset_name([name in given for name in here.names], here.names)
    report = loading.report(here.run)
    error = (
        "exact" if generated.rate_error is None else f"± {Z * generated.rate_error:.1f}, estimate"
    )
    entries = [
        (
            "Posterior width",
            f"{generated.width:.2f}",
            f"prior: {answers.prior_scale(here.run).mean():.2f}",
        ),
        ("Rate", tables.nats(generated.rate), f"nats, {error}"),
    ]
    likely = answers.familiar(here.run, given) if given else None
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


def misread(here: Here, generated: "Generated", given: Mapping[str, np.ndarray]) -> None:
    """Say so where a judge reads a given picture as another class than most of what is made of it.

    Likelihoods do not tell: a digit that is taken for another one is as likely as others.
    """
    parts = {one.name: one for one in here.run.config.modalities}
    others = [
        told.labels
        for name, values in generated.at_draws.items()
        if name not in given and (told := answers.verdict(here.study, parts[name], values))
    ]
    if not others:
        return
    classes, counts = np.unique(np.concatenate(others), return_counts=True)
    taken = int(classes[counts.argmax()])
    for name in given:
        told = None
        if name in here.study.judge_cards:
            told = answers.verdict(here.study, parts[name], given[name][None])
        if told is not None and (read := int(told.labels[0])) != taken:
            names = here.study.about.classes
            st.warning(
                messages.literal(
                    f"The judge reads the {name} as {names[read]}, and the model takes all for "
                    f"{names[taken]}: one of them is wrong."
                )
            )


def downloads(
    here: Here,
    generated: "Generated",
    given: Mapping[str, np.ndarray],
    ways: Ways,
    wanted: Sequence[ModalityConfig],
) -> None:
    """All that is shown as one PNG, and the numbers as npz; made when asked for."""
    name = f"{here.run.folder.name}-seed{here.seed}"
    values = shown(generated, ways)

    def sheet() -> bytes:
        looks = [views.look(here.study, one) for one in wanted]
        return stacked((one.name, one.sheet(values[one.name], SHEET_COLUMNS)) for one in looks)

    def arrays() -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            allow_pickle=False,
            latent_mean=generated.mean,
            latents=generated.latents,
            temperature=ways.temperature,
            seed=here.seed,
            run=loading.run_hash(here.run),
            **{f"given_{key}": one for key, one in given.items()},
            **{f"mean_{one.name}": generated.at_mean[one.name] for one in wanted},
            **{f"draws_{one.name}": generated.at_draws[one.name] for one in wanted},
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
