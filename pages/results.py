"""The paper's experiments: which rule wins where, and where its claims do not hold here."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.results import result_reasons, result_views, truth_views  # noqa: E402

reports = result_views.read()
result_views.verdicts(reports)

st.subheader("One world closely", anchor=False)
file, world = result_views.pick_world(reports)
result_views.differences(reports[file], world)
result_views.figures(reports[file], world)
result_reasons.convergence(reports[file], world)
result_reasons.reasons(reports[file], world)
truth_views.latents(world)

result_views.made(reports)
