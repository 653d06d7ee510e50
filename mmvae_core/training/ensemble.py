"""Several seeds of one model at once: their weights are stacked and every step is one call.

Small models spend their time on calls, not on arithmetic, so five seeds together cost little more
than two alone. Each seed keeps its own world, starting weights, batches, subsets and noise, and
Adam works number by number, so no seed has an effect on another.
"""

import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from mmvae_core.batch import Batch
from mmvae_core.build import build_subsets, start_model
from mmvae_core.config import RunConfig, one_seed
from mmvae_core.data.source import Source
from mmvae_core.errors import UsageError
from mmvae_core.model import MultimodalVAE
from mmvae_core.seeding import generator_of, pass_seed
from mmvae_core.store.history import EpochReport
from mmvae_core.training.trainer import VALIDATION_SEED, Step, beta_at, rate_at


class Ensemble:
    """Models of configurations that differ in their seeds only, with their data."""

    def __init__(
        self, configs: Sequence[RunConfig], sources: Sequence[Source], device: torch.device
    ) -> None:
        if len({one_seed(config, 0) for config in configs}) != 1:
            raise UsageError("Configurations that are trained together may differ in seeds only.")
        self.configs, self.sources, self.device = configs, sources, device
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
        self.draw_subsets = build_subsets(configs[0])
        self.reports: list[list[EpochReport]] = [[] for _ in configs]
        self._bounds = vmap(
            self._bound, in_dims=(0, 0, 0, 0, 0, None, None), randomness="different"
        )

    def train(self) -> None:
        """All epochs; afterwards `reports` and `models` are there. A seed may have diverged."""
        for epoch in range(self.configs[0].training.epochs):
            started = time.perf_counter()
            with sdpa_kernel(SDPBackend.MATH):  # the one that vmap knows
                bounds, rates = self._train(epoch)
                validation = self._validate()
            seconds = (time.perf_counter() - started) / len(self.configs)
            rate = self.optimizer.param_groups[0]["lr"]
            for index, reports in enumerate(self.reports):
                reports.append(
                    EpochReport(
                        epoch + 1, bounds[index], validation[index], rates[index], seconds, rate
                    )
                )

    def models(self) -> list[MultimodalVAE]:
        """The trained models, one a seed, on the CPU."""
        found = []
        for index, step in enumerate(self.steps):
            with torch.no_grad():
                for name, value in step.named_parameters():
                    value.copy_(self.weights[name][index])
            found.append(step.model.cpu().eval().requires_grad_(False))
        return found

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
        """Bound and rate of one seed's batch, from its slice of the weights.

        One generator serves all seeds: inside `vmap` a call draws for each of them in turn.
        """
        return functional_call(
            self.steps[0], (weights, buffers), (Batch(data, observed), subset, beta, noise)
        )

    def _train(self, epoch: int) -> tuple[list[float], list[float]]:
        config = self.configs[0]
        steps = math.ceil(config.data.epoch_size / config.training.batch)
        seeds = [pass_seed(one.training.seed, epoch) for one in self.configs]
        subsets = [generator_of(seed) for seed in seeds]
        noise = generator_of(seeds[0], self.device)
        batches = zip(
            *(
                source.batches(one.training.seed, epoch, one.training.batch)
                for one, source in zip(self.configs, self.sources, strict=True)
            ),
            strict=True,
        )
        totals = torch.zeros(2, len(self.configs))
        for index, found in enumerate(batches):
            self.optimizer.param_groups[0]["lr"] = rate_at(config, epoch * steps + index, steps)
            bound, rate = self._call(found, subsets, noise, beta_at(config, epoch))
            self.optimizer.zero_grad()
            (-bound.sum()).backward()
            self.optimizer.step()
            totals += torch.stack([bound.detach(), rate.detach()]).cpu()
        bounds, rates = (totals / steps).tolist()
        return bounds, rates

    @torch.no_grad()
    def _validate(self) -> list[float]:
        """The bound on each seed's held-out items, on fixed subsets and noise, at full beta."""
        config, total, count = self.configs[0], torch.zeros(len(self.configs)), 0
        subsets = [generator_of(VALIDATION_SEED) for _ in self.configs]
        noise = generator_of(VALIDATION_SEED, self.device)
        parts = (source.validation(config.training.batch) for source in self.sources)
        for found in zip(*parts, strict=True):
            bound, _ = self._call(found, subsets, noise, config.objective.beta)
            total, count = total + bound.cpu() * len(found[0]), count + len(found[0])
        return (total / count).tolist()

    def _call(
        self,
        found: Sequence[Batch],
        generators: Sequence[torch.Generator],
        noise: torch.Generator,
        beta: float,
    ) -> tuple[Tensor, Tensor]:
        subsets = [
            self.draw_subsets(batch.observed, generator)
            for batch, generator in zip(found, generators, strict=True)
        ]
        data = {
            name: torch.stack([batch.data[name] for batch in found]).to(self.device)
            for name in found[0].data
        }
        observed = torch.stack([batch.observed for batch in found]).to(self.device)
        subset = torch.stack(subsets).to(self.device)
        return self._bounds(self.weights, self.buffers, data, observed, subset, beta, noise)
