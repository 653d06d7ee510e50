"""Outputs that pages share: items, generations with their verdicts, numbers with their sources."""

import time
import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.intervals import wilson
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.store.records import RunReport
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.draw import room
from ui.draw.marks import class_html, class_name
from ui.draw.tables import spelt_text
from ui.kinds.view import View
from ui.kinds.views import view_of
from ui.shell import answers, loading, messages, state
from ui.shell.state import Here

if TYPE_CHECKING:
    from mmvae_core.explore.inference import Generated, Verdict
    from mmvae_core.explore.lattice import Node

MOST_ITEMS = 48
TILE_COLUMNS = 4
LARGE, SMALL = 132, 104
WORDS = ("shown, reconstructed", "not shown, generated")
"""What is said of what a model makes of a modality that it is shown, and of one that it is not."""
PAINT_SECONDS = 0.12


def look(study: Study, modality: ModalityConfig) -> View:
    """How a modality's values look, with the study's alphabet."""
    kind = kind_of(modality, study.about.signs.get(modality.name))
    return view_of(kind, loading.samples(study).units.get(modality.name))


def classes_of(study: Study) -> list[str]:
    """The names of the classes."""
    return list(study.about.classes)


def for_room(figure: Any) -> Any:
    """The figure as the view wants it: larger in a lecture room."""
    return room.enlarged(figure) if state.is_plain() else figure


def paint_first() -> None:
    """Let the browser paint what it was sent before it is sent what takes it long to draw."""
    time.sleep(PAINT_SECONDS)


def stamp(
    here: Here, count: int, temperature: float = 1.0, drawn: Mapping[str, str] | None = None
) -> str:
    """What pictures on a page are of, in short: mask, seed, draws, temperature, drawings.

    Run and item apart. The component `live_pictures` writes the same.
    """
    drawings = zlib.adler32(",".join((drawn or {}).values()).encode())
    return f"{here.code} {here.seed} {count} {temperature:g} {drawings}"


def source(*parts: str) -> None:
    """How what stands above was computed, to be unfolded; empty parts are left out."""
    text = " · ".join(part for part in parts if part).replace(" %", "\u00a0%")
    messages.fold("How this was computed", f'<p class="source">{text}</p>')


def judges_source(study: Study) -> str:
    """Who judges, where somebody does."""
    cards = {
        name: card for name, card in study.judge_cards.items() if card.test_accuracy is not None
    }
    if not study.judge_cards:
        return ""
    right = ", ".join(
        f"{100 * (card.test_accuracy or 0):.1f} % of {name}" for name, card in cards.items()
    )
    known = f", right on {right} of the test items" if right else ""
    return escape(
        f"judges trained on training items alone{known}; 95 % Wilson intervals in brackets"
    )


def run_mark(run: Run) -> str:
    """A run's hash, for a source line."""
    return f"run {escape(run.folder.name)} <code>{loading.run_hash(run)}</code>"


def facts(entries: Sequence[tuple[str, str, str]]) -> None:
    """Large numbers: (what, value, remark)."""
    messages.html(
        '<dl class="facts">'
        + "".join(
            f"<div><dt>{escape(what)}</dt>"
            f"<dd>{escape(value)} <small>{escape(remark)}</small></dd></div>"
            for what, value, remark in entries
        )
        + "</dl>"
    )


def item_picture(
    study: Study, modality: ModalityConfig, values: np.ndarray, alt: str, widest: int = LARGE
) -> str:
    """One stored or generated value of a modality as HTML."""
    return look(study, modality).html(values[None], 1, alt, widest=widest)


def modality_panel(
    here: Here,
    modality: ModalityConfig,
    stored: np.ndarray | None,
    generated: "Generated | Node",
    given: bool,
    truth: int | None = None,
) -> None:
    """One modality: the item's own, what the model makes of it, and what the judge says."""
    name = modality.name
    verdict = answers.verdict(here.study, modality, generated.at_draws[name])
    draws = generated.at_draws[name]
    said = verdict_text(verdict, here.study, truth)
    alt = f"{len(draws)} {'reconstructions' if given else 'generations'} of {name}. {said}"
    messages.html(
        f'<div class="panel" data-made="{escape(name)}" data-stamp="{stamp(here, len(draws))}">'
        f"<h3>{escape(name)} {badge(given)}</h3>"
        '<div class="pair">'
        + (
            _figure(
                item_picture(here.study, modality, stored, f"{name} of the item", SMALL),
                "the item's own",
            )
            if stored is not None
            else ""
        )
        + _figure(
            item_picture(
                here.study, modality, generated.at_mean[name], f"{name} at the mean of z", SMALL
            ),
            "at the mean of z",
        )
        + "</div>"
        + look(here.study, modality).html(
            draws, TILE_COLUMNS, alt, None if verdict is None else verdict.spelt
        )
        + f'<p class="source">{len(draws)} draws of z. {escape(said)}</p></div>'
    )


def badge(given: bool, words: tuple[str, str] = WORDS) -> str:
    """Whether the model was given the modality."""
    return (
        f'<span class="badge">{words[0]}</span>'
        if given
        else f'<span class="badge made">{words[1]}</span>'
    )


