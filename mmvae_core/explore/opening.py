"""What a study opens with: its most telling run, a typical item, masks. Imported late: has torch."""

from pathlib import Path

import msgspec
import numpy as np

from mmvae_core.build import about_aggregator
from mmvae_core.config import ModalityConfig
from mmvae_core.errors import RunError
from mmvae_core.evaluation.digit_judges import study_judges
from mmvae_core.explore.inference import judged_items
from mmvae_core.explore.lattice import Lattice, make_lattice, plane_of
from mmvae_core.explore.plane import Outline
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.modalities.symbols import Symbols
from mmvae_core.model import MultimodalVAE
from mmvae_core.store.opening import (
    FILE,
    MOST_MODALITIES,
    Picture,
    weights_of,
    write_picture,
)
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import Opening
from mmvae_core.store.run import Latents, Run
from mmvae_core.store.study import Study
from mmvae_core.subsets import all_subsets, subset_name

ROOMY, MANY, FEW = 3, 4, 1
"""Draws of each modality: four where there are at most three, else one."""
OTHERS = 400
"""So many other test items are dots in the plane."""


def make_opening(study: Study) -> tuple[Opening, Path | None]:
    """Choose what the study opens with and write it: into `study.json`, the picture beside it."""
    opening = choose_opening(study)
    run = Run(study.folder / opening.run)
    path = None
    if len(run.config.names) <= MOST_MODALITIES:
        path = write_picture(study, make_picture(study, run, opening.item, run.model()))
    else:
        (study.folder / FILE).unlink(missing_ok=True)
    write_record(study.folder / "study.json", msgspec.structs.replace(study.about, opening=opening))
    return opening, path


def choose_opening(study: Study) -> Opening:
    """Run, item and masks; all are shown but where a page's question needs something missing."""
    run = choose_run(study)
    return Opening(
        run=run.folder.name,
        item=choose_item(study, run),
        mask=run.config.names,
        masks=choose_masks(run),
    )


def choose_run(study: Study) -> Run:
    """The best evaluated run, of those with a learned set aggregator and the masked objective.

    If there are none, of all evaluated ones. RunError if there is none at all.
    """
    ready = [run for run in study.runs() if run.is_measured and run.is_evaluated]
    if not ready:
        raise RunError(
            f"The study {study.name} has no evaluated run; `python -m mmvae_core evaluate "
            f"{study.name}/RUN --save` evaluates one."
        )
    return max([run for run in ready if is_wished(run)] or ready, key=how_good)


def is_wished(run: Run) -> bool:
    """Whether weights fuse a set, trained with the tight bound."""
    about = about_aggregator(run.config)
    return run.config.objective.name == "masked" and not (about.fixed or about.ordered)


def how_good(run: Run) -> float:
    """Where judges judge, the mean share judged right of what was not shown; where symbols are a
    modality, the mean accuracy of a probe of the latent; else the joint log-likelihood.
    """
    report = run.report
    right = [
        share.share
        for subset, targets in report.coherence.items()
        for name, share in targets.items()
        if name not in subset.split("+")
    ]
    if right:
        return float(np.mean(right))
    if any(isinstance(kind_of(one), Symbols) for one in run.config.modalities) and report.probe:
        return float(np.mean(list(report.probe.values())))
    return report.log_likelihood.joint.mean


def choose_item(study: Study, run: Run) -> int:
    """The item of median log-likelihood among those that come out right.

    Right is what is judged as the item's class in every judged modality, made at the mean of the
    posterior of all modalities and of that of each alone; without judges every item is. Where no
    item is right in all of that, those that are right from all modalities; else all. Of these the
    ones that lack no modality, if there are any.
    """
    latents = run.latents(len(study.samples()))
    if latents.log_likelihood is None:
        raise RunError(
            f"{run.folder}/latents.npz lacks log_likelihood, as it is of an earlier version; make "
            f"it anew with `python -m mmvae_core evaluate {run.id} --save`."
        )
    right = right_items(study, run, latents)
    whole = right & study.samples().mask(run.config.names).all(1)
    return median_item(latents.log_likelihood[-1], whole if whole.any() else right)


