"""Generate what is missing: from a test item, from the visitor's own input, or from nothing."""

import streamlit as st

from ui.shell import frame

frame.enter()

from ui.generate import generate_views, landing_views  # noqa: E402
from ui.shared import views  # noqa: E402
from ui.shell import loading, state  # noqa: E402

here = state.here()
given, truth = generate_views.pick_given(here)
results = st.container()
ways = generate_views.pick_ways(here)
prior = None if given else generate_views.pick_prior(here)

made = loading.generated(here.run, given, ways.count, here.seed, ways.temperature, prior)
with results:
    if prior is not None:
        generate_views.prior_note(here, prior)
    elif len(given) == len(here.names):
        st.info("Everything is given, so nothing is missing: these are reconstructions.")
    generate_views.what_the_model_sees(here, given)
    wanted = generate_views.generations(here, made, given, ways, truth)
views.source(
    "E[x | z] at the mean of z"
    if ways.mean
    else f"E[x | z] at {ways.count} draws of z, temperature {ways.temperature:g}",
    f"seed {here.seed}",
    views.judges_source(here.study),
    views.run_mark(here.run),
)
generate_views.posterior_facts(here, made, given)
generate_views.downloads(here, made, given, ways, wanted)

if given and here.run.is_evaluated:
    st.subheader("Where it lands", anchor=False)
    landing_views.landed(here, made, tuple(given))
