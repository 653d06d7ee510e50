"""Whether a training still gets better on held-out items, and the weights of its best pass."""

import math
from dataclasses import dataclass, field

from torch import Tensor, nn


@dataclass
class Watch:
    """The best validation bound so far; with a patience of 0 nothing is watched or kept."""

    patience: int
    bound: float = -math.inf
    epoch: int = 0
    """The pass of the best bound, counted from 1; 0 before any."""
    weights: dict[str, Tensor] = field(default_factory=dict)

    def see(self, bound: float, epoch: int, model: nn.Module) -> None:
        """A pass has ended with this bound on held-out items, in weighted nats."""
        if self.patience and bound > self.bound:
            self.bound, self.epoch = bound, epoch
            weights = model.state_dict().items()
            self.weights = {name: value.detach().cpu().clone() for name, value in weights}

    def is_over(self, done: int) -> bool:
        """Whether patience has run out after so many passes."""
        return self.patience > 0 and self.epoch > 0 and done - self.epoch >= self.patience

    def settle(self, model: nn.Module) -> None:
        """Give the model its best weights, where they were kept."""
        if self.weights:
            model.load_state_dict(self.weights)
