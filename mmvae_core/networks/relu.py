"""MLPs with ReLU whose outputs end in a sigmoid: the default networks of the library MultiVae."""

import math

from torch import Tensor, nn

from mmvae_core.networks.mlp import VectorDecoder, VectorEncoder


class ReluEncoder(VectorEncoder):
    """Data, flattened, through two hidden layers: [batch, *shape] to [batch, features]."""

    def __init__(self, shape: tuple[int, ...], width: int, features: int) -> None:
        nn.Module.__init__(self)
        first, second = nn.Linear(math.prod(shape), width), nn.Linear(width, width)
        self.body = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(width, features))


class ReluDecoder(VectorDecoder):
    """One hidden layer, and outputs between 0 and 1: [n, latent] to [n, *shape]."""

    def __init__(self, shape: tuple[int, ...], width: int, latent: int) -> None:
        nn.Module.__init__(self)
        self.shape = shape
        first, last = nn.Linear(latent, width), nn.Linear(width, math.prod(shape))
        self.body = nn.Sequential(first, nn.ReLU(), last, nn.Sigmoid())

    @property
    def last(self) -> nn.Linear:
        """The layer before the sigmoid."""
        assert isinstance(self.body, nn.Sequential)
        layer = self.body[-2]
        assert isinstance(layer, nn.Linear)
        return layer

    def bias_at(self, outputs: Tensor) -> Tensor:
        """What the sigmoid makes the outputs of, kept away from 0 and 1."""
        return outputs.flatten().clamp(0.02, 0.98).logit()
