"""What the experiments say: claims and verdicts, differences, figures, how they were made."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st

from mmvae_core.errors import RunError
from mmvae_core.experiments.claims import CLAIMS as CLAIM_TEXTS
from mmvae_core.store.results import FOLDER, Claim, Report, Summary, read_table
from ui.draw import result_plots
from ui.draw.spans import Line, Rule, Span
from ui.results import result_caveats, result_tables
from ui.results.result_tables import (
    CLAIMS,
    FIGURES,
    LEARNED,
    MAXIMUM,
    MINUS,
    NOT_EMPTY,
    TRUTH,
    best_known,
    model_name,
    objective_name,
    said,
)
from ui.shared import views
from ui.shell import loading, messages, state

STILL = {"displayModeBar": False}
SIGN = {"masked": "●", "mixture": "◆", "mixture_not_empty": "■"}
PAPER = """<p class="plain">The paper (Hirt, Campolo, Leong, Ortega, TMLR 2024) proposes a tighter
bound and learned, permutation-invariant aggregators, which its abstract says <em>can become</em>
beneficial. What we hold of that against the alternatives, in worlds whose truth is known, on the
joint log-likelihood of test items, was written down before the models were trained:</p>"""
VERDICTS = """A verdict is about one world: it rests on one difference a seed (models of one seed
share world, weights and batches) and holds where the 95 % interval over seeds (Student's t) lies
above zero, does not hold where it lies below, and is open where the interval contains zero. The
paper's own tables could not be had in numbers, so none is quoted."""


def read() -> dict[Path, Report]:
    """The reports by file; what cannot be read is said in one sentence each."""
    files = loading.experiments()
    for problem in files.values():
        if isinstance(problem, RunError):
            st.error(messages.literal(problem))
    reports = {
        path: one
        for path, one in sorted(files.items(), key=_paper_order)
        if isinstance(one, Report)
    }
    if not reports:
        st.info(
            messages.literal(
                f"There are no results in {loading.root() / FOLDER}; "
                "`python -m mmvae_core experiment linear` makes some."
            )
        )
        raise messages.PageEnd
    return reports


def _paper_order(entry: tuple[Path, object]) -> tuple[int, Path]:
    known, name = list(result_tables.WORLDS), entry[0].stem
    return known.index(name) if name in known else len(known), entry[0]


def verdicts(reports: dict[Path, Report]) -> None:
    """The claims in words, and what became of them in each world."""
    result_caveats.caveats(reports)
    messages.html(result_tables.verdict_table(reports.values()))
    messages.fold(
        "The claims, what would refute each, and what a verdict is",
        PAPER + result_tables.claims_list(CLAIM_TEXTS) + f'<p class="source">{VERDICTS}</p>',
    )
    st.subheader("Where a claim does not hold", anchor=False)
    lines = [line for report in reports.values() for line in result_tables.lost(report)]
    messages.html("".join(lines) or '<p class="plain">No difference lies below zero.</p>')


def pick_world(reports: dict[Path, Report]) -> tuple[Path, str]:
    """The world that the rest of the page is about: its report's file and its name."""
    worlds = {
        result_tables.world_name(variant): (path, variant)
        for path, report in reports.items()
        for variant in report.measured()
    }
    if not worlds:
        st.info("The reports hold no figures yet.")
        raise messages.PageEnd
    first = next(iter(worlds))
    state.offer("world", list(worlds), first)
    picked = st.segmented_control(
        "World", list(worlds), default=first, required=True, key="world", bind="query-params",
        format_func=messages.literal,
    )  # fmt: skip
    return worlds[picked or first]


def differences(report: Report, world: str) -> None:
    """The paired differences as forest plots, and the numbers as a table."""
    claims = report.claims_of(world)
    st.subheader(
        messages.literal(f"{result_tables.world_name(world)}: differences in log-likelihood"),
        anchor=False,
    )
    first, second = st.columns(2, gap="large")
    for claim in CLAIMS:
        own = [one for one in claims if one.claim == claim]
        if own or claim != NOT_EMPTY:
            with second if claim == LEARNED else first:
                _forests(own, claim)
    views.source(
        "Mean difference in nats per item, 95 % t interval over seeds, a tick for each "
        "seed; each chart has an axis of its own, the bar is zero",
        *_origin(report),
    )
    with st.expander("The same as a table"):
        messages.html(result_tables.claims_table(claims))


def _forests(claims: Sequence[Claim], claim: str) -> None:
    """The charts of a claim: between learned and fixed aggregators one for each objective."""
    title = f"{CLAIMS[claim][0].upper()}{CLAIMS[claim][1:]}"
    if not claims:
        messages.html(f'<p class="plain"><b>{title}</b>: nothing to compare was trained.</p>')
    elif claim != LEARNED:
        _forest(title, [_line(one, model_name(_parts(one.better)[0])) for one in claims])
    else:
        for objective in dict.fromkeys(_parts(one.better)[1] for one in claims):
            _forest(
                f"{title}, both {objective_name(objective)}",
                [
                    _line(
                        one,
                        f"{model_name(_parts(one.better)[0])} {MINUS} "
                        f"{model_name(_parts(one.worse)[0])}",
                    )
                    for one in claims
                    if _parts(one.better)[1] == objective
                ],
            )


def _forest(title: str, lines: Sequence[Line]) -> None:
    messages.html(f'<p class="plain"><b>{escape(title)}</b></p>')
    figure = result_plots.intervals(
        lines, "nats per item, first minus second", state.is_dark(), Rule(0.0)
    )
    alt = f"Paired differences in nats. {title}: " + "; ".join(
        f"{line.label} {line.mean} [{line.more}]" for line in lines
    )
    st.plotly_chart(
        views.for_room(figure), theme=None, key=f"forest {title}", alt=alt, config=STILL
    )


def _parts(model: str) -> tuple[str, str]:
    """The aggregator and the objective of a model."""
    aggregator, _, objective = model.rpartition("-")
    return aggregator, objective


def _line(one: Claim, label: str) -> Line:
    mean, ends = result_tables.written(one, signed=True)
    return Line(label, mean, ends, (Span(one.verdict, one.mean, one.low, one.high, one.singles),))


def figures(report: Report, world: str) -> None:
    """All figures of a world as a table, one of them as a plot."""
    entries = report.summary_of(world)
    known = result_tables.shown_figures(entries)
    if not known:
        return
    st.subheader("Figures by model", anchor=False)
    state.offer("figure", list(known), next(iter(known)))
    name = st.selectbox("Figure", list(known), key="figure", bind="query-params")
    shown = [
        one for one in entries if (one.figure, one.given) == known[name] and one.aggregator != TRUTH
    ]
    _dots(shown, entries, name)
    messages.html(result_tables.figures_table(entries))
    views.source(
        "Means over seeds, 95 % t interval below",
        "the intervals hold also how much the seeds' worlds differ, which the paired "
        "differences above do not",
        *_origin(report),
    )
    _explain(report, {one.figure for one in entries}, {one.given for one in entries})


def _dots(shown: Sequence[Summary], entries: Sequence[Summary], name: str) -> None:
    lines = []
    for aggregator in dict.fromkeys(pair[0] for pair in result_tables.models(shown)):
        own = sorted(
            (one for one in shown if one.aggregator == aggregator), key=lambda one: one.objective
        )
        means = (f"{SIGN.get(one.objective, '')} {result_tables.written(one)[0]}" for one in own)
        spans = (Span(one.objective, one.mean, one.low, one.high, one.singles) for one in own)
        lines.append(Line(model_name(aggregator), "  ".join(means), spans=tuple(spans)))
    best = best_known(entries)
    is_bounded = (shown[0].figure, shown[0].given) == ("log_likelihood", "all")
    rule = Rule(best[1].mean, best[0]) if best and is_bounded else None
    title = f"{name}: {FIGURES[shown[0].figure][1]}"
    figure = result_plots.intervals(lines, title, state.is_dark(), rule)
    alt = f"{title}. " + "; ".join(
        f"{model_name(f'{one.aggregator}-{one.objective}')} {said(one)}" for one in shown
    )
    st.plotly_chart(views.for_room(figure), theme=None, key="dots", alt=alt, config=STILL)


def _explain(report: Report, known: set[str], given: set[str]) -> None:
    """What the figures of a world are, and how each was had."""
    parts = [
        f"Log-likelihood: joint, of test items, importance-weighted lower bound, "
        f"{report.likelihood_samples} draws an item"
    ]
    if known & {MAXIMUM, "kl_to_exact"}:
        parts = ["Log-likelihood: joint, of test items, exact"]
        if "relative_shortfall_train" in known:
            parts.append(
                "shortfall: share of the maximum-likelihood model's log-likelihood of the "
                "training items that is missing, exact"
            )
        parts += [
            "variational gap: log-likelihood minus the training bound, which is estimated "
            "with 16 draws of subsets and noise an item",
            "KL to exact: KL(q(z | S) ‖ p(z | S)) to the learned model's own exact posterior, "
            f"first {report.kl.items} test items, exact for normals, else estimated with "
            f"{report.kl.samples} draws",
        ]
    elif any(one.startswith("mcc") for one in known):
        parts.append(
            "MCC: mean correlation of true and learned latents on the half of the test "
            "items that nothing was fitted to; strong: up to order and sign, weak: after "
            "an affine map (full CCA; the paper's code measures it otherwise, so the figures "
            "cannot be held against its); a t interval may reach beyond 1, no MCC does"
        )
    if "full_gap" in known:
        parts.append(
            "gap, all shown: log-likelihood minus the training bound where all is shown; bound, "
            "nothing shown: the same bound where nothing is; both with 16 draws an item"
        )
    if any(one == "thinned" for one in given):
        parts.append("thinned: the same test items, half of their modalities missing")
    views.source(*parts, "all, pairs, singles: the modalities that the encoder is shown")


def made(reports: dict[Path, Report]) -> None:
    """How each experiment was run, and its table to take home."""
    st.subheader("How this was made", anchor=False)
    for path, report in reports.items():
        quick = " --quick --out FOLDER" if report.quick else ""
        views.source(
            f"<b>{escape(report.experiment)}</b>: {report.models} models, seeds "
            f"{_seeds(report)}; a seed draws the world, the starting weights and the batches",
            f"{report.seconds / 3600:.1f} hours of training on {escape(report.hardware)}, "
            f"{report.threads} thread a model, finished {escape(report.finished)}",
            f"<code>python -m mmvae_core experiment {escape(report.experiment)}{quick}</code>",
            "diverged: " + (escape("; ".join(report.diverged)) or "none"),
        )
        table = read_table(path)
        if table is not None:
            st.download_button(
                messages.literal(f"Table of {report.experiment} as CSV"),
                table,
                mime="text/csv",
                file_name=path.with_suffix(".csv").name,
                on_click="ignore",
                key=f"table {path.stem}",
            )


def _origin(report: Report) -> tuple[str, str]:
    return f"seeds {_seeds(report)}", f"experiment {escape(report.experiment)}"


def _seeds(report: Report) -> str:
    return ", ".join(str(seed) for seed in report.seeds)
