"""True and learned latents side by side, where the true ones are known and lie in a plane."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from mmvae_core.errors import MMVAEError
from mmvae_core.evaluation.identifiability import aligned, strong_mcc, weak_mcc
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.draw import result_plots
from ui.draw.marks import class_html
from ui.results.result_tables import model_name
from ui.shared import views
from ui.shell import loading, messages, state

PICTURED = 3
WISHED = ("poe-masked", "sum_pooling-masked", "sum_pooling_mixture-masked")
STILL = {"displayModeBar": False}


def latents(world: str) -> None:
    """The items' true latents beside those of up to three runs, if the world is a plane."""
    study = _study(world)
    true = None if study is None else study.truth()
    if study is None or true is None or true.shape[1] != 2:
        return
    st.subheader("True and learned latents", anchor=False)
    ready = {name: run for name, run in loading.runs(study).items() if run.is_evaluated}
    if not ready:
        st.info(
            messages.literal(
                f"No run of {study.name} has been evaluated; `python -m mmvae_core evaluate "
                f"{study.name}/RUN --save` makes what is shown here."
            )
        )
        return
    runs, is_aligned = _pick(ready)
    labels = loading.samples(study).labels.astype(int)
    messages.html(
        '<p class="plain">'
        + "".join(class_html(int(label), views.classes_of(study)) for label in np.unique(labels))
        + "</p>"
    )
    columns = iter(st.columns(PICTURED + 1))
    with next(columns):
        _picture("true", true, labels, true, "the latents that made the items", study)
    for run in runs:
        with next(columns):
            _learned(run, true, labels, is_aligned, study)
    views.source(
        f"{len(true)} test items; learned: mean of q(z | all modalities), exact for the stored run",
        "MCC on the half of these items that nothing was fitted to",
        _explained(is_aligned),
        *(views.run_mark(run) for run in runs),
    )


def _study(world: str) -> Study | None:
    try:
        return loading.studies().get(world)
    except MMVAEError:  # no study has runs
        return None


def _pick(ready: Mapping[str, Run]) -> tuple[list[Run], bool]:
    """The runs that are drawn, and whether they are aligned to the truth."""
    default = [name for name in WISHED if name in ready] or list(ready)[:PICTURED]
    state.offer("pictured", list(ready), default, empty=True)
    names = st.multiselect(
        f"Runs, of seed 0 (up to {PICTURED})",
        list(ready),
        default=default,
        max_selections=PICTURED,
        key="pictured",
        bind="query-params",
    )
    is_aligned = st.toggle(
        "Align the learned latents to the true ones", key="aligned", bind="query-params"
    )
    return [ready[name] for name in names], is_aligned


def _learned(
    run: Run, true: np.ndarray, labels: np.ndarray, is_aligned: bool, study: Study
) -> None:
    try:
        latents = loading.latents(run)
        mean = latents.mean[loading.row_of(latents, (True,) * latents.masks.shape[1])]
        strong, weak = strong_mcc(true, mean).outside, weak_mcc(true, mean).outside
        where = aligned(true, mean) if is_aligned else mean[:, :2]
    except MMVAEError as error:
        st.error(messages.literal(error))
        return
    _picture(
        model_name(run.folder.name),
        where,
        labels,
        true if is_aligned else where,
        f"MCC {strong:.2f} strong, {weak:.2f} weak",
        study,
    )


def _picture(
    name: str, where: np.ndarray, labels: np.ndarray, frame: np.ndarray, note: str, study: Study
) -> None:
    messages.html(f'<p class="plain"><b>{name}</b><br><small>{note}</small></p>')
    figure = result_plots.cloud(
        where, labels, ("latent axis 1", "latent axis 2"), frame, state.is_dark()
    )
    classes = views.classes_of(study)
    alt = f"{len(where)} latents, {name}: {note}. Centres: " + "; ".join(
        f"{classes[label] if label < len(classes) else label} "
        f"({where[labels == label, 0].mean():.1f}, {where[labels == label, 1].mean():.1f})"
        for label in np.unique(labels)
    )
    st.plotly_chart(
        views.for_room(figure), theme=None, key=f"latents {name}", alt=alt, config=STILL
    )


def _explained(is_aligned: bool) -> str:
    if is_aligned:
        return (
            "learned latents moved by the affine map of the weak MCC (CCA, fitted on the first "
            "half of the items)"
        )
    return (
        "learned latents as they are: without an alignment only the shape of the clusters can "
        "be compared, not place, order or turn"
    )
