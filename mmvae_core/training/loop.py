"""The one way to train: passes over the data of one configuration, or of several seeds of it."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.build import build_subsets
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Source, batches_in_a_pass
from mmvae_core.seeding import generator_of, pass_seed
from mmvae_core.store.history import EpochReport

WARMUP_STEPS = 200
FINAL_RATE = 0.02
VALIDATION_SEED = 1

EachStep = Callable[[int, int], None]


def nothing(done: int, total: int) -> None:
    """What is called after a batch where nobody asks."""


@dataclass(frozen=True)
class Draws:
    """The generators of one pass: of each seed's subsets on the CPU, of noise where models are.

    One generator of noise serves all seeds: inside `vmap` a call draws for each of them in turn.
    """

    subsets: Sequence[torch.Generator]
    noise: torch.Generator

    @classmethod
    def of(cls, seeds: Sequence[int], device: torch.device) -> "Draws":
        """A generator of subsets for each seed, the noise from the first."""
        return cls([generator_of(seed) for seed in seeds], generator_of(seeds[0], device))


class Loop(ABC):
    """Configurations that differ in seeds only, with their data; most often one.

    What is told by `passes` are lists with an entry for each configuration, and so are all that
    the methods below take and give: tensors are of shape [seed].
    """

    optimizer: torch.optim.Optimizer
    precise: torch.dtype | None = None
    """In what the bounds of validation are added up; None is torch's default."""

    def __init__(
        self, configs: Sequence[RunConfig], sources: Sequence[Source], device: torch.device
    ) -> None:
        self.configs, self.sources, self.device = configs, sources, device
        self.draw_subsets = build_subsets(configs[0])
        self.done = 0

    @property
    def is_over(self) -> bool:
        """Whether no further pass is wanted."""
        return self.done >= self.configs[0].training.epochs

    def passes(self, each_step: EachStep = nothing) -> Iterator[list[EpochReport]]:
        """Train what remains; reports after every pass, `each_step(done, total)` after a batch."""
        while not self.is_over:
            started = time.perf_counter()
            bounds, rates = self._train(each_step)
            self.after_training(bounds)
            validation = self._validate()
            self.done += 1
            self.after_validation(validation)
            seconds = (time.perf_counter() - started) / len(self.configs)
            learning_rate = self.optimizer.param_groups[0]["lr"]
            yield [
                EpochReport(self.done, *figures, seconds, learning_rate)
                for figures in zip(bounds, validation, rates, strict=True)
            ]

    @abstractmethod
    def bounds(self, batches: Sequence[Batch], draws: Draws, beta: float) -> tuple[Tensor, Tensor]:
        """Mean bound and mean rate of a batch of each seed."""

    def learn(self, bounds: Tensor) -> None:
        """One step up the bounds."""
        self.optimizer.zero_grad()
        (-bounds.sum()).backward()
        self.optimizer.step()

    @abstractmethod
    def after_training(self, bounds: Sequence[float]) -> None:
        """When all batches of a pass have been seen; `done` is not counted up yet."""

    @abstractmethod
    def after_validation(self, bounds: Sequence[float]) -> None:
        """When a pass is done and counted."""

    def _train(self, each_step: EachStep) -> tuple[list[float], list[float]]:
        """Mean bounds and rates of the batches of a pass."""
        config, done = self.configs[0], 0
        steps = batches_in_a_pass(self.sources[0], config)
        seeds = [pass_seed(one.training.seed, self.done) for one in self.configs]
        draws, beta = Draws.of(seeds, self.device), beta_at(config, self.done)
        totals = torch.zeros(2, len(self.configs))
        for index, batches in enumerate(self._batches()):
            self._set_rate(rate_at(config, self.done * steps + index, steps))
            bounds, rates = self.bounds(batches, draws, beta)
            self.learn(bounds)
            totals += torch.stack([bounds.detach(), rates.detach()]).cpu()
            done = index + 1
            each_step(done, steps)
        bounds, rates = (totals / max(done, 1)).tolist()
        return bounds, rates

    @torch.no_grad()
    def _validate(self) -> list[float]:
        """The same bounds on fixed items, subsets and noise, at full beta."""
        config, count = self.configs[0], 0
        total = torch.zeros(len(self.configs), dtype=self.precise)
        draws = Draws.of([VALIDATION_SEED] * len(self.configs), self.device)
        parts = (source.validation(config.training.batch) for source in self.sources)
        for batches in zip(*parts, strict=True):
            bounds, _ = self.bounds(batches, draws, config.objective.beta)
            total += bounds.cpu().to(total.dtype) * len(batches[0])
            count += len(batches[0])
        return (total / count).tolist()

    def _batches(self) -> Iterator[tuple[Batch, ...]]:
        """A batch of each seed at a time."""
        return zip(
            *(
                source.batches(one.training.seed, self.done, one.training.batch)
                for one, source in zip(self.configs, self.sources, strict=True)
            ),
            strict=True,
        )

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate


def beta_at(config: RunConfig, epoch: int) -> float:
    """The weight of the KL terms in an epoch, rising linearly to `beta`."""
    return config.objective.beta * min(1.0, (epoch + 1) / (config.objective.warmup_epochs + 1))


def rate_at(config: RunConfig, step: int, steps: int) -> float:
    """The learning rate at a step, `steps` an epoch: a linear rise, half a cosine to a fiftieth.

    After each of `restarts` the same anew, over the passes up to the next one or the end.
    """
    bounds = (0, *config.training.restarts, config.training.epochs)
    begin, end = next(
        (steps * first, steps * last) for first, last in pairwise(bounds) if step < steps * last
    )
    cosine = 0.5 * (1 + math.cos(math.pi * (step - begin) / (end - begin)))
    rise = min(1.0, (step - begin + 1) / WARMUP_STEPS)
    factor = rise * (FINAL_RATE + (1 - FINAL_RATE) * cosine)
    return config.training.learning_rate * factor
