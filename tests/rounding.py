"""How far rounding may carry a result: bounds from the values computed, not from figures printed.

A processor's library may add in any order and fuse as it likes, so two right answers to one
question differ. What all share is the unit u = eps of the type, the distance from 1 to the next
number. A sum of n terms x_i is right to

    of_sum = (n + SLACK) u sum_i |x_i|                                    (Higham 2002, (4.4))

and a chain of operations t = 1, 2, .. with values v_t and result y, to first order, to

    reach = sum_t |dy/dv_t| (n_t + SLACK) u s_t                           (Higham 2002, 3.3),

s_t the sum of the magnitudes that entered operation t (for a product of matrices |A| |B|), n_t how
many they were. The slopes are the actual ones, so where a log density multiplies the rounding of
a mean m by (z - m) / s^2, this is in the bound. Two computations may differ by both their bounds.

The law itself is tested in float64, tightly; float32 only by these bounds.
Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, 2002.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

SLACK = 8
"""Units in the last place that libraries allow themselves for exp, log and their like."""

AT_ONCE = 1_000_000
"""Slopes held at once of one operation, so that memory stays bounded."""
PRODUCTS = (
    functional.linear,
    functional.conv2d,
    functional.conv_transpose2d,
    torch.matmul,
    Tensor.matmul,
    Tensor.__matmul__,
)
SUMS = (torch.sum, Tensor.sum, torch.mean, Tensor.mean)
EXPONENTIALS = (
    torch.logsumexp,
    Tensor.logsumexp,
    torch.log_softmax,
    Tensor.log_softmax,
    functional.log_softmax,
    torch.softmax,
    Tensor.softmax,
    functional.softmax,
)


def unit(dtype: torch.dtype) -> float:
    """The distance from 1 to the next number of the type."""
    return torch.finfo(dtype).eps


def of_sum(terms: Tensor, dtype: torch.dtype = torch.float32, dim: int = 0) -> Tensor:
    """How far the sum of the terms along an axis may be from the exact one."""
    return (terms.shape[dim] + SLACK) * unit(dtype) * terms.detach().double().abs().sum(dim)


def within(one: Tensor, other: Tensor, bound: Tensor | float) -> bool:
    """Whether no entry of the two is further apart than the bound."""
    return bool(((one.detach().double() - other.detach().double()).abs() <= bound).all())


def reach(function: Callable[[], Tensor], dtype: torch.dtype = torch.float32) -> Tensor:
    """How far each entry of the result may be from the exact one, if computed in `dtype`.

    `function` computes it in float64, from numbers that `dtype` holds; nothing may be drawn in it.
    """
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), _Recorder() as seen:
        result = function()
    nudges, sizes = zip(*seen.steps, strict=True)
    every = torch.eye(result.numel(), dtype=result.dtype).reshape(-1, *result.shape)
    found = []
    for some in every.split(max(1, AT_ONCE // max(size.numel() for size in sizes))):
        slopes = torch.autograd.grad(
            result, nudges, some, retain_graph=True, allow_unused=True, is_grads_batched=True
        )
        found.append(
            sum(
                (slope.abs() * size).reshape(len(some), -1).sum(1)
                for slope, size in zip(slopes, sizes, strict=True)
                if slope is not None
            )
        )
    return unit(dtype) * torch.cat(found).reshape(result.shape)


class _Recorder(TorchFunctionMode):
    """Adds a zero to every operation's result, by which the slopes are found, and keeps sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in (functional.layer_norm, functional.scaled_dot_product_attention):
            with self:  # in steps, each of which is recorded
                written = _layer_norm if func is functional.layer_norm else _attention
                return written(*args, **kwargs)
        found = func(*args, **kwargs)
        if not isinstance(found, Tensor) or found.dtype != torch.float64:
            return found
        if any(isinstance(one, Tensor) and _place(one) == _place(found) for one in args):
            return found  # only looked at in another shape
        with torch.no_grad():
            size = _size(func, found, args, kwargs)
        nudge = torch.zeros_like(found, requires_grad=True)
        self.steps.append((nudge, _finite(size)))
        nudged = found + nudge
        nudged.register_hook(_finite)  # the log of a weight of zero has no slope, and no rounding
        return nudged


def _place(values: Tensor) -> int:
    return values.untyped_storage().data_ptr()


def _finite(values: Tensor) -> Tensor:
    return values.nan_to_num(0.0, 0.0, 0.0)


def _size(func: Any, found: Tensor, args: tuple[Any, ...], kwargs: Any) -> Tensor:
    """(n + SLACK) s of one operation, entry by entry of its result."""
    if func in PRODUCTS:
        sizes, ones = (
            [how(one) if isinstance(one, Tensor) else one for one in args]
            for how in (torch.abs, torch.ones_like)
        )
        kwargs = {key: one for key, one in kwargs.items() if not isinstance(one, Tensor)}
        return func(*sizes, **kwargs) * (func(*ones, **kwargs) + SLACK)
    if func in SUMS:
        return func(args[0].abs(), *args[1:], **kwargs) * (args[0].numel() / found.numel() + SLACK)
    if func in EXPONENTIALS:
        # exp(x - max) is off by |x - max| of itself: with its weight that is less than one each.
        return (1 + found.abs()) * (args[0].numel() / found.numel() + len(args[0]) + SLACK)
    return found.abs() * SLACK


def _layer_norm(
    values: Tensor,
    shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    centred = values - values.mean(-1, keepdim=True)
    scaled = centred * (centred.square().mean(-1, keepdim=True) + eps) ** -0.5
    scaled = scaled if weight is None else scaled * weight
    return scaled if bias is None else scaled + bias


def _attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor) -> Tensor:
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    return scores.masked_fill(~attn_mask, -torch.inf).softmax(-1) @ value
