"""Networks as plain lists of steps, which any language can follow; their numbers in one row.

A step is a dict with its `op` and settings; what it holds of weights stands by the name of an array.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from torch import Tensor, nn

from mmvae_core.aggregators.self_attention import AttentionBlock
from mmvae_core.errors import RunError
from mmvae_core.networks.image import ImageDecoder, ImageEncoder
from mmvae_core.networks.mixing import MixingNetwork
from mmvae_core.networks.mlp import LinearDecoder, ResidualMLP, VectorDecoder, VectorEncoder
from mmvae_core.networks.relu import ReluDecoder, ReluEncoder
from mmvae_core.networks.sequence import SequenceEncoder
from mmvae_core.networks.start import Standardise

Step = dict[str, Any]
REST = ".rest"
"""An array of this name is added to the one without it."""


class Arrays:
    """Arrays by name, to be written one behind the other."""

    def __init__(self) -> None:
        self.named: dict[str, np.ndarray] = {}

    def keep(self, name: str, value: Tensor) -> str:
        """Keep a tensor; its name."""
        self.named[name] = value.detach().cpu().numpy()
        return name

    def keep_finely(self, name: str, value: Tensor) -> str:
        """Keep what half precision is too coarse for, within 2^-22: what is left of it as `.rest`."""
        self.keep(name, value)
        with np.errstate(over="ignore", invalid="ignore"):
            rest = self.named[name] - self.named[name].astype("<f2").astype(self.named[name].dtype)
        self.named[f"{name}{REST}"] = rest
        return name

    def table(self) -> dict[str, Step]:
        """Shape of each and where it begins, counted in numbers."""
        places, at = {}, 0
        for name, value in self.named.items():
            places[name] = {"at": at, "shape": list(value.shape)}
            at += value.size
        return places

    def halves(self) -> bytes:
        """All numbers, little-endian in half precision; RunError where that cannot hold them."""
        parts = []
        for name, value in self.named.items():
            with np.errstate(over="ignore"):
                half = value.astype("<f2")
            if not np.isfinite(half).all():
                raise RunError(
                    f"The array {name} is not finite in half precision (over 65,504, or NaN); train "
                    "with a lower learning_rate."
                )
            parts.append(half.tobytes())
        return b"".join(parts)


def steps(module: nn.Module, arrays: Arrays, name: str) -> list[Step]:
    """What a network does to [n, ...], step by step; RunError for one without a step here."""
    for kind, write in WRITERS.items():
        if type(module) is kind:
            return list(write(module, arrays, name))
    raise RunError(
        f"The network {name} is of the class {type(module).__name__}, which has no counterpart in "
        f"the export; it knows {', '.join(one.__name__ for one in WRITERS)}."
    )


def _weights(module: Any, arrays: Arrays, name: str) -> Step:
    weights = {"weight": arrays.keep(f"{name}.weight", module.weight)}
    if module.bias is not None:
        weights["bias"] = arrays.keep(f"{name}.bias", module.bias)
    return weights


def _linear(module: nn.Linear, arrays: Arrays, name: str) -> Iterator[Step]:
    yield {"op": "linear", **_weights(module, arrays, name)}


def _convolution(op: str) -> Callable[[Any, Arrays, str], Iterator[Step]]:
    def write(module: Any, arrays: Arrays, name: str) -> Iterator[Step]:
        plain = module.padding_mode == "zeros" and not any(getattr(module, "output_padding", (0,)))
        square = all(
            len(set(one)) == 1 for one in (module.kernel_size, module.stride, module.padding)
        )
        if not (plain and square) or module.groups != 1 or set(module.dilation) != {1}:
            raise RunError(
                f"The convolution {name} has groups, dilation, another padding than zeros or "
                "unequal sides, which the export does not know; build it without."
            )
        yield {
            "op": op,
            "stride": module.stride[0],
            "padding": module.padding[0],
            **_weights(module, arrays, name),
        }

    return write


def _layer_norm(module: nn.LayerNorm, arrays: Arrays, name: str) -> Iterator[Step]:
    yield {"op": "layer_norm", "eps": module.eps, **_weights(module, arrays, name)}


def _standardise(module: Standardise, arrays: Arrays, name: str) -> Iterator[Step]:
    yield {
        "op": "standardise",
        "mean": arrays.keep_finely(f"{name}.mean", module.mean),
        "scale": arrays.keep_finely(f"{name}.scale", module.scale),
    }


def _chain(module: nn.Sequential, arrays: Arrays, name: str) -> Iterator[Step]:
    for index, part in enumerate(module):
        yield from steps(part, arrays, f"{name}.{index}")


def _residual(module: ResidualMLP, arrays: Arrays, name: str) -> Iterator[Step]:
    parts = (module.straight, f"{name}.straight"), (module.branch, f"{name}.branch")
    yield {"op": "add", "parts": [steps(part, arrays, one) for part, one in parts]}


def _attention(module: AttentionBlock, arrays: Arrays, name: str) -> Iterator[Step]:
    """One block over the members' tokens alone [n, member, width]: what is masked has no weight."""
    inside = {
        key: steps(getattr(module, key), arrays, f"{name}.{key}")
        for key in ("norm_attention", "to_query_key_value", "out", "norm_mlp", "body")
    }
    yield {"op": "attention", "heads": module.heads, **inside}


