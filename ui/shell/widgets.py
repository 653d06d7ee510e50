"""Inputs that more than one page shares: each owns its key and gives back core values.

They are drawn by the frame (app.py), not by the pages: only there does a widget bound to the
address keep its value over a page switch.
"""

from html import escape

import numpy as np
import streamlit as st

from mmvae_core.errors import RunError
from mmvae_core.explore import finding
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.draw.marks import class_name
from ui.shell import loading, messages, state

FIRST_STUDY = "digits"
"""The study that opens by itself, where it is there."""
MAX_COMPARED, ANY = 4, "any"
RULES = ("poe", "moe", "sum_pooling", "self_attention", "mopoe")
"""Whose runs stand beside another by themselves: the paper's fixed rules, then its learned ones."""
BY_NAME, _UNKNOWN = "find_name", "_find_unknown"
DRAWS = ["8", "32", "128"]


def pick_study() -> Study:
    """The study, from those that hold runs."""
    studies = loading.studies()
    names, first = list(studies), first_study(list(studies))
    state.offer(state.STUDY, names, names[first])
    name = st.selectbox(
        "Study",
        names,
        index=first,
        key=state.STUDY,
        bind="query-params",
        on_change=state.forget_notes,
    )
    return studies[str(name)]


def pick_run(study: Study) -> Run:
    """The run, from those of the study that can be opened; why others cannot is told below it."""
    runs, faults = loading.runs(study), loading.faults(study)
    if not runs:
        raise RunError(next(iter(faults.values())))
    first = first_run(study, runs)
    state.offer(state.RUN, list(runs), list(runs)[first], study.name)
    name = st.selectbox(
        "Trained model",
        list(runs),
        index=first,
        key=state.RUN,
        bind="query-params",
        on_change=state.forget_notes,
    )
    cannot = [f"{faulty} cannot be opened. {fault}" for faulty, fault in faults.items()]
    for said in (*cannot, *loading.misnamed_folders(study)):
        st.error(messages.literal(said))
    return runs[str(name)]


def pick_item(study: Study) -> int:
    """A test item by its number."""
    count, opening = len(loading.samples(study)), study.about.opening
    first = opening.item if opening and opening.item < count else 0
    expected = f"a number from 0 to {count - 1}"
    state.settle_item(loading.samples(study).ids)
    state.offer(state.ITEM, range(count), first, study.name, expected=expected)
    item = st.number_input(
        f"Item (0 to {count - 1})",
        0,
        count - 1,
        first,
        key=state.ITEM,
        bind="query-params",
        on_change=state.forget_notes,
    )
    st.button(
        "Another item",
        on_click=state.another_item,
        args=(count,),
        width="stretch",
        help="A random other item of the test set",
    )
    return int(item)


def find_item(study: Study, run: Run) -> None:
    """Ways to an item that is worth a look, folded away: by class, by what the run makes of it."""
    labels, names = loading.samples(study).labels, list(study.about.classes)
    with st.popover("Find an item", width="stretch"):
        if ids := loading.samples(study).ids:
            st.text_input("By its own name", key=BY_NAME, on_change=_take_named, args=(ids,))
            if said := st.session_state.pop(_UNKNOWN, ""):
                st.error(messages.literal(said))
        members = {class_name(int(one), names): int(one) for one in np.unique(labels)}
        options = [ANY, *members]
        state.offer("find_class", options, ANY, study.name)
        picked = str(st.selectbox("Of class", options, key="find_class"))
        order = loading.item_order(study, run, *_pick_way(study, run))
        order = order if picked == ANY else order[labels[order] == members[picked]]
        at = np.flatnonzero(order == st.session_state.get(state.ITEM))
        following = order[(at[0] + 1) % len(order)] if len(at) else order[0]
        with st.container(horizontal=True):
            for label, item in (("First", order[0]), ("Next", following)):
                st.button(label, on_click=state.take_item, args=(int(item),), key=f"find_{label}")
        st.html(f'<p class="source">{len(order):,} items</p>')


def named_item(study: Study, item: int) -> dict[str, str]:
    """What a copied link says of the item beside its number: its name in its own data."""
    ids = loading.samples(study).ids
    return {state.OWN_NAME: ids[item]} if ids else {}


def _take_named(ids: tuple[str, ...]) -> None:
    """Go to the item of a name, or of the only name that begins so."""
    wanted = st.session_state[BY_NAME].strip()
    if not wanted:
        return
    rows = [row for row, one in enumerate(ids) if one == wanted]
    rows = rows or [row for row, one in enumerate(ids) if one.startswith(wanted)]
    if len(rows) == 1:
        state.take_item(rows[0])
        return
    several = ", ".join(ids[row] for row in rows[:4])
    st.session_state[_UNKNOWN] = (
        f"{len(rows):,} test items are called {wanted[:40]}…: {several} …; type more of the name."
        if rows
        else f"No test item is called {wanted[:40]!r}; names are as {ids[0]!r}."
    )