def median_item(log_likelihood: np.ndarray, allowed: np.ndarray) -> int:
    """Of the allowed items (bool [item]) the one in the middle by log-likelihood [item]."""
    ids = np.flatnonzero(allowed)
    order = np.argsort(log_likelihood[ids], kind="stable")
    return int(ids[order[(len(ids) - 1) // 2]])


def right_items(study: Study, run: Run, latents: Latents) -> np.ndarray:
    """Which items come out right: bool [item]; see `choose_item`."""
    count, labels = len(run.config.names), study.samples().labels
    judges = {name: one for name, one in study_judges(study).items() if name in run.config.names}
    if not judges:
        return np.ones(len(labels), bool)
    model = run.model()

    def right(row: int) -> np.ndarray:
        judged = [
            judged_items(model, judge, name, latents.mean[row]) == labels
            for name, judge in judges.items()
        ]
        return np.all(judged, 0)

    from_all = right(-1)
    from_each = np.all([from_all, *(right(row) for row in range(1, count + 1))], 0)
    are_right = from_each if from_each.any() else from_all
    return are_right if are_right.any() else np.ones(len(labels), bool)


def choose_masks(run: Run) -> dict[str, tuple[str, ...]]:
    """Generate opens without the modality that tells most by itself; Masks and Compare with the one
    that tells least. How much is the mean rate of q(z | that modality alone).
    """
    names, rate = run.config.names, run.report.rate
    if len(names) < 2:
        return {}
    by_rate = sorted(names, key=lambda name: rate[name].mean)
    rest = tuple(name for name in names if name != by_rate[-1])
    return {"generate": rest} | dict.fromkeys(("masks", "compare"), (by_rate[0],))


def make_picture(study: Study, run: Run, item: int, model: MultimodalVAE) -> Picture:
    """One item under every subset, with noise of seed 0; at most `MOST_MODALITIES`."""
    samples, latents = study.samples_of(run.config), run.latents(len(study.samples()))
    plane = plane_of(model, latents.mean[-1])
    masks = all_subsets(len(model.names)).numpy()
    values = samples.item(item, model.names)
    lattice = make_lattice(
        model, values, masks, MANY if len(model.names) <= ROOMY else FEW, 0, plane
    )
    error = np.zeros(len(masks)) if lattice.rate.error is None else lattice.rate.error.numpy()
    return Picture(
        weights=weights_of(run),
        item=np.array([item]),
        masks=masks,
        rate=lattice.rate.value.numpy().astype(np.float64),
        rate_error=error.astype(np.float64),
        width=lattice.width.astype(np.float64),
        prior_width=np.array([lattice.prior_width]),
        **_lines(lattice.outlines),
        latents=plane.points(lattice.latents).astype(np.float32),
        others=plane.points(latents.mean[-1][:OTHERS]).astype(np.float32),
        other_labels=samples.labels[:OTHERS].astype(np.int32),
        draws={one.name: _stored(lattice, one) for one in run.config.modalities},
    )


def _lines(outlines: tuple[Outline, ...]) -> dict[str, np.ndarray]:
    """All nodes' lines one after the other; as segments where any has no closed one."""
    closed = all(one.outer.ndim == 2 for one in outlines)
    lines = [one.outer if closed else _segments(one.outer).reshape(-1, 2) for one in outlines]
    return {
        "lines": np.concatenate(lines).astype(np.float32),
        "points": np.array([len(one) for one in lines], np.int32),
        "closed": np.array([closed]),
    }


def _segments(line: np.ndarray) -> np.ndarray:
    """A closed line [point, 2] as segments [segment, 2, 2], which others are already."""
    return np.stack([line[:-1], line[1:]], 1) if line.ndim == 2 else line


def _stored(lattice: Lattice, modality: ModalityConfig) -> np.ndarray:
    """Draws [draw, node, ...] in the smallest form that is drawn alike."""
    values = kind_of(modality).stored(lattice.at_draws[modality.name])
    is_small = values.dtype.kind == "i" and modality.shape[-1] <= 256
    return values.astype(np.uint8) if is_small else values


def told(study: Study, opening: Opening) -> str:
    """What was chosen, in a sentence."""
    run, names = Run(study.folder / opening.run), opening.mask
    masks = {
        page: subset_name([name in shown for name in names], names)
        for page, shown in opening.masks.items()
    }
    where = "; ".join(f"{page} with {mask}" for page, mask in masks.items())
    return f"{study.name} opens on {run.id}, item {opening.item}" + (
        f"; {where}." if where else "."
    )