def _mixing(module: MixingNetwork, arrays: Arrays, name: str) -> Iterator[Step]:
    for index in range(module.layers):
        step = {
            "op": "linear",
            "weight": arrays.keep(f"{name}.weight_{index}", module.get_buffer(f"weight_{index}")),
        }
        if index == module.layers - 1:
            yield step
            break
        shift = module.get_buffer(f"shift_{index}")
        yield step | {"bias": arrays.keep(f"{name}.shift_{index}", shift)}
        yield {"op": "leaky_relu", "slope": module.slope}
    yield {"op": "reshape", "to": list(module.shape)}


def _image_encoder(module: ImageEncoder, arrays: Arrays, name: str) -> Iterator[Step]:
    yield from steps(module.body, arrays, f"{name}.body")
    yield from steps(module.out, arrays, f"{name}.out")


def _body(module: Any, arrays: Arrays, name: str) -> list[Step]:
    return steps(module.body, arrays, f"{name}.body")


def _vector_encoder(module: VectorEncoder, arrays: Arrays, name: str) -> Iterator[Step]:
    yield {"op": "flatten"}
    yield from _body(module, arrays, name)


def _sequence_encoder(module: SequenceEncoder, arrays: Arrays, name: str) -> Iterator[Step]:
    yield {"op": "one_hot", "symbols": module.symbols}
    yield from _vector_encoder(module, arrays, name)


def _vector_decoder(module: VectorDecoder, arrays: Arrays, name: str) -> Iterator[Step]:
    yield from _body(module, arrays, name)
    yield {"op": "reshape", "to": list(module.shape)}


WRITERS: dict[type[nn.Module], Callable[[Any, Arrays, str], Any]] = {
    nn.Identity: lambda module, arrays, name: [],
    nn.SiLU: lambda module, arrays, name: [{"op": "silu"}],
    nn.ReLU: lambda module, arrays, name: [{"op": "leaky_relu", "slope": 0.0}],
    nn.Sigmoid: lambda module, arrays, name: [{"op": "sigmoid"}],
    nn.Flatten: lambda module, arrays, name: [{"op": "flatten"}],
    nn.Unflatten: lambda module, arrays, name: [
        {"op": "reshape", "to": list(module.unflattened_size)}
    ],
    nn.PixelShuffle: lambda module, arrays, name: [
        {"op": "pixel_shuffle", "factor": module.upscale_factor}
    ],
    nn.Linear: _linear,
    nn.Conv2d: _convolution("convolution"),
    nn.ConvTranspose2d: _convolution("transposed_convolution"),
    nn.LayerNorm: _layer_norm,
    nn.Sequential: _chain,
    Standardise: _standardise,
    ResidualMLP: _residual,
    AttentionBlock: _attention,
    ImageEncoder: _image_encoder,
    ImageDecoder: _body,
    VectorEncoder: _vector_encoder,
    ReluEncoder: _vector_encoder,
    ReluDecoder: _vector_decoder,
    SequenceEncoder: _sequence_encoder,
    VectorDecoder: _vector_decoder,
    LinearDecoder: _vector_decoder,
    MixingNetwork: _mixing,
}
"""How each class of network is written."""
