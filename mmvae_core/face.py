"""What a researcher asks of a run, with values as people have them; `import mmvae_core as mm`.

What is given are single items by their modality's name: pictures as bytes of 0 to 255 or floats of
0 to 1 [channel, height, width], texts, all else as numbers of the modality's shape. An item of a
study, `find_study(run).samples().item(0)`, is of this form. Whatever is not there raises UsageError,
values that do not fit DataError, damaged files RunError; all are `MMVAEError`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmvae_core.config import RunConfig
from mmvae_core.errors import DataError
from mmvae_core.evaluation.all_subsets import change, no_progress
from mmvae_core.evaluation.live_likelihood import live_likelihood
from mmvae_core.evaluation.report import evaluate_run, save_evaluation
from mmvae_core.explore import inference
from mmvae_core.explore.generation import check_names, posterior_given
from mmvae_core.explore.lattice import Lattice, make_lattice, masks_near
from mmvae_core.explore.values import Value, to_people, to_stored
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.sources import build_source
from mmvae_core.store.history import EpochReport
from mmvae_core.store.records import RunReport
from mmvae_core.store.run import TRAINED, Run
from mmvae_core.store.study import find_study
from mmvae_core.training.runs import train_run

Given = Mapping[str, Any]
NOTHING: Given = MappingProxyType({})


class Nats(NamedTuple):
    """An estimate in nats and its standard error."""

    value: float
    error: float


def generate(
    run: Run,
    given: Given = NOTHING,
    samples: int = 16,
    seed: int = 0,
    temperature: float = 1.0,
    prior: str = TRAINED,
) -> dict[str, Value]:
    """E[x_s | z] of every modality s at `samples` draws z ~ q(z | given), by name.

    Pictures are bytes [sample, channel, height, width], texts a list with the likeliest symbols, all
    else floats [sample, ...]. Nothing given means draws of the prior: the `trained` one, or
    `mixture` or `flow` where `fit-prior` has fitted them. The temperature t scales draws around the
    posterior's mean m: m + t (z - m). Equal seeds give equal values.

    >>> import mmvae_core as mm
    >>> run = mm.find_run("digits/sum_pooling-masked")
    >>> item = mm.find_study(run).samples().item(3)
    >>> mm.generate(run, {"handwriting": item["handwriting"]}, samples=2)["word"]
    [' zero   ', '  zero  ']
    >>> mm.generate(run, {"word": "seven"}, samples=4)["photo"].shape
    (4, 3, 32, 32)
    """
    model = _model(run)
    drawn_from = inference.prior_of(run, model, prior)
    items = _stored(run, given)
    generated = inference.generate(model, items, samples, seed, temperature, drawn_from)
    return _to_people(run, generated.at_draws)


def posterior(run: Run, given: Given = NOTHING) -> Posterior:
    """q(z | given), of nothing p(z): a torch distribution over latents, batch shape [].

    It has `mean` and `stddev` [latent], `log_prob(z)` in nats and `rsample(shape, generator=...)`.

    >>> import mmvae_core as mm
    >>> run = mm.find_run("digits/sum_pooling-masked")
    >>> mm.posterior(run, {"word": "seven"}).mean.shape
    torch.Size([24])
    """
    model, items = _model(run), _tensors(run, given)
    if not items:
        return model.prior().detached()
    with torch.no_grad():
        return change(posterior_given(model, items), lambda value: value[0])


def log_likelihood(run: Run, given: Given, samples: int = 512, seed: int = 0) -> Nats:
    """log p(x_S) of what is given, S its modalities, in nats with a standard error; of nothing 0.

    The importance-weighted lower bound log (1/L) sum_l p(x_S | z_l) p(z_l) / q(z_l | x_S) over
    `samples` draws z_l ~ q(z | x_S), never weighted. Source: Burda, Grosse, Salakhutdinov,
    "Importance Weighted Autoencoders", 2016, https://arxiv.org/abs/1509.00519

    >>> import mmvae_core as mm
    >>> run = mm.find_run("digits/sum_pooling-masked")
    >>> seven, nonsense = (mm.log_likelihood(run, {"word": one}) for one in ("seven", "xqzxqz"))
    >>> seven.value > nonsense.value + 10
    True
    """
    estimate = live_likelihood(_model(run), _tensors(run, given), samples, seed)
    return Nats(float(estimate.value), 0.0 if estimate.error is None else float(estimate.error))


def lattice(run: Run, item: Given, draws: int = 8, seed: int = 0) -> Lattice:
    """All subsets of one item: rate, width, generations, what each further modality adds, shares.

    What `item` lacks is shown to no node, and `lacks` names it. Of more than five modalities only the full set and those
    that lack one are there, and no shares. Values are arrays by [node] as `masks` has them, rates
    and gains in nats, generations E[x | z] as the model gives them.

    >>> import mmvae_core as mm
    >>> run = mm.find_run("digits/sum_pooling-masked")
    >>> lattice = mm.lattice(run, mm.find_study(run).samples().item(3))
    >>> [int(rate) for rate in lattice.rate.value[1:4]]  # of each modality alone
    [9, 47, 5]
    """
    model = _model(run)
    if not item:
        raise DataError("The item has no modality; give at least one of the run's.")
    items, masks = _stored(run, item), np.array(masks_near((True,) * len(model.names)))
    return make_lattice(model, items, masks, draws, seed)


def train(
    config: RunConfig,
    folder: Path | str,
    data: Path | None = None,
    device: str = "auto",
    each_epoch: Callable[[EpochReport], None] = lambda report: None,
    each_step: Callable[[int, int], None] = lambda done, total: None,
) -> Run:
    """Train a model into a run's folder; goes on where an interrupted call stopped.

    `data` is the folder of downloaded data (default: the user's cache), `device` auto, cpu or cuda.
    After every pass `each_epoch` gets its report, whose bounds are in nats per item.
    """
    source = build_source(config, data)
    return train_run(config, Path(folder), source, device, each_epoch, each_step)


def evaluate(
    run: Run,
    seed: int = 0,
    save: bool = False,
    each: Callable[[str, float], None] = no_progress,
) -> RunReport:
    """Measure a run on the fixed test items of its study: likelihoods, rates, coherence.

    Figures are in nats per item, shares have 95 % Wilson intervals. `save` writes `report.json` and
    `latents.npz` into the run's folder, which the app needs. Equal seeds give equal reports.
    """
    report, latents = evaluate_run(run, find_study(run), seed, each)
    if save:
        return save_evaluation(run, report, latents)
    return report


def _model(run: Run) -> MultimodalVAE:
    """The run's model, read anew only when its weights have changed."""
    return _read(run, run.weights.stat().st_mtime_ns if run.weights.is_file() else 0)


@lru_cache(maxsize=4)
def _read(run: Run, age: int) -> MultimodalVAE:
    return run.model()


def _tensors(run: Run, given: Given) -> dict[str, Tensor]:
    """What is given as the model takes it; errors for what it does not take."""
    return inference.tensors(_model(run), _stored(run, given))


def _stored(run: Run, given: Given) -> dict[str, np.ndarray]:
    """What is given as a study stores it; errors for other names and values."""
    check_names(run.config.names, given)
    kinds = find_study(run).kinds(run.config)
    return {name: to_stored(given[name], kind) for name, kind in kinds.items() if name in given}


def _to_people(run: Run, means: Mapping[str, np.ndarray]) -> dict[str, Value]:
    kinds = find_study(run).kinds(run.config)
    return {name: to_people(means[name], kind) for name, kind in kinds.items()}