def verdict_text(verdict: "Verdict | None", study: Study, truth: int | None = None) -> str:
    """How many are judged as the true class, or as the most frequent one if there is no truth.

    In brackets the 95 % Wilson interval, as `judges_source` says.

    Nothing of a study in which nothing is judged.
    """
    if verdict is None:
        return "There is no judge for this modality." if study.judge_cards else ""
    classes, count = classes_of(study), len(verdict.labels)
    tally = Counter(verdict.labels.tolist())
    wanted = tally.most_common(1)[0][0] if truth is None else truth
    low, high = wilson(tally[wanted], count)
    name = class_name(wanted, classes)
    text = f"{tally[wanted]} of {count} judged {name} ({low:.2f} to {high:.2f})"
    rest = [
        f"{class_name(label, classes)} {hit}"
        for label, hit in tally.most_common()
        if label != wanted
    ]
    text += f"; else {', '.join(rest[:4])}{' …' if len(rest) > 4 else ''}" if rest else ""
    if verdict.spelt is not None:
        text += f"; spelt {int(verdict.spelt.sum())} of {count}"
    return text + "."


def items_grid(
    study: Study,
    modalities: Sequence[ModalityConfig],
    ids: Sequence[int],
    present: int | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Items with all their modalities, as one block; they answer if `touch.items_answer` runs."""
    data, classes = loading.samples(study), classes_of(study)
    looks, cells = [look(study, one) for one in modalities if one.name in data.data], []
    for index, item in enumerate(ids[:MOST_ITEMS]):
        label = int(data.labels[item])
        parts = [
            one.small(data.data[one.name][item], f"{one.name} of item {item}")
            if data.has(one.name)[item]
            else f'<small class="absent">no {escape(one.name)}</small>'
            for one in looks
        ]
        pictures, words = (
            "".join(part for part, one in zip(parts, looks, strict=True) if one.is_text == text)
            for text in (False, True)
        )
        note = f"<small>{escape(notes[index])}</small>" if notes else ""
        cells.append(
            f'<div class="item" data-item="{item}" role="button" tabindex="0" '
            f'aria-pressed="{str(item == present).lower()}" aria-label="item {item}, '
            f'{escape(class_name(label, classes))}"><p>{class_html(label, classes)}'
            f'<small>{escape(item_name(study, item))}</small></p><div class="pictures">{pictures}</div>{words}{note}'
            "</div>"
        )
    messages.html(f'<div class="item-grid">{"".join(cells)}</div>')


def selection_summary(study: Study, ids: Sequence[int], rates: np.ndarray | None) -> None:
    """How many items of which classes, and how much the model says about them, if that is known."""
    labels, classes = loading.samples(study).labels[list(ids)], classes_of(study)
    tally = Counter(labels.tolist()).most_common()
    counts = "".join(f"{class_html(label, classes)}{count} &emsp;" for label, count in tally)
    messages.html(f'<p class="plain">{counts}</p>')
    mean = [] if rates is None else [("Mean rate", f"{float(rates[list(ids)].mean()):.1f}", "nats")]
    chosen = ("Items chosen", str(len(ids)), f"of {len(loading.samples(study))}")
    facts([chosen, ("Classes among them", str(len(tally)), ""), *mean])


def _figure(body: str, caption: str) -> str:
    return f"<figure>{body}<figcaption>{escape(caption)}</figcaption></figure>"


def label_of(here: Here) -> int:
    """The class of the item at hand."""
    return int(loading.samples(here.study).labels[here.item])


def truth_of(here: Here, given: Collection[str]) -> int | None:
    """The class that generations should have; none where nothing is given, or it is not known."""
    return label_of(here) if given and label_of(here) >= 0 else None


def item_name(study: Study, item: int) -> str:
    """An item's number, and its name in the data it comes from."""
    ids = loading.samples(study).ids
    return f"item {item}" + (f", {ids[item]}" if ids else "")


def item_title(study: Study, item: int) -> str:
    """The same where it begins a line, escaped."""
    name = item_name(study, item)
    return escape(name[:1].upper() + name[1:])


def partners(here: Here, count: int) -> list[int]:
    """Other items than the one at hand, each the first of a class of its own as far as that goes.

    Where there are too few classes the next items follow, and the item itself where it is alone.
    """
    labels, own = loading.samples(here.study).labels, label_of(here)
    _, first = np.unique(labels, return_index=True)
    others = [int(one) for one in sorted(first) if labels[one] != own]
    rest = [one for one in range(len(labels)) if one not in (here.item, *others)]
    return ([*others, *rest[:count]] or [here.item])[:count]


def rate_source(run: Run, subset: str) -> str:
    """Whether a run's rates of a subset are exact or estimates."""
    report = loading.report(run)
    if report is None or report.rate[subset].exact:
        return "exact"
    return f"estimate, {report.rate_samples} draws, seed {report.seed}"


def coherence_facts(
    report: RunReport | None, subset: str, names: Sequence[str]
) -> list[tuple[str, str, str]]:
    """How often each modality comes out right from a subset, over all test items."""
    shares = {} if report is None else report.coherence.get(subset, {})
    return [
        (
            f"Right {name}, all items",
            f"{shares[name].share:.2f}",
            f"{shares[name].low:.2f} to {shares[name].high:.2f}{spelt_text(shares[name])}",
        )
        for name in names
        if name in shares
    ]
