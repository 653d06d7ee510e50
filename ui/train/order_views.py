"""What is to be trained: a rule, a bound and a budget, the rest as the model at hand."""

from html import escape
from pathlib import Path

import streamlit as st

from mmvae_core.config import RunConfig
from mmvae_core.errors import MMVAEError, UsageError
from mmvae_core.training import launch
from ui.draw.names import OBJECTIVES, aggregator_name
from ui.shell import loading, messages
from ui.shell.state import Here

MOST_PASSES = 1_000
RULE, BOUND, PASSES = "train_rule", "train_bound", "train_passes"
PATIENCE, SEED, NAME, DATA = "train_patience", "train_seed", "train_name", "train_data"
_SAID = "_train_order_said"


def is_allowed() -> bool:
    """Whether this server takes orders; one that others reach does not, see `app --host`."""
    if loading.trains():
        return True
    st.info("This server is open to others, so nothing is trained from its pages.")
    return False


def order(here: Here) -> None:
    """A form that starts a training."""
    from mmvae_core.build import AGGREGATORS  # late: brings torch

    config = here.run.config
    rules, bounds = list(AGGREGATORS), list(OBJECTIVES)
    with st.form("train", border=True):
        left, right = st.columns(2)
        left.multiselect(
            "Aggregators, a training each",
            rules,
            [config.aggregator.name] if config.aggregator.name in rules else rules[:1],
            key=RULE,
            format_func=aggregator_name,
        )
        right.selectbox(
            "Objective",
            bounds,
            bounds.index(config.objective.name) if config.objective.name in bounds else 0,
            key=BOUND,
            format_func=lambda one: OBJECTIVES[one],
        )
        passes, patience, seed = st.columns(3)
        passes.number_input(
            "Passes over the data", 1, MOST_PASSES, config.training.epochs, key=PASSES
        )
        patience.number_input("Patience, in passes (0: take all)", 0, MOST_PASSES, 0, key=PATIENCE)
        seed.number_input("Seed of the training", 0, 2**31 - 1, config.training.seed, key=SEED)
        name, place = st.columns(2)
        name.text_input("Name of the run", "mine", max_chars=48, key=NAME)
        place.text_input("Folder of the data (empty: where they are)", "", max_chars=500, key=DATA)
        st.form_submit_button("Train", type="primary", on_click=_start, args=(here,))
    if said := st.session_state.pop(_SAID, ""):
        st.error(messages.literal(said))
    _about(here)


def _start(here: Here) -> None:
    """Start what the form says; why it could not is told below it."""
    chosen = st.session_state
    rules, bound = chosen[RULE], chosen[BOUND]
    changes = {
        "epochs": chosen[PASSES],
        "patience": chosen[PATIENCE],
        "seed": chosen[SEED],
        "restarts": [],
    }
    try:
        if not rules:
            raise UsageError("No aggregator was chosen; choose at least one.")
        more = _data(chosen[DATA].strip())
        wanted = [launch.like(_nearest(here, one, bound), one, bound, changes) for one in rules]
        names = [chosen[NAME] if len(rules) == 1 else f"{chosen[NAME]}-{one}" for one in rules]
        for name in names:  # all or none
            launch.new_folder(loading.own_runs(), name)
        for name, one in zip(names, wanted, strict=True):
            launch.start(one, loading.own_runs(), name, (*options(), *more))
    except MMVAEError as error:
        chosen[_SAID] = str(error)


def _data(folder: str) -> tuple[str, ...]:
    """The option that names a folder of data; UsageError where there is none."""
    if not folder:
        return ()
    if not Path(folder).is_dir():
        raise UsageError(f"There is no folder {folder[:80]!r}; name the one with the data's files.")
    return ("--data", str(Path(folder).resolve()))


def options() -> tuple[str, ...]:
    """What the command is told besides: measure the run, with this server's studies."""
    return ("--evaluate", "--threads", "1", "--checkpoints", str(loading.root()))


def _nearest(here: Here, rule: str, bound: str) -> RunConfig:
    """The configuration to begin from: of a run that has both already, else of the one at hand."""
    plain = loading.runs(here.study).get(f"{rule}-{bound}")
    return here.run.config if plain is None else plain.config


def _about(here: Here) -> None:
    messages.html(
        f'<p class="source">Networks, data and all else as in {escape(loading.title(here.run))}, '
        f"or as in the shipped run of the chosen rule and bound. As many train at once as there are "
        f"cores, others wait. Runs go into {escape(str(loading.own_runs()))}; each stands in the sidebar once it is trained.</p>"
    )
