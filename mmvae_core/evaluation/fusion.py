"""What each part contributes inside an aggregator: one share a part, by the aggregator's formula.

Each aggregator says itself what its parts are (`Aggregator.inside`). Shares of one item sum to 1;
of a sum of vectors that is zero all are zero. With private latents all this is of the shared ones.
"""

import torch
from torch import Tensor

from mmvae_core.aggregators.base import Inside
from mmvae_core.model import MultimodalVAE


@torch.no_grad()
def inside(model: MultimodalVAE, features: Tensor, subset: Tensor) -> Inside | None:
    """The parts of the fusion of features [batch, modality, feature]; None where none arise."""
    return model.aggregator.inside(features, subset, model.prior(), model.names)
