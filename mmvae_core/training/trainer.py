"""Training one model, shared by the command line, the app and the tests."""

import math
from collections.abc import Iterator, Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor

from mmvae_core.batch import Batch
from mmvae_core.config import RunConfig
from mmvae_core.data.source import Source
from mmvae_core.errors import RunError
from mmvae_core.model import MultimodalVAE
from mmvae_core.store.history import EpochReport
from mmvae_core.training.loop import Draws, EachStep, Loop, nothing
from mmvae_core.training.prior_fit import refit, refits
from mmvae_core.training.state import TrainingState
from mmvae_core.training.step import Step
from mmvae_core.training.watch import Watch

HALF = "bf16-mixed"


def has_half(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 itself.

    A processor that has to imitate it takes ten times as long: networks compute in float32 there.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if not torch.backends.mkldnn.is_available():
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def is_imitated(config: RunConfig, device: torch.device) -> bool:
    """Whether a run asks for bfloat16 where the device has none."""
    return config.training.precision == HALF and not has_half(device)


class Trainer(Loop):
    """One training: `epochs()` yields a report after every pass and can be continued later."""

    precise = torch.float64

    def __init__(
        self, model: MultimodalVAE, config: RunConfig, source: Source, fabric: Fabric
    ) -> None:
        super().__init__([config], [source], fabric.device)
        self.config, self.source, self.fabric = config, source, fabric
        # torch's stubs lack the overload of `to` that changes the memory layout alone.
        self.model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.step = Step(self.model, config)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=config.training.learning_rate, fused=True
        )
        self.wrapped, self.wrapped_optimizer = fabric.setup(self.step, self.optimizer)
        for part in self.model.parts.values():
            part.half_precision = config.training.precision == HALF and has_half(fabric.device)
        self.watch = Watch(config.training.patience)

    @property
    def is_over(self) -> bool:
        """Also where patience has run out."""
        return super().is_over or self.watch.is_over(self.done)

    def state(self) -> TrainingState:
        """Everything needed to go on later."""
        return TrainingState.take(self.model, self.optimizer, self.done, self.watch)

    def restore(self, state: TrainingState) -> None:
        """Go on from a state taken before."""
        state.give(self.model, self.optimizer, self.watch)
        self.done = state.epoch

    def epochs(self, each_step: EachStep = nothing) -> Iterator[EpochReport]:
        """Train the remaining epochs; `each_step(done, total)` is called after every batch."""
        for (report,) in self.passes(each_step):
            yield report

    def bounds(self, batches: Sequence[Batch], draws: Draws, beta: float) -> tuple[Tensor, Tensor]:
        """Of the one batch."""
        (batch,), (generator,) = batches, draws.subsets
        subset = self.draw_subsets(batch.observed, generator)
        bound, rate = self.wrapped(batch.to(self.device), subset.to(self.device), beta, draws.noise)
        return bound[None], rate[None]

    def learn(self, bounds: Tensor) -> None:
        """One step, on the device that fabric has set up."""
        self.wrapped_optimizer.zero_grad()
        self.fabric.backward(-bounds.sum())
        if self._fitting:  # the prior is EM's in these passes, not the gradient's
            for value in self.model.prior.parameters():
                value.grad = None
        self.wrapped_optimizer.step()

    def after_training(self, bounds: Sequence[float]) -> None:
        """The prior is fitted anew, in the passes that do so; RunError where a bound is no number."""
        _check_finite(bounds[0], self.done + 1)
        if self._fitting:
            refit(self.model, self.config, self.source, self.done)

    def after_validation(self, bounds: Sequence[float]) -> None:
        """Keep the best weights, if that is wanted; RunError where the bound is no number."""
        _check_finite(bounds[0], self.done)
        self.watch.see(bounds[0], self.done, self.model)

    @property
    def _fitting(self) -> bool:
        return self.done < refits(self.config)


def _check_finite(bound: float, epoch: int) -> None:
    if not math.isfinite(bound):
        raise RunError(
            f"The training diverged in epoch {epoch} (bound {bound}); "
            "lower learning_rate in the configuration and train anew."
        )
