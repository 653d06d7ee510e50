"""Generate what is missing: from a test item, from the visitor's own input, or from nothing."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.generate import control_views, generate_views, landing_views, panels  # noqa: E402
from ui.shared import views  # noqa: E402
from ui.shell import answers, state  # noqa: E402

here, live = state.here(), st.container()
given, truth = control_views.pick_given(here)
known, results = panels.gather_known(here, given), st.container()
ways = control_views.pick_ways(here)
prior = None if given else control_views.pick_prior(here)

generated = answers.generated(here.run, given, ways.count, here.seed, ways.temperature, prior)
with results:
    if prior is not None:
        generate_views.prior_note(here, prior)
    elif len(given) == len(here.names):
        st.info("Everything is given, so nothing is missing: these are reconstructions.")
    panels.what_the_model_sees(here, given, known)
    wanted = panels.generations(here, generated, given, ways, truth, known)
views.source(
    "E[x | z] at the mean of z"
    if ways.mean
    else f"E[x | z] at {ways.count} draws of z, temperature {ways.temperature:g}",
    f"seed {here.seed}",
    views.judges_source(here.study),
    views.run_mark(here.run),
)
generate_views.posterior_facts(here, generated, given)
if truth is None:
    generate_views.misread(here, generated, given)
generate_views.downloads(here, generated, given, ways, wanted)

if given and here.run.is_evaluated:
    st.subheader("Where it lands", anchor=False)
    landing_views.landed(here, generated, tuple(given))

with live:
    panels.live(here, given, ways, known)
