"""What a server reads before it answers, so that its first visitor does not wait for it.

The modules that pages share, the runs of the study that opens by itself and its test items; no
torch. The first visit is shorter by as much as the start is longer.
"""

import importlib
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st

from mmvae_core.errors import MMVAEError
from ui.shell import loading, widgets

ROOMS = ("pandas", "ui.shell.frame", "ui.latent_space.chosen_views", "ui.shared.map_touch_views")
"""Streamlit looks for tables of pandas in whatever a component is given."""


@asynccontextmanager
async def warmed(app: st.App) -> AsyncIterator[None]:
    """As the server's lifespan: read first, then let visitors in."""
    warm()
    yield


def warm() -> None:
    """Read what every page shows first; where it is damaged, the page says so and not the server."""
    for room in ROOMS:
        importlib.import_module(room)
    inspect.stack()  # as Streamlit asks at its first element, which looks at every module's file
    with suppress(MMVAEError):
        studies = loading.studies()
        study = list(studies.values())[widgets.first_study(list(studies))]
        loading.samples(study)
        runs = loading.runs(study)
        if runs and (run := list(runs.values())[widgets.first_run(study, runs)]).is_evaluated:
            loading.latents(run)
