"""Planes and lines through the latent space, and what each latent changes. Shapes in brackets.

Planes are plain arrays, so that they can be drawn before a model is read.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmvae_core.errors import UsageError
from mmvae_core.model import MultimodalVAE


@dataclass(frozen=True)
class Plane:
    """z(a, b) = origin + a across + b up for a and b from -1 to 1; each [latent].

    A line is a plane with `up` zero.
    """

    origin: np.ndarray
    across: np.ndarray
    up: np.ndarray

    @property
    def is_line(self) -> bool:
        """Whether moving up changes nothing."""
        return not self.up.any()

    def at(self, places: np.ndarray) -> np.ndarray:
        """Latents [..., latent] at places (a, b) [..., 2]."""
        places = np.asarray(places, float)
        return self.origin + places[..., :1] * self.across + places[..., 1:] * self.up

    def grid(self, columns: int) -> np.ndarray:
        """Latents [row, column, latent], the first row at the top (b = 1); one row for a line."""
        sides = np.linspace(-1, 1, columns)
        rows = np.zeros(1) if self.is_line else sides[::-1]
        return self.at(np.stack(np.meshgrid(sides, rows), -1))

    def place(self, latent: np.ndarray) -> np.ndarray:
        """The place (a, b) whose latent is nearest to one [latent], by least squares."""
        return np.linalg.lstsq(
            np.stack([self.across, self.up], 1), latent - self.origin, rcond=None
        )[0]


def of_latents(mean: np.ndarray, scale: np.ndarray, first: int, second: int, reach: float) -> Plane:
    """Two latents moved by +- reach * scale around a mean, all others kept."""
    if first == second:
        raise UsageError(f"Latent {first} was given twice; choose two different ones.")
    eye = np.eye(len(mean))
    return Plane(mean, reach * scale[first] * eye[first], reach * scale[second] * eye[second])


def of_principal_axes(points: np.ndarray, reach: float, origin: np.ndarray | None = None) -> Plane:
    """The two directions in which points [n, latent] vary most, +- reach standard deviations.

    Around `origin` [latent], by default the mean of the points.
    """
    centre = points.mean(0)
    _, sizes, rows = np.linalg.svd(points - centre, full_matrices=False)
    signs = np.sign(np.take_along_axis(rows, np.abs(rows).argmax(1)[:, None], 1))
    axes = np.zeros((2, points.shape[1]))
    count = min(2, len(rows))
    axes[:count] = (rows * signs * sizes[:, None])[:count] / np.sqrt(len(points))
    return Plane(centre if origin is None else origin, reach * axes[0], reach * axes[1])


def through(first: np.ndarray, second: np.ndarray, third: np.ndarray | None = None) -> Plane:
    """The line from one latent (a = -1) to another (a = 1); or the plane through three.

    Then the three lie at (-1, -1), (1, -1) and (-1, 1).
    """
    across = (second - first) / 2
    up = np.zeros_like(across) if third is None else (third - first) / 2
    return Plane(first + across + up, across, up)


@torch.no_grad()
def strips(
    model: MultimodalVAE, mean: Tensor, scale: Tensor, steps: int = 7, reach: float = 3.0
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """One latent moved at a time: E[x_s | z] [latent, step, ...] and its change [latent].

    Each latent d goes from mean - reach * scale_d to mean + reach * scale_d, the others stay. The
    change of modality s is the root mean square, over steps and entries, of
    E[x_s | z] - E[x_s | mean]: zero, but for rounding, for latents that its decoder does not see.
    """
    moves = torch.linspace(-reach, reach, steps, dtype=mean.dtype)
    latents = mean + moves[:, None] * torch.diag(scale)[:, None]
    middle = model.means(mean[None])
    values = model.means(latents)
    change = {
        name: (value - middle[name][0]).square().flatten(1).mean(1).sqrt()
        for name, value in values.items()
    }
    return values, change
