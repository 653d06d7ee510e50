"""Convolutional networks for small pictures [batch, channel, height, width].

The encoder halves the picture while its sides are even and above 4, doubling the channels. The
decoder goes back by the same steps but draws its last two doublings at once, from patches of
4 x 4 pixels (pixel shuffle), which on a CPU costs a third of transposed convolutions at full size.
"""

from itertools import pairwise

from torch import Tensor, nn

from mmvae_core.errors import ConfigError
from mmvae_core.networks.start import Decoder


def halvings(height: int, width: int) -> int:
    """How often both sides can be halved while they stay even and above 4."""
    steps = 0
    while min(height, width) > 4 and height % 2 == 0 and width % 2 == 0:
        height, width, steps = height // 2, width // 2, steps + 1
    if steps < 2:
        raise ConfigError(
            f"An image network needs sides that are multiples of 4 and at least 12, got "
            f'{height} x {width}; pad the pictures or use network = "mlp".'
        )
    return steps


class ImageEncoder(nn.Module):
    """Strided convolutions, then one linear layer: [batch, *shape] to [batch, features]."""

    def __init__(self, shape: tuple[int, ...], width: int, features: int) -> None:
        super().__init__()
        channels, height, side = shape
        steps = halvings(height, side)
        sizes = [channels] + [width * 2**step for step in range(steps)]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.SiLU()]
        cells = (height >> steps) * (side >> steps)
        self.body = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(sizes[-1] * cells, 2 * features), nn.SiLU()
        )
        self.out = nn.Linear(2 * features, features)

    def forward(self, data: Tensor) -> Tensor:
        """Features of the pictures."""
        return self.out(self.body(data))


class ImageDecoder(Decoder):
    """From the latent to the likelihood's outputs: [n, latent] to [n, *shape]."""

    def __init__(self, shape: tuple[int, ...], width: int, latent: int) -> None:
        super().__init__()
        channels, height, side = shape
        steps = halvings(height, side)
        inner = [width * 2**step for step in range(steps - 1, 0, -1)]
        cells = (inner[0], height >> steps, side >> steps)
        layers: list[nn.Module] = [
            nn.Linear(latent, 4 * latent),
            nn.SiLU(),
            nn.Linear(4 * latent, cells[0] * cells[1] * cells[2]),
            nn.SiLU(),
            nn.Unflatten(1, cells),
        ]
        for inputs, outputs in pairwise(inner):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.SiLU()]
        layers += [nn.Conv2d(inner[-1], 16 * channels, 3, padding=1), nn.PixelShuffle(4)]
        self.body = nn.Sequential(*layers)

    @property
    def last(self) -> nn.Conv2d:
        """The layer that gives the outputs."""
        layer = self.body[-2]
        assert isinstance(layer, nn.Conv2d)
        return layer

    def forward(self, latent: Tensor) -> Tensor:
        """Outputs for the likelihood."""
        return self.body(latent)

    def bias_at(self, outputs: Tensor) -> Tensor:
        """Each channel's mean, for all 4 x 4 pixels of a patch."""
        return outputs.mean((-2, -1)).repeat_interleave(16)
