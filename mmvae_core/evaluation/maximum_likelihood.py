"""The linear-Gaussian model of highest likelihood, to measure learned ones against.

x_s = W_s z + b_s + scale e, one known scale for all numbers. `structure` [modality, latent] says
which latents a modality sees. Where all see all, the answer has a closed form: the eigenvectors of
the sample covariance with the largest eigenvalues, W = U sqrt(Lambda - scale^2). Else EM, of which
each step raises the likelihood, from loadings that are given.
Source: Tipping and Bishop, "Probabilistic Principal Component Analysis", 1999;
Rubin and Thayer, "EM algorithms for ML factor analysis", 1982.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from mmvae_core.errors import UsageError
from mmvae_core.evaluation.exact_linear import LinearGaussian

STEPS = 400


def dense_maximum(data: Mapping[str, Tensor], latent: int, scale: float = 1.0) -> LinearGaussian:
    """The maximum over all models in which every modality sees all `latent` latents."""
    joint = torch.cat([values.double() for values in data.values()], -1)
    if latent >= joint.shape[1]:
        raise UsageError(
            f"{latent} latents were asked for, expected fewer than the {joint.shape[1]} numbers of "
            "an item; use a smaller latent."
        )
    values, vectors = torch.linalg.eigh(_covariance(joint))
    loading = vectors[:, -latent:] * (values[-latent:] - scale**2).clamp_min(0).sqrt()
    return _model(data, loading, joint.mean(0), scale)


def structured_maximum(
    data: Mapping[str, Tensor],
    start: Mapping[str, Tensor],
    structure: Tensor,
    scale: float = 1.0,
    steps: int = STEPS,
) -> LinearGaussian:
    """The maximum near `start`, loadings [size, latent] that are zero outside the structure."""
    joint = torch.cat([values.double() for values in data.values()], -1)
    loading = torch.cat([start[name].double() for name in data])
    rows = torch.cat(
        [
            seen.expand(values.shape[1], -1)
            for seen, values in zip(structure, data.values(), strict=True)
        ]
    )
    covariance = _covariance(joint)
    for _ in range(steps):
        loading = _step(loading, covariance, rows, scale)
    return _model(data, loading, joint.mean(0), scale)


def _step(loading: Tensor, covariance: Tensor, rows: Tensor, scale: float) -> Tensor:
    """One step of EM: E[z z'] and E[x z'] under the present posterior, then least squares."""
    eye = torch.eye(loading.shape[1], dtype=torch.float64)
    spread = torch.linalg.inv(eye + loading.T @ loading / scale**2)
    gain = spread @ loading.T / scale**2
    cross = covariance @ gain.T
    second = spread + gain @ cross
    estimate = torch.zeros_like(loading)
    for pattern in rows.unique(dim=0):
        members, seen = (rows == pattern).all(1).nonzero()[:, 0], pattern.nonzero()[:, 0]
        inner = second[seen][:, seen]
        estimate[members[:, None], seen] = torch.linalg.solve(inner, cross[members][:, seen].T).T
    return estimate


def _covariance(joint: Tensor) -> Tensor:
    return torch.cov(joint.T, correction=0)


def _model(
    data: Mapping[str, Tensor], loading: Tensor, offset: Tensor, scale: float
) -> LinearGaussian:
    sizes = [values.shape[1] for values in data.values()]
    return LinearGaussian(
        dict(zip(data, loading.split(sizes), strict=True)),
        dict(zip(data, offset.split(sizes), strict=True)),
        dict.fromkeys(data, scale),
    )
