"""How networks start: every layer keeps, about, the variance of what it is given.

torch's own start loses about two thirds of the variance in each layer. Here a weight has the
variance 2 / fan-in, He's for layers behind an activation, and in front of the first one too: inputs
have unit variance, and so much of it, 2, is what later layers live on.
Source: He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015, arXiv 1502.01852.
"""

import torch
from torch import Tensor, nn

GAIN = 2.0
LAST_LAYER = 0.3
"""A decoder's last layer is so much smaller, so that it begins near the data's mean."""
MIN_STDDEV = 1e-6
LAYERS = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


class Standardise(nn.Module):
    """(x - mean) / scale, both of the given shape and kept with the weights."""

    mean: Tensor
    scale: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    def forward(self, data: Tensor) -> Tensor:
        """The data, centred and scaled."""
        return (data - self.mean) / self.scale

    @torch.no_grad()
    def adopt(self, mean: Tensor, stddev: Tensor) -> None:
        """Take over the data's mean and standard deviation, over the axes that are 1 here together.

        What never changes is left at the scale 1.
        """
        axes = [axis for axis, size in enumerate(self.mean.shape) if size < mean.shape[axis]]
        if axes:
            variance = stddev.square().mean(axes, True) + mean.var(axes, correction=0, keepdim=True)
            mean, stddev = mean.mean(axes, True), variance.sqrt()
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(stddev > MIN_STDDEV, stddev, 1.0))


class Decoder(nn.Module):
    """What every decoder can tell of its last layer."""

    @property
    def last(self) -> nn.Linear | nn.Conv2d:
        """The layer that gives the outputs."""
        raise NotImplementedError

    def bias_at(self, outputs: Tensor) -> Tensor:
        """The last layer's bias that gives `outputs` [*shape], about, where its weights give 0."""
        raise NotImplementedError

    @torch.no_grad()
    def begin_at(self, outputs: Tensor) -> None:
        """Set the last layer's bias so."""
        assert self.last.bias is not None
        self.last.bias.copy_(self.bias_at(outputs))


@torch.no_grad()
def keep_variance(
    network: nn.Module, inputs: int | None = None, factor: float = 1.0, first: float = GAIN
) -> None:
    """Draw the weights of a chain of layers anew, biases zero.

    `inputs` is how many of the first layer's inputs are not zero at once, where not all are (codes
    as one-hot vectors); `factor` multiplies the last layer's weights. `first` is the first layer's
    gain: 1 where it sees a sum, whose variance is above one already.
    """
    layers = [part for part in network.modules() if isinstance(part, LAYERS)]
    for index, part in enumerate(layers):
        fan = _fan_in(part) if index or inputs is None else inputs
        draw(part.weight, ((GAIN if index else first) / fan) ** 0.5)
        if part.bias is not None:
            part.bias.zero_()
    if layers:
        layers[-1].weight.mul_(factor)


def draw(weight: Tensor, stddev: float) -> None:
    """Normal draws in place, from the global generator; none where shapes alone are asked for.

    On the device `meta` torch would load its compiler for them, which takes seconds.
    """
    if not weight.is_meta:
        weight.normal_(std=stddev)


def _fan_in(layer: nn.Module) -> float:
    """How many inputs one output adds up; a strided transposed convolution has fewer a pixel."""
    if isinstance(layer, nn.ConvTranspose2d):
        high, wide = layer.kernel_size[0], layer.kernel_size[1]
        return layer.in_channels * high * wide / (layer.stride[0] * layer.stride[1])
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight[0].numel()
