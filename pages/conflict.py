"""Some modalities of one item, the others of a rival: which side wins, and is it noticed?"""

import streamlit as st

from ui.shell import frame, messages

frame.enter()

from ui.conflict import conflict_views  # noqa: E402
from ui.shared import views  # noqa: E402
from ui.shell import answers, loading, state  # noqa: E402

DRAWS = 16

here = state.here()
rival = conflict_views.pick_rival(here)
yours = conflict_views.pick_part(here, rival)
mine = tuple(name for name in here.shown if name not in yours)
if not mine or not yours:
    st.info(
        "Both sides need a modality: show one above that is not taken from the rival, and take "
        "at least one from the rival that it has."
    )
    raise messages.PageEnd
conflict_views.both_sides(here, rival, yours)
labels = loading.samples(here.study).labels
if labels[here.item] == labels[rival] >= 0:
    st.info("Both items are of one class: this is what agreement looks like.")

from mmvae_core.explore import insides  # noqa: E402  (torch comes after both sides are drawn)

first = loading.item_values(here.study, here.item, mine)
second = loading.item_values(here.study, rival, yours)
generated = answers.generated(here.run, first | second, DRAWS, here.seed)
score, error = insides.conflict_score(answers.model(here.run), first, second, here.seed)
on_file = conflict_views.measured(here.run, mine, yours)

st.subheader("Which side wins", anchor=False)
if not here.study.judge_cards:
    messages.html(
        '<p class="plain">This study has no judges: compare by eye with the two sides above.</p>'
    )
for column, modality in zip(
    st.columns(len(here.names), gap="large"), here.run.config.modalities, strict=True
):
    with column:
        conflict_views.outcome(
            here,
            modality,
            generated.at_draws[modality.name],
            rival,
            modality.name in (*mine, *yours),
        )
views.source(
    f"E[x | z] at {DRAWS} draws of z",
    f"seed {here.seed}",
    views.judges_source(here.study),
    "95 % Wilson interval" if here.study.judge_cards else "",
    views.run_mark(here.run),
)

st.subheader("Is it noticed?", anchor=False)
conflict_views.place(here, score, error, on_file[0] if on_file else None)
messages.html(
    '<p class="plain">The score says how far the posterior of everything lies from what each '
    "side believes alone: KL(q(z | A, B) ‖ q(z | A)) + KL(q(z | A, B) ‖ q(z | B)). It is "
    "comparable between items of one model, not between models.</p>"
)
views.source(
    "estimate, 512 draws" if error is not None else "exact",
    f"seed {here.seed}",
    views.run_mark(here.run),
)

st.subheader("Over all test items, by run", anchor=False)
conflict_views.over_all(here, mine, yours)
