"""Symbols at positions, such as a word: codes [batch, length] of `symbols` kinds."""

from torch import Tensor
from torch.nn import functional

from mmvae_core.networks.mlp import VectorEncoder


class SequenceEncoder(VectorEncoder):
    """One-hot codes, flattened, through an MLP: [batch, length] to [batch, features].

    Positions matter and words are short, so the first layer sees every (position, symbol).
    """

    def __init__(self, shape: tuple[int, ...], width: int, features: int) -> None:
        super().__init__(shape, width, features)
        self.symbols = shape[-1]

    def forward(self, data: Tensor) -> Tensor:
        """Features of the codes; one below zero is missing, and no symbol is there."""
        codes = data.long()
        one_hot = functional.one_hot(codes.clamp_min(0), self.symbols) * (codes >= 0)[..., None]
        return super().forward(one_hot.to(next(self.parameters()).dtype))
