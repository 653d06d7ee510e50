"""Training as an iterator of epoch reports, shared by the command line, the app and the tests."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mmvae_core.batch import Batch
from mmvae_core.build import build_objective, build_subsets
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Source
from mmvae_core.errors import RunError
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.terms import Objective
from mmvae_core.seeding import generator_of, pass_seed
from mmvae_core.store.history import EpochReport
from mmvae_core.training.prior_fit import refit, refits
from mmvae_core.training.state import TrainingState

HALF = "bf16-mixed"
WARMUP_STEPS = 200
FINAL_RATE = 0.02
VALIDATION_SEED = 1


@dataclass(frozen=True)
class Draws:
    """The generators of one pass: of subsets on the CPU, of noise where the model is."""

    subsets: torch.Generator
    noise: torch.Generator

    @classmethod
    def of(cls, seed: int, device: torch.device) -> "Draws":
        """Both from one seed."""
        return cls(generator_of(seed), generator_of(seed, device))


class Step(nn.Module):
    """Model and objective as one module, for devices, precision and several GPUs to wrap."""

    def __init__(self, model: MultimodalVAE, config: RunConfig) -> None:
        super().__init__()
        self.model, self.config = model, config.objective
        self.objective: Objective = build_objective(config)
        weights = torch.tensor([modality.weight for modality in config.modalities])
        self.register_buffer("weights", weights, persistent=False)

    def forward(
        self, batch: Batch, subset: Tensor, beta: float, noise: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Mean bound and mean rate of a batch."""
        terms = self.objective(
            self.model,
            batch,
            subset,
            self.config.samples,
            self.config.sticking_the_landing,
            generator=noise,
        )
        assert isinstance(self.weights, Tensor)
        return terms.bound(self.weights, beta).mean(), terms.rates["rate"].mean()


class Trainer:
    """One training: `epochs()` yields a report after every pass and can be continued later."""

    def __init__(
        self, model: MultimodalVAE, config: RunConfig, source: Source, fabric: Fabric
    ) -> None:
        self.config, self.source, self.fabric = config, source, fabric
        # torch's stubs lack the overload of `to` that changes the memory layout alone.
        self.model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.step = Step(self.model, config)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=config.training.learning_rate, fused=True
        )
        self.wrapped, self.wrapped_optimizer = fabric.setup(self.step, self.optimizer)
        self.draw_subsets = build_subsets(config)
        for part in self.model.parts.values():
            part.half_precision = config.training.precision == HALF
        self.done = 0

    def state(self) -> TrainingState:
        """Everything needed to go on later."""
        return TrainingState.take(self.model, self.optimizer, self.done)

    def restore(self, state: TrainingState) -> None:
        """Go on from a state taken before."""
        state.give(self.model, self.optimizer)
        self.done = state.epoch

    def epochs(
        self, each_step: Callable[[int, int], None] = lambda done, total: None
    ) -> Iterator[EpochReport]:
        """Train the remaining epochs; `each_step(done, total)` is called after every batch."""
        while self.done < self.config.training.epochs:
            started = time.perf_counter()
            bound, rate = self._train(self.done, each_step)
            if self._fitting(self.done):
                refit(self.model, self.config, self.source, self.done)
            validation = _finite(self._validate(), self.done)
            self.done += 1
            yield EpochReport(
                self.done,
                bound,
                validation,
                rate,
                time.perf_counter() - started,
                self.optimizer.param_groups[0]["lr"],
            )

    def _train(self, epoch: int, each_step: Callable[[int, int], None]) -> tuple[float, float]:
        size, seed = self.config.training.batch, self.config.training.seed
        steps = math.ceil(self.config.data.epoch_size / size)
        draws = Draws.of(pass_seed(seed, epoch), self.fabric.device)
        totals, beta = torch.zeros(2), beta_at(self.config, epoch)
        for index, batch in enumerate(self.source.batches(seed, epoch, size)):
            self._set_rate(epoch * steps + index, steps)
            totals += self._update(batch, draws, beta).cpu()
            each_step(index + 1, steps)
        bound, rate = (totals / steps).tolist()
        return _finite(bound, epoch), rate

    def _update(self, batch: Batch, draws: Draws, beta: float) -> Tensor:
        subset = self.draw_subsets(batch.observed, draws.subsets)
        device = self.fabric.device
        bound, rate = self.wrapped(batch.to(device), subset.to(device), beta, draws.noise)
        self.wrapped_optimizer.zero_grad()
        self.fabric.backward(-bound)
        if self._fitting(self.done):  # the prior is EM's in these passes, not the gradient's
            for value in self.model.prior.parameters():
                value.grad = None
        self.wrapped_optimizer.step()
        return torch.stack([bound.detach().float(), rate.detach().float()])

    @torch.no_grad()
    def _validate(self) -> float:
        """The same bound on fixed items, subsets and noise, at full beta."""
        total, count = 0.0, 0
        device, beta = self.fabric.device, self.config.objective.beta
        draws = Draws.of(VALIDATION_SEED, device)
        for batch in self.source.validation(self.config.training.batch):
            subset = self.draw_subsets(batch.observed, draws.subsets)
            bound, _ = self.wrapped(batch.to(device), subset.to(device), beta, draws.noise)
            total, count = total + float(bound) * len(batch), count + len(batch)
        return total / count

    def _fitting(self, epoch: int) -> bool:
        return epoch < refits(self.config)

    def _set_rate(self, step: int, steps: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.config, step, steps)


def beta_at(config: RunConfig, epoch: int) -> float:
    """The weight of the KL terms in an epoch, rising linearly to `beta`."""
    return config.objective.beta * min(1.0, (epoch + 1) / (config.objective.warmup_epochs + 1))


def rate_at(config: RunConfig, step: int, steps: int) -> float:
    """The learning rate at a step, `steps` an epoch: a linear rise, half a cosine to a fiftieth."""
    total = steps * config.training.epochs
    cosine = 0.5 * (1 + math.cos(math.pi * step / total))
    factor = min(1.0, (step + 1) / WARMUP_STEPS) * (FINAL_RATE + (1 - FINAL_RATE) * cosine)
    return config.training.learning_rate * factor


def _finite(bound: float, epoch: int) -> float:
    if not math.isfinite(bound):
        raise RunError(
            f"The training diverged in epoch {epoch + 1} (bound {bound}); "
            "lower learning_rate in the configuration and train anew."
        )
    return bound
