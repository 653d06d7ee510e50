"""Several seeds of one model at once: their weights are stacked and every step is one call.

Small models spend their time on calls, not on arithmetic, so five seeds together cost little more
than two alone. Each seed keeps its own world, starting weights, batches, subsets and noise, and
Adam works number by number, so no seed has an effect on another.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig, one_seed
from mmvae_core.data.source import Source
from mmvae_core.errors import UsageError
from mmvae_core.model import MultimodalVAE
from mmvae_core.store.history import EpochReport
from mmvae_core.training.loop import Draws, Loop
from mmvae_core.training.start import start_model
from mmvae_core.training.step import Step


class Ensemble(Loop):
    """Models of configurations that differ in their seeds only, with their data."""

    def __init__(
        self, configs: Sequence[RunConfig], sources: Sequence[Source], device: torch.device
    ) -> None:
        if len({one_seed(config, 0) for config in configs}) != 1:
            raise UsageError("Configurations that are trained together may differ in seeds only.")
        super().__init__(configs, sources, device)
        self.steps = [
            Step(start_model(config, source), config).to(device)
            for config, source in zip(configs, sources, strict=True)
        ]
        weights, self.buffers = stack_module_state(self.steps)
        self.weights = {
            name: value.detach().requires_grad_(value.requires_grad)
            for name, value in weights.items()
        }
        learned = [value for value in self.weights.values() if value.requires_grad]
        self.optimizer = torch.optim.Adam(learned, fused=True)
        self.reports: list[list[EpochReport]] = [[] for _ in configs]
        self._bounds = vmap(
            self._bound, in_dims=(0, 0, 0, 0, 0, None, None), randomness="different"
        )

    def train(self) -> None:
        """All epochs; afterwards `reports` and `models` are there. A seed may have diverged."""
        for reports in self.passes():
            for own, report in zip(self.reports, reports, strict=True):
                own.append(report)

    def after_training(self, bounds: Sequence[float]) -> None:
        """Nothing: the others go on where one has diverged."""

    def after_validation(self, bounds: Sequence[float]) -> None:
        """Nothing, as above."""

    def models(self) -> list[MultimodalVAE]:
        """The trained models, one a seed, on the CPU."""
        models = []
        for index, step in enumerate(self.steps):
            with torch.no_grad():
                for name, value in step.named_parameters():
                    value.copy_(self.weights[name][index])
            models.append(step.model.cpu().eval().requires_grad_(False))
        return models

    def diverged(self) -> list[bool]:
        """Whether a seed's bound or weights are no longer finite."""
        weights = list(self.weights.values())
        return [
            not (
                math.isfinite(reports[-1].validation_bound)
                and all(bool(value[index].isfinite().all()) for value in weights)
            )
            for index, reports in enumerate(self.reports)
        ]

    def _bound(
        self,
        weights: dict[str, Tensor],
        buffers: dict[str, Tensor],
        data: dict[str, Tensor],
        observed: Tensor,
        subset: Tensor,
        beta: float,
        noise: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Bound and rate of one seed's batch, from its slice of the weights."""
        return functional_call(
            self.steps[0], (weights, buffers), (Batch(data, observed), subset, beta, noise)
        )

    def bounds(self, batches: Sequence[Batch], draws: Draws, beta: float) -> tuple[Tensor, Tensor]:
        """Of all seeds in one call."""
        drawn = [
            self.draw_subsets(batch.observed, generator)
            for batch, generator in zip(batches, draws.subsets, strict=True)
        ]
        data = {
            name: torch.stack([batch.data[name] for batch in batches]).to(self.device)
            for name in batches[0].data
        }
        observed = torch.stack([batch.observed for batch in batches]).to(self.device)
        subset = torch.stack(drawn).to(self.device)
        with sdpa_kernel(SDPBackend.MATH):  # the one that vmap knows
            return self._bounds(
                self.weights, self.buffers, data, observed, subset, beta, draws.noise
            )
