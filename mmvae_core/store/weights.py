"""Weights on disk: safetensors in half precision, sizes counted before memory is spent."""

import hashlib
import math
import time
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mmvae_core.config import RunConfig
from mmvae_core.errors import RunError
from mmvae_core.files import check_file, unreadable, write_atomically
from mmvae_core.store.records import Card

if TYPE_CHECKING:
    from torch import Tensor

    from mmvae_core.model import MultimodalVAE

MAX_PARAMETERS = 500_000_000
MAX_BYTES = 4 * MAX_PARAMETERS + 8_000_000
MAX_VALUES = 1_000_000
"""Of one item and modality: a few draws of it take a hundred times as many numbers."""
MAX_HELD = 4_000_000
"""Values of one picture times the channels of its networks."""
MAX_LATENTS, MAX_COMPONENTS = 4_096, 1_000
SETTLED = 2_000_000_000
"""A hash is kept of a file that was not changed for so many nanoseconds: clocks are coarse."""


def load_model(config: RunConfig, path: Path) -> "MultimodalVAE":
    """Build the model and read its weights; RunError if they do not fit each other."""
    from mmvae_core.build import build_model

    tensors = read_tensors(path, described(config))  # before memory is spent on a model
    model = build_model(config)
    model.load_state_dict(tensors)
    return model.eval().requires_grad_(False)


def read_tensors(
    path: Path,
    expected: Mapping[str, Sequence[int]],
    prefix: str = "",
    beside: str = "config.json",
    remedy: str = "copy both files from the same run",
) -> "dict[str, Tensor]":
    """The tensors of a safetensors file in float32; only those whose names begin with `prefix`.

    Names and shapes are compared with the expected ones, which `beside` tells, before any is read;
    RunError, which ends in `remedy`, where they differ, or a number is not finite.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    check_file(path, MAX_BYTES, remedy)
    try:
        with safe_open(path, "pt") as file:
            shapes = {
                name: list(file.get_slice(name).get_shape())
                for name in list(file.keys())
                if name.startswith(prefix)
            }
            if shapes != {name: list(shape) for name, shape in expected.items()}:
                raise RunError(f"{path} {_misfit(expected, shapes, beside)}; {remedy}.")
            tensors = {name: file.get_tensor(name).float() for name in expected}
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error, remedy) from None
    bad = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if bad:
        raise RunError(f"{path} holds NaN or infinity in {bad[0]}; {remedy}.")
    return tensors


def check_size(config: RunConfig) -> int:
    """Parameters of a configuration, counted without spending their memory.

    RunError where they, an item's values or what networks hold of an item are too many.
    """
    return sum(value.numel() for value in _on_meta(config).parameters())


def described(config: RunConfig) -> dict[str, list[int]]:
    """The shapes of a configuration's weights and buffers by name; RunError as `check_size`."""
    return {name: list(value.shape) for name, value in _on_meta(config).state_dict().items()}


def _on_meta(config: RunConfig) -> "MultimodalVAE":
    """The model without memory for its numbers."""
    import torch

    from mmvae_core.build import build_model

    _check_items(config)
    try:
        with torch.device("meta"):
            model = build_model(config)
            count = sum(value.numel() for value in model.parameters())
    except (RuntimeError, OverflowError, TypeError):  # sizes that 64 bits cannot count
        model, count = None, 2**63
    if model is None or count > MAX_PARAMETERS:
        raise RunError(
            f"The configuration describes {count:,} parameters, more than the {MAX_PARAMETERS:,} "
            "allowed here; make `width`, `features` or `latent` smaller."
        )
    return model


def _check_items(config: RunConfig) -> None:
    """RunError where single items or latents are so large that a few draws would fill the memory."""
    for one in config.modalities:
        cells = math.prod(one.shape)
        # A convolution at half or a quarter of a picture's sides has `width` channels there.
        held = cells * one.width if one.network == "image" else cells
        if cells > MAX_VALUES or held > MAX_HELD:
            raise RunError(
                f"The configuration describes items of {cells:,} values as {one.name!r} with width "
                f"{one.width:,}, more than is allowed here ({MAX_VALUES:,}; of an image network "
                f"{MAX_HELD:,} times width); make `shape` or `width` smaller."
            )
    if config.latents > MAX_LATENTS or config.aggregator.components > MAX_COMPONENTS:
        raise RunError(
            f"The configuration describes {config.latents:,} latents and "
            f"{config.aggregator.components:,} components, more than the {MAX_LATENTS:,} and "
            f"{MAX_COMPONENTS:,} allowed here; make `latent`, `private` or `components` smaller."
        )
    if config.prior.components > MAX_COMPONENTS:
        raise RunError(
            f"The configuration describes a prior of {config.prior.components:,} components, more "
            f"than the {MAX_COMPONENTS:,} allowed here; make `components` smaller."
        )


def save_weights(model: "MultimodalVAE", path: Path) -> None:
    """Write the weights in half precision, and what is in the data's units as it is, atomically."""
    write_tensors(path, model.state_dict(), {name for name, _ in model.named_buffers()})


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]", whole: Collection[str] = ()) -> None:
    """Write tensors in half precision, but the `whole` ones, atomically; RunError if too large."""
    from safetensors.torch import save_file

    halves = {
        name: (value.detach().cpu() if name in whole else value.detach().cpu().half()).contiguous()
        for name, value in tensors.items()
    }
    bad = [name for name, value in halves.items() if not value.isfinite().all()]
    if bad:
        raise RunError(
            f"The weights {bad[0]} are not finite in half precision (over 65,504, or NaN); train "
            "with a lower learning_rate."
        )
    with write_atomically(path) as temporary:
        save_file(halves, temporary)


def file_hash(path: Path) -> str:
    """The first twelve digits of a file's SHA-256, as shown beside every number of a run."""
    check_file(path, MAX_BYTES, "copy it again")
    try:
        state = path.stat()
        if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) < SETTLED:
            return _hash(path)
        return _kept_hash(path, state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino)
    except OSError as error:
        raise unreadable(path, error, "copy it again") from None


@lru_cache(maxsize=1024)
def _kept_hash(path: Path, *age: int) -> str:
    return _hash(path)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _misfit(
    expected: Mapping[str, Sequence[int]], shapes: Mapping[str, Sequence[int]], beside: str
) -> str:
    wanted = {name: list(shape) for name, shape in expected.items()}
    name = next(name for name in [*wanted, *shapes] if wanted.get(name) != shapes.get(name))
    return (
        f"does not fit its {beside}: {name} has shape {shapes.get(name)}, expected "
        f"{wanted.get(name)}"
    )


def untrained_card(file: Path, parameters: int = 0) -> Card:
    """The card of what was not trained here, whose arrays are in this file."""
    return Card(
        epochs=0,
        seed=0,
        device="",
        hardware="",
        threads=0,
        seconds=0.0,
        parameters=parameters,
        bytes=file.stat().st_size,
        weights=file_hash(file),
    )
