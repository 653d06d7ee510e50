"""Generate what is missing: from a test item, from the visitor's own input, or from nothing."""

import streamlit as st

from ui import frame

frame.enter()

from ui import generate_views, loading, state, views  # noqa: E402

DRAWS = 16

here = state.here()
given, truth = generate_views.pick_given(here)
generate_views.what_the_model_sees(here, given)

made = loading.generated(here.run, given, DRAWS, here.seed)
missing = [one for one in here.run.config.modalities if one.name not in given]
if not given:
    st.info("Nothing is given: these are draws from the prior p(z).")
elif not missing:
    st.info("Everything is given, so nothing is missing: these are reconstructions.")
generate_views.posterior_facts(here, made, given)

wanted = missing or list(here.run.config.modalities)
for column, modality in zip(st.columns(len(wanted), gap="large"), wanted, strict=True):
    with column:
        views.modality_panel(here, modality, None, made, modality.name in given, truth)
views.source(f"E[x | z] at {DRAWS} draws of z", f"seed {here.seed}",
             "judges trained on real data only", views.run_mark(here.run))
generate_views.download(here, made, wanted)