def _pick_way(study: Study, run: Run) -> tuple[str, Run | None]:
    """The order in which items come, and the other run that it asks of."""
    if not run.is_evaluated:
        return finding.NUMBER, None
    others = {
        name: one
        for name, one in loading.runs(study).items()
        if one.is_evaluated and one.folder != run.folder and one.config.names == run.config.names
    }
    ways = [finding.NUMBER, finding.LIKELY, finding.UNLIKELY, finding.MIXED]
    ways += [finding.MOVED] if others else []
    state.offer("find_way", ways, ways[0])
    way = str(st.selectbox("In what order", ways, key="find_way"))
    if way != finding.MOVED:
        return way, None
    state.offer("find_other", list(others), next(iter(others)), study.name)
    return way, others[str(st.selectbox("The other run", list(others), key="find_other"))]


def pick_seed() -> int:
    """The seed of all random draws on the pages."""
    state.check_link(
        state.SEED, state.is_whole(0, state.MAX_SEED), f"a whole number from 0 to {state.MAX_SEED}"
    )
    return int(
        st.number_input(
            "Seed of the draws",
            0,
            state.MAX_SEED,
            key=state.SEED,
            bind="query-params",
            on_change=state.forget_notes,
            help="The same seed gives the same noise, to every model.",
        )
    )


def pick_plain() -> bool:
    """Whether only the picture and the mask are to be seen."""
    state.check_link(state.PLAIN, state.is_among(["true", "false"]), "true or false")
    return st.toggle(
        "Plain view for teaching",
        key=state.PLAIN,
        bind="query-params",
        help="Hides all controls but the mask, or what you draw and drag.",
    )


def toggle_mask(study: Study, run: Run, page: str) -> tuple[bool, ...]:
    """The mask toggle: what the model is shown, as a page opens with until the visitor chooses."""
    names, default = list(run.config.names), opening_mask(study, run, page)
    state.offer(
        state.MASK,
        names,
        names,
        study.name,
        empty=True,
        expected="some of " + ", ".join(names) + ", or empty",
    )
    state.settle_mask(study, names, default)
    kept = st.pills(
        "Shown to the model",
        names,
        selection_mode="multi",
        default=default,
        key=state.MASK,
        bind="query-params",
        on_change=state.touch_mask,
    )
    state.write_mask(kept, default)
    return tuple(name in kept for name in names)


def cut_mask(
    run: Run, item: int, mask: tuple[bool, ...], lacks: tuple[str, ...]
) -> tuple[bool, ...]:
    """The mask without what the item does not have, which is said below the pills."""
    if lacks:
        messages.html(
            f'<p class="source">Item {item} has no {escape(" and no ".join(lacks))}: none of it '
            "can be shown.</p>"
        )
    return tuple(
        kept and name not in lacks for name, kept in zip(run.config.names, mask, strict=True)
    )


def opening_mask(study: Study, run: Run, page: str) -> list[str]:
    """What the study's opening shows on a page, where the run has it; else everything."""
    names, opening = list(run.config.names), study.about.opening
    shown = opening.shown(page) if opening else ()
    return (
        [name for name in names if name in shown] if set(shown) <= set(names) and shown else names
    )


def pick_runs(study: Study, present: Run, runs: dict[str, Run]) -> list[Run]:
    """Two to four runs with the present run's modalities and latent size, that run among them."""
    fitting = [name for name, run in runs.items() if comparable(run, present)]
    same = [
        name
        for name in fitting
        if runs[name].config.objective.name == present.config.objective.name
    ]
    others = beside(same if len(same) > 1 else fitting, runs, present)
    first = [present.folder.name, *others]
    state.offer(state.RUNS, fitting, first[:MAX_COMPARED], study.name)
    state.keep_first(state.RUNS, present.folder.name, MAX_COMPARED)
    chosen = st.multiselect(
        f"Runs side by side (2 to {MAX_COMPARED})",
        fitting,
        default=first[:MAX_COMPARED],
        max_selections=MAX_COMPARED,
        key=state.RUNS,
        bind="query-params",
    )
    return [runs[name] for name in chosen]


def beside(names: list[str], runs: dict[str, Run], present: Run) -> list[str]:
    """Beside the present run one of each other rule, in the order of `RULES`, and then the rest."""
    rule_of = {name: runs[name].config.aggregator.name for name in names}
    one_each = {rule: name for name, rule in reversed(rule_of.items())}
    one_each.pop(present.config.aggregator.name, None)
    unlike = [one_each[rule] for rule in RULES if rule in one_each]
    return [name for name in dict.fromkeys([*unlike, *names]) if name != present.folder.name]


def pick_draws() -> int:
    """How many generations are made and judged live."""
    state.offer("draws", DRAWS, DRAWS[0])
    picked = st.segmented_control(
        "Draws of each run",
        DRAWS,
        default=DRAWS[0],
        required=True,
        key="draws",
        bind="query-params",
    )
    return int(picked or DRAWS[0])


def comparable(run: Run, present: Run) -> bool:
    """Whether both have the same modalities and latent size."""
    return (
        run.config.names == present.config.names
        and run.config.latent == present.config.latent
        and run.config.private == present.config.private
    )


def first_study(names: list[str]) -> int:
    """Which study opens by itself."""
    return names.index(FIRST_STUDY) if FIRST_STUDY in names else 0


def first_run(study: Study, runs: dict[str, Run]) -> int:
    """Which run opens by itself: the study's opening, else an evaluated one."""
    names, opening = list(runs), study.about.opening
    if opening and opening.run in runs:
        return names.index(opening.run)
    ready = [name for name in names if runs[name].is_evaluated]
    wished = [name for name in ready if name == "sum_pooling-masked"]
    return names.index((wished or ready or names)[0])
