"""What trained models and judges answer, kept: generations, verdicts, lattices, planes.

A model is read, and torch imported, when the first of these is asked.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.errors import RunError
from mmvae_core.store.prior_width import mixture_width
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.shell import caching, loading
from ui.shell.weights import Packed

if TYPE_CHECKING:
    from mmvae_core.evaluation.coherence import Judge
    from mmvae_core.evaluation.familiarity import Familiarity
    from mmvae_core.explore.inference import Generated, Verdict
    from mmvae_core.explore.lattice import Lattice
    from mmvae_core.explore.plane import Plane
    from mmvae_core.model import MultimodalVAE
    from mmvae_core.probability.posteriors import Posterior

LIKELIHOOD_DRAWS = 128
"""Of an item: with a few the bound is so loose that it may turn the order of two models."""


@caching.resource(show_spinner="Reading the model …", max_entries=8)
def model(run: Run) -> "MultimodalVAE":
    """The trained model."""
    return run.model()


@caching.resource(max_entries=8)
def packed(run: Run, study: Study) -> Packed | None:
    """The run for a browser that decodes; nothing of one that cannot be exported."""
    from mmvae_core.export.arrays import of_model

    try:
        export = of_model(model(run), study.kinds(run.config))
    except RunError:
        return None
    return Packed(export.address, export.packed())


@caching.data(max_entries=256)
def generated(
    run: Run,
    given: Mapping[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float = 1.0,
    prior: str | None = None,
) -> "Generated":
    """Generations of every modality from the given ones; see `inference.generate`.

    Where nothing is given they are of q(z | nothing), or of the `prior` that is named: the trained
    one or one fitted afterwards.
    """
    from mmvae_core.explore import inference

    drawn_from = None if prior is None else _prior(run, prior)
    return inference.generate(model(run), given, count, seed, temperature, drawn_from)


@caching.data(max_entries=256)
def likelihood(run: Run, given: Mapping[str, np.ndarray], seed: int) -> tuple[float, float]:
    """log p(x_S) of one item from LIKELIHOOD_DRAWS draws, and its standard error, in nats."""
    from mmvae_core.evaluation.live_likelihood import live_likelihood
    from mmvae_core.explore.inference import tensors

    estimate = live_likelihood(model(run), tensors(model(run), given), LIKELIHOOD_DRAWS, seed)
    return float(estimate.value), 0.0 if estimate.error is None else float(estimate.error)


@caching.resource(max_entries=16)
def prior_draws(run: Run, prior: str, count: int) -> np.ndarray:
    """Draws [draw, latent] of the trained prior or of one fitted afterwards, seed 0."""
    from mmvae_core.explore import inference

    return inference.prior_draws(_prior(run, prior), count)


# A grid of digits takes 8 MB; kept as it is, not copied, as nobody changes it.
@caching.resource(max_entries=16)
def decoded(run: Run, points: np.ndarray) -> dict[str, np.ndarray]:
    """E[x_s | z] [n, *shape] of every modality at latents [n, latent]."""
    from mmvae_core.explore import inference

    return inference.decoded(model(run), points)


@caching.resource(max_entries=16)
def strips(
    run: Run, mean: np.ndarray, scale: np.ndarray, steps: int, reach: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """One latent moved at a time: values [latent, step, ...] and change [latent] by modality."""
    from mmvae_core.explore import inference

    return inference.strips(model(run), mean, scale, steps, reach)


def prior_scale(run: Run) -> np.ndarray:
    """The prior's standard deviations [latent]; needs the model where it is neither 1 nor a mixture."""
    if run.config.prior.name == "standard_normal":
        return np.ones(run.config.latents, np.float32)
    return _prior_scale(run)


def familiar(run: Run, given: Mapping[str, np.ndarray]) -> "Familiarity | None":
    """How likely what is given is, among the test items whose likelihoods are stored."""
    told = loading.report(run)
    others = loading.latents(run).marginal if run.is_evaluated else None
    if told is None or others is None or not given:
        return None
    from mmvae_core.explore import inference

    mask = tuple(name in given for name in run.config.names)
    row = loading.row_of(loading.latents(run), mask)
    held = loading.samples(loading.study_of(run))
    having = np.all(held.mask(given), axis=1)[: others.shape[1]]
    if not having.any():
        return None
    return inference.familiar(model(run), given, others[row][having], told.log_likelihood.samples)


def lattice(
    run: Run,
    study: Study,
    item: int,
    mask: tuple[bool, ...],
    draws: int,
    seed: int,
    plane: "Plane | None",
) -> "Lattice":
    """All subsets of one item, or of many modalities those next to the mask; see `explore.lattice`."""
    from mmvae_core.explore.lattice import masks_near

    return _lattice(run, study, item, masks_near(mask), draws, seed, plane)


@caching.resource(max_entries=16)
def plane(run: Run) -> "Plane":
    """The plane in which a run's posteriors are drawn."""
    from mmvae_core.explore.lattice import plane_of

    return plane_of(model(run), loading.latents(run).mean[-1])


@caching.resource(show_spinner="Judging every item …", max_entries=64)
def judged_items(study: Study, run: Run, name: str, row: int) -> np.ndarray:
    """What the judge says of a modality of every item, made at the mean of q(z | the row's subset).

    Made when first asked for, and kept.
    """
    from mmvae_core.explore import inference

    means = loading.latents(run).mean[row]
    return inference.judged_items(model(run), _judges(study)[name], name, means)


def verdict(study: Study, modality: ModalityConfig, values: np.ndarray) -> "Verdict | None":
    """The judge's labels of generations, or nothing if the modality has no judge."""
    return _verdict(study, modality.name, values) if loading.is_judged(study, modality) else None


@caching.resource(max_entries=4)
def _judges(study: Study) -> "dict[str, Judge]":
    from mmvae_core.evaluation.digit_judges import study_judges

    return study_judges(study)


@caching.data(max_entries=1_024)
def _verdict(study: Study, name: str, values: np.ndarray) -> "Verdict | None":
    from mmvae_core.explore import inference

    judges = _judges(study)
    return inference.judge(judges[name], values) if name in judges else None


def _prior(run: Run, prior: str) -> "Posterior":
    from mmvae_core.explore.inference import prior_of

    return prior_of(run, model(run), prior)


@caching.resource(max_entries=16)
def _prior_scale(run: Run) -> np.ndarray:
    if (width := mixture_width(run)) is not None:
        return width
    from mmvae_core.explore import inference

    return inference.prior_scale(model(run))


@caching.resource(max_entries=24)
def _lattice(
    run: Run,
    study: Study,
    item: int,
    masks: tuple[tuple[bool, ...], ...],
    draws: int,
    seed: int,
    _plane: "Plane | None",
) -> "Lattice":
    from mmvae_core.explore.lattice import make_lattice

    values = loading.item_values(study, item, run.config.names)
    return make_lattice(model(run), values, np.array(masks), draws, seed, _plane)
