"""Weights on disk: safetensors in half precision, sizes counted before memory is spent."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmvae_core.config import RunConfig
from mmvae_core.errors import RunError
from mmvae_core.files import unreadable, write_atomically

if TYPE_CHECKING:
    from torch import Tensor

    from mmvae_core.model import MultimodalVAE

MAX_PARAMETERS = 500_000_000


def load_model(config: RunConfig, path: Path) -> "MultimodalVAE":
    """Build the model and read its weights; RunError if they do not fit each other."""
    from mmvae_core.build import build_model

    check_size(config)
    model = build_model(config)
    expected = {name: list(value.shape) for name, value in model.state_dict().items()}
    model.load_state_dict(read_tensors(path, expected))
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

    try:
        with safe_open(path, "pt") as file:
            found = {
                name: list(file.get_slice(name).get_shape())
                for name in list(file.keys())
                if name.startswith(prefix)
            }
            if found != {name: list(shape) for name, shape in expected.items()}:
                raise RunError(f"{path} {_misfit(expected, found, beside)}; {remedy}.")
            tensors = {name: file.get_tensor(name).float() for name in expected}
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error, remedy) from None
    bad = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if bad:
        raise RunError(f"{path} holds NaN or infinity in {bad[0]}; {remedy}.")
    return tensors


def check_size(config: RunConfig) -> int:
    """Parameters of a configuration, counted without spending their memory."""
    import torch

    from mmvae_core.build import build_model

    try:
        with torch.device("meta"):
            count = sum(value.numel() for value in build_model(config).parameters())
    except (RuntimeError, OverflowError, TypeError):  # sizes that 64 bits cannot count
        count = 2**63
    if count > MAX_PARAMETERS:
        raise RunError(
            f"The configuration describes {count:,} parameters, more than the {MAX_PARAMETERS:,} "
            "allowed here; make `width`, `features` or `latent` smaller."
        )
    return count


def save_weights(model: "MultimodalVAE", path: Path) -> None:
    """Write the weights in half precision, atomically."""
    write_tensors(path, model.state_dict())


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]") -> None:
    """Write tensors in half precision, atomically; RunError if that cannot hold them."""
    from safetensors.torch import save_file

    halves = {name: value.detach().cpu().half().contiguous() for name, value in tensors.items()}
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
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise unreadable(path, error, "copy it again") from None


def _misfit(
    expected: Mapping[str, Sequence[int]], found: Mapping[str, Sequence[int]], beside: str
) -> str:
    wanted = {name: list(shape) for name, shape in expected.items()}
    name = next(name for name in [*wanted, *found] if wanted.get(name) != found.get(name))
    return (
        f"does not fit its {beside}: {name} has shape {found.get(name)}, expected "
        f"{wanted.get(name)}"
    )
