"""What a made world was drawn from, so that learned models can be measured against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmvae_core.config import RunConfig
from mmvae_core.data.worlds.vectors import Clusters, Mixing
from mmvae_core.networks.mixing import MixingNetwork


@dataclass(frozen=True)
class Truth:
    """z ~ sum_k N(centres_k, spreads_k^2) / K, x_s ~ N(f_s(z), noise^2 I), all in float64.

    A modality `label`, where there is one, is the number of the cluster.
    """

    centres: Tensor
    spreads: Tensor
    maps: Mapping[str, MixingNetwork]
    noise: float
    label: str | None = None


def truth_of(
    config: RunConfig,
    clusters: Clusters,
    mixings: Sequence[Mixing],
    noise: float,
    label: str | None = None,
) -> Truth:
    """The truth of clusters and of one map for each of the first modalities."""
    maps = {
        one.name: MixingNetwork(one.shape, 1, clusters.centres.shape[1])
        .double()
        .adopt(mixing.weights, mixing.shifts, mixing.slope)
        for one, mixing in zip(config.modalities, mixings, strict=False)
    }
    return Truth(
        torch.from_numpy(clusters.centres), torch.from_numpy(clusters.spreads), maps, noise, label
    )
