"""Two items in conflict: which, what each gives, what comes out, and how it is over all items."""

from html import escape

import numpy as np
import streamlit as st

from mmvae_core.config import ModalityConfig
from mmvae_core.intervals import Z, wilson
from mmvae_core.store.records import Clash, Winners
from mmvae_core.store.run import Run
from ui.draw import tables
from ui.draw.marks import class_html
from ui.shared import views
from ui.shell import answers, loading, messages, state, widgets
from ui.shell.state import Here

RIVAL, PART = "rival", "from_rival"
Given = dict[str, np.ndarray]


def pick_rival(here: Here) -> int:
    """The item that gives the other side; at first one of another class."""
    labels = loading.samples(here.study).labels
    top = len(labels) - 1
    others = np.flatnonzero(labels != labels[here.item]).tolist() or list(range(top + 1))
    (first,) = views.partners(here, 1)
    state.offer(RIVAL, range(top + 1), first, here.study.name, expected=f"a number from 0 to {top}")
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        rival = st.number_input(
            f"The rival: an item (0 to {top})",
            0,
            top,
            first,
            key=RIVAL,
            bind="query-params",
        )
    with right:
        st.button(
            "Another rival",
            on_click=state.choose_other,
            args=(RIVAL, others),
            width="stretch",
            help="A random item of another class",
        )
    return int(rival)


def pick_part(here: Here, rival: int) -> tuple[str, ...]:
    """Which modalities the rival, if it has them, gives in place of the item; at first the last."""
    names = list(here.names)
    state.offer(PART, names, names[-1:], here.study.name, empty=True)
    kept = st.pills(
        "Taken from the rival",
        names,
        selection_mode="multi",
        default=names[-1:],
        key=PART,
        bind="query-params",
    )
    lacks = loading.lacks(here.study, here.run, rival)
    return tuple(name for name in names if name in kept and name not in lacks)


def both_sides(here: Here, rival: int, part: tuple[str, ...]) -> None:
    """What the model sees, each side under its item's class."""
    mine = tuple(name for name in here.shown if name not in part)
    blocks = "".join(
        _side(here, item, names, title)
        for item, names, title in ((here.item, mine, "A, this item"), (rival, part, "B, the rival"))
    )
    messages.html(f'<div class="sides">{blocks}</div>')


def _side(here: Here, item: int, names: tuple[str, ...], title: str) -> str:
    values = loading.item_values(here.study, item, names)
    figures = "".join(
        f"<figure>{_picture(here, one, values[one.name], f'{one.name} of item {item}')}"
        f"<figcaption>{escape(one.name)}</figcaption></figure>"
        for one in here.run.config.modalities
        if one.name in names
    )
    label = int(loading.samples(here.study).labels[item])
    name = class_html(label, views.classes_of(here.study))
    return (
        f'<div class="panel"><h3>{title} <small>{escape(views.item_name(here.study, item))}, {name}</small></h3>'
        f'<div class="pair">{figures}</div></div>'
    )


def _picture(here: Here, modality: ModalityConfig, values: np.ndarray, alt: str) -> str:
    return views.item_picture(here.study, modality, values, alt, 96)


def outcome(
    here: Here, modality: ModalityConfig, values: np.ndarray, rival: int, is_given: bool
) -> None:
    """Generations of one modality, and as whose class they are judged."""
    labels = loading.samples(here.study).labels
    verdict = answers.verdict(here.study, modality, values)
    said = views.verdict_text(None, here.study)
    if verdict is not None and min(labels[here.item], labels[rival]) >= 0:
        said = judged(verdict.labels, int(labels[here.item]), int(labels[rival]))
    body = views.look(here.study, modality).html(
        values,
        4,
        f"{len(values)} draws of {modality.name}. {said}",
        None if verdict is None else verdict.spelt,
    )
    badge = views.badge(is_given)
    messages.html(
        f'<div class="panel"><h3>{escape(modality.name)} {badge}</h3>{body}'
        f'<p class="source">{said}</p></div>'
    )


def judged(named: np.ndarray, mine: int, yours: int) -> str:
    """How many are judged as A, as B, as neither, with Wilson intervals."""
    count, a = len(named), int((named == mine).sum())
    b = int((named == yours).sum()) if yours != mine else 0
    told = {"as A": a, "as B": b, "as neither": count - a - b}
    return (
        "Judged "
        + ", ".join(
            f"{what} {hits} of {count} ({low:.2f} to {high:.2f})"
            for what, hits in told.items()
            for low, high in [wilson(hits, count)]
        )
        + "."
    )


