"""Posteriors q(z | x_S) of every subset S at once, and what it takes to handle them in chunks."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.errors import DataError
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.posteriors import Batched, Diagonal, DiagonalMixture, Posterior
from mmvae_core.probability.private import PrivatePosterior
from mmvae_core.subsets import all_subsets, subset_name

ITEMS = 100
"""Items encoded at once."""

Family = Batched
Progress = Callable[[str, float], None]
"""Called with the name of a part and the fraction of it that is done."""


def no_progress(part: str, fraction: float) -> None:
    """The progress callback that does nothing."""


@torch.no_grad()
def posterior_all_subsets(
    model: MultimodalVAE, batch: Batch, masks: Tensor | None = None
) -> Family:
    """q(z | x_S) for all 2^M subsets, batch shape [subset, batch], ordered as `all_subsets`.

    Or for those of `masks` [subset, modality], where there would be too many.

    Every modality is encoded once and the aggregator is called once, on subset * batch rows. S is
    cut to what is observed. Equal to asking mask by mask.
    """
    masks = all_subsets(len(model.names)) if masks is None else masks
    masks = masks.to(batch.observed.device)
    shown = masks[:, None] & batch.observed
    features = model.encode(batch.data, batch.observed)
    rows = features.expand(len(masks), *features.shape).flatten(0, 1)
    posterior = model.posterior(rows, shown.flatten(0, 1))
    return change(posterior, lambda values: values.unflatten(0, shown.shape[:2]))


def all_posteriors(model: MultimodalVAE, batch: Batch, size: int = ITEMS) -> Family:
    """The same for any number of items, `size` at a time, so that memory stays bounded."""
    posteriors = [posterior_all_subsets(model, part) for part in parts(batch, size)]
    columns = zip(*(parameters(one) for one in posteriors), strict=True)
    return posteriors[0].rebuilt(*(torch.cat(column, 1) for column in columns))


def change(posterior: Posterior, how: Callable[[Tensor], Tensor]) -> Family:
    """The same family with `how` applied to each parameter, for instance on its batch axes."""
    return _known(posterior).rebuilt(*(how(values) for values in parameters(posterior)))


def one_subset(posterior: Posterior, index: int) -> Family:
    """q(z | x_S) of one subset, batch shape [batch], out of [subset, batch]."""
    return change(posterior, lambda values: values[index])


def alive(posterior: Posterior) -> Posterior:
    """The same distribution, and the same draws, without components that have no weight anywhere.

    Of one modality a mixture over subsets of all has but one part; the others cost as much.
    """
    if isinstance(posterior, PrivatePosterior):
        own = posterior.features, posterior.subset
        return posterior.rebuilt(*own, *parameters(alive(posterior.shared)))
    if not isinstance(posterior, DiagonalMixture):
        return posterior
    kept = (posterior.log_weights > -torch.inf).reshape(-1, posterior.loc.shape[-2]).any(0)
    if bool(kept.all()):
        return posterior
    return posterior.rebuilt(
        posterior.log_weights[..., kept], posterior.loc[..., kept, :], posterior.scale[..., kept, :]
    )


def parameters(posterior: Posterior) -> tuple[Tensor, ...]:
    """What the family's `rebuilt` takes, batch axes first."""
    return _known(posterior).parameters()


def parts(batch: Batch, size: int) -> Iterator[Batch]:
    """The batch, cut into pieces of at most `size` items."""
    for start in range(0, len(batch), size):
        yield batch.rows(slice(start, start + size))


def complete(observed: Tensor) -> Tensor:
    """Which items have all of a subset: bool [subset, item], of observed [item, modality].

    Of a subset that no item has all of, all items, each with what it has of it.
    """
    masks = all_subsets(observed.shape[-1]).to(observed.device)
    has_all = (observed | ~masks[:, None]).all(-1)
    return has_all | ~has_all.any(-1, keepdim=True)


def subset_names(names: Sequence[str]) -> list[str]:
    """What the rows of `all_subsets` are called in reports."""
    return [subset_name(mask, names) for mask in all_subsets(len(names))]


def _known(posterior: Posterior) -> Family:
    if isinstance(posterior, Diagonal | DiagonalMixture | PrivatePosterior):
        return posterior
    raise DataError(
        f"The aggregator gave a posterior of type {type(posterior).__name__}, expected a diagonal "
        "one, a mixture or one with private latents; name it in mmvae_core.evaluation.all_subsets."
    )
