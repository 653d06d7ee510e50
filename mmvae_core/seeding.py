"""Random draws that a seed decides, without touching anybody else's.

What the project draws comes from a `torch.Generator` that its caller made and handed down as
`generator`, so that threads draw side by side and each gets what it would get alone. Only what
libraries draw from torch's global generators, which are the whole process's, needs `seeded`.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

_ONE = threading.RLock()


def generator_of(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A new generator; equal seeds give equal draws on the same kind of device."""
    return torch.Generator(device).manual_seed(seed)


def pass_seed(seed: int, epoch: int) -> int:
    """The seed of one pass of a training, so that an interrupted one goes on where it was."""
    return seed * 1_000_003 + epoch


def standard_normal(
    shape: Sequence[int], like: Tensor, generator: torch.Generator | None
) -> Tensor:
    """Draws of N(0, 1), one `randn` call, in the precision and on the device of `like`.

    They are drawn where the generator is; None stands for torch's global one.
    """
    device = like.device if generator is None else generator.device
    drawn = torch.randn(shape, generator=generator, dtype=like.dtype, device=device)
    return drawn.to(like.device)


def uniform(shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draws between 0 and 1, one `rand` call, otherwise as `standard_normal`."""
    device = like.device if generator is None else generator.device
    drawn = torch.rand(shape, generator=generator, dtype=like.dtype, device=device)
    return drawn.to(like.device)


def picked(probs: Tensor, shape: Sequence[int], generator: torch.Generator | None) -> Tensor:
    """Indices [*shape, ...] drawn with probabilities [..., index], one `multinomial` call.

    The very draws of `torch.distributions.Categorical`, which takes no generator. Rows that are
    not finite give any index: one model that has diverged must not stop those beside it.
    """
    device = probs.device if generator is None else generator.device
    rows = probs.reshape(-1, probs.shape[-1]).to(device)
    rows = torch.where(rows.isfinite().all(-1, keepdim=True), rows, 1.0)
    count = torch.Size(shape).numel()
    indices = torch.multinomial(rows, count, replacement=True, generator=generator).T
    return indices.reshape(*shape, *probs.shape[:-1]).to(probs.device)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, torch's global generators start from `seed`; afterwards they are as before.

    For what a library draws without asking for a generator: the weights that a layer starts from.
    One thread at a time is inside, as the generators are the process's own, so never stay for
    longer than such a draw. CUDA generators are covered once CUDA is in use; before that there is
    nothing of theirs to give back.
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with _ONE, torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed)
        yield
