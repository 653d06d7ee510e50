"""Inside the aggregator: shares of the parts, attention, the parts in detail."""

import streamlit as st

from ui.shell import frame, messages

frame.enter()

from ui.fusion import fusion_views  # noqa: E402
from ui.shared import mask_views  # noqa: E402
from ui.shell import answers, loading, state  # noqa: E402

here = state.here()
mask_views.item_head(here)

from mmvae_core.explore import insides  # noqa: E402  (torch comes after the head is drawn)

given = loading.item_values(here.study, here.item, here.shown)
model = answers.model(here.run)
about, parts = model.aggregator.about, insides.parts(model, given)
fusion_views.explain(about, parts is not None)
if parts is None:
    raise messages.PageEnd
with st.container(key="shares"):
    fusion_views.shares(here, parts, about.caveat)
if parts.attention is not None:
    st.subheader("Who looks at whom", anchor=False)
    fusion_views.attention(here, parts.attention)
fusion_views.detail(here, parts)