def measured(run: Run, mine: tuple[str, ...], yours: tuple[str, ...]) -> tuple[Clash, bool] | None:
    """What the report has on these sides, and whether A stands second in it."""
    report = loading.report(run)
    clashes = {} if report is None or report.conflict is None else report.conflict.given
    one, other = "+".join(mine), "+".join(yours)
    for key, mirrored in ((f"{one} vs {other}", False), (f"{other} vs {one}", True)):
        if key in clashes:
            return clashes[key], mirrored
    return None


def place(here: Here, score: float, error: float | None, on_file: Clash | None) -> None:
    """The score at hand among those of matched and of swapped test items."""
    said = "exact" if error is None else f"± {Z * error:.1f}, estimate"
    facts = [("Conflict score of this pair", tables.nats(score), f"nats, {said}")]
    if on_file is None:
        views.facts(facts)
        return
    bands = {"one item": on_file.matched, "two classes": on_file.swapped}
    facts += [
        (
            f"Median, both sides from {name}",
            tables.nats(five[2]),
            f"5 to 95 %: {five[0]:,.1f} to {five[4]:,.1f}",
        )
        for name, five in bands.items()
    ]
    views.facts(facts)
    from ui.draw import fusion_plots

    figure = fusion_plots.score_bands(
        bands, score, ("conflict score, nats", f"this pair {tables.nats(score)}"), state.is_dark()
    )
    alt = f"Conflict score of this pair {tables.nats(score)} nats; " + "; ".join(
        f"both sides from {name}: median {five[2]:.1f}, 5 to 95 % {five[0]:.1f} to {five[4]:.1f}"
        for name, five in bands.items()
    )
    st.plotly_chart(
        views.for_room(figure), theme=None, key="bands", alt=alt, config={"displayModeBar": False}
    )


def over_all(here: Here, mine: tuple[str, ...], yours: tuple[str, ...]) -> None:
    """For each run of the study: the score's AUROC, and who wins, per judged modality."""
    runs = [run for run in loading.runs(here.study).values() if widgets.comparable(run, here.run)]
    clashes = {run.folder.name: measured(run, mine, yours) for run in runs}
    known = {name: one for name, one in clashes.items() if one}
    if not known:
        st.info(
            "These two sides have not been measured; reports have each two single modalities, "
            "and each split of all modalities in two."
        )
        return
    targets = [name for name in here.names if any(name in one.won for one, _ in known.values())]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in targets)
    body = "".join(
        _row(loading.title(run), *known[run.folder.name], targets, run == here.run)
        for run in runs
        if run.folder.name in known
    )
    messages.html(
        '<div class="scroll" tabindex="0" role="region" aria-label="Conflict by run">'
        '<table class="numbers"><thead><tr><th scope="col">run</th><th scope="col">AUROC of '
        f"the score</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    report = loading.report(here.run)
    views.source(
        "test items, each with one rival of another class"
        if report is None
        else f"{report.items} test items, each with one rival of another class, seed {report.seed}",
        "AUROC: chance that swapped sides score higher than matched ones, 95 % (DeLong, paired)",
        *(
            [
                "judged as A's class, as B's, as neither: share of items, one draw each, 95 % Wilson "
                "interval"
            ]
            if targets
            else []
        ),
    )
    views.source(*(views.run_mark(run) for run in runs if run.folder.name in known))


def _row(name: str, one: Clash, mirrored: bool, targets: list[str], lit: bool) -> str:
    auroc = one.auroc
    cells = "".join(f"<td>{_split(one.won.get(target), mirrored)}</td>" for target in targets)
    return (
        f'<tr{" class=lit" if lit else ""}><th scope="row">{escape(name)}</th>'
        f"<td>{auroc.value:.3f} <small>{auroc.low:.3f}&ndash;{auroc.high:.3f}"
        f"</small></td>{cells}</tr>"
    )


def _split(won: Winners | None, mirrored: bool) -> str:
    """One bar in three parts, with its numbers below."""
    if won is None:
        return "n/a"
    sides = (won.second, won.first) if mirrored else (won.first, won.second)
    sides = (*sides, won.neither)
    bar = "".join(
        f'<b class="{css}" style="width:{100 * side.share:.1f}%"></b>'
        for css, side in zip(("a", "b", "c"), sides, strict=True)
    )
    numbers = " ".join(
        f"<span>{said} {side.share:.2f} <small>{side.low:.2f}&ndash;{side.high:.2f}</small></span>"
        for said, side in zip(("A", "B", "neither"), sides, strict=True)
    )
    return f'<div class="split" aria-hidden="true">{bar}</div><div class="won">{numbers}</div>'
