"""An interrupted training on disk: weights and Adam's moments as safetensors, never a pickle."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mmvae_core.errors import RunError
from mmvae_core.files import check_file, write_atomically
from mmvae_core.store.record_files import plain
from mmvae_core.store.weights import MAX_BYTES
from mmvae_core.training.watch import Watch

MAX_STATE_BYTES = 4 * MAX_BYTES
MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class TrainingState:
    """Tensors by name, how many epochs are done, and which was the best where that is watched.

    No state of a generator: every pass begins new ones, from the seed and its own number.
    """

    tensors: dict[str, Tensor]
    epoch: int
    best_epoch: int = 0
    best_bound: float = -math.inf

    @classmethod
    def take(
        cls, model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int, watch: Watch
    ) -> "TrainingState":
        """Copy the state of a model, its Adam and the best weights so far."""
        tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
        for name, parameter in model.named_parameters():
            for moment in MOMENTS:
                value = optimizer.state.get(parameter, {}).get(moment)
                if value is not None:
                    tensors[f"{moment}/{name}"] = value
        tensors |= {f"best/{name}": value for name, value in watch.weights.items()}
        return cls(
            {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()},
            epoch,
            watch.epoch,
            watch.bound,
        )

    @classmethod
    def of_weights(cls, model: nn.Module, epoch: int) -> "TrainingState":
        """A model's weights after so many epochs, with an Adam that has seen nothing yet."""
        return cls({f"model/{name}": value for name, value in model.state_dict().items()}, epoch)

    def give(self, model: nn.Module, optimizer: torch.optim.Optimizer, watch: Watch) -> None:
        """Put the state back."""
        best = (name for name in self.tensors if name.startswith("best/"))
        watch.weights = {name.removeprefix("best/"): self.tensors[name] for name in best}
        watch.epoch, watch.bound = self.best_epoch, self.best_bound
        weights = {
            name.removeprefix("model/"): value
            for name, value in self.tensors.items()
            if name.startswith("model/")
        }
        model.load_state_dict(weights)
        for name, parameter in model.named_parameters():
            moments = {
                moment: self.tensors[f"{moment}/{name}"]
                for moment in MOMENTS
                if f"{moment}/{name}" in self.tensors
            }
            if moments:
                optimizer.state[parameter] = {
                    moment: _laid_out_like(value, parameter) for moment, value in moments.items()
                }

    def save(self, path: Path) -> None:
        """Write atomically."""
        with write_atomically(path) as temporary:
            told = {
                "epoch": str(self.epoch),
                "best_epoch": str(self.best_epoch),
                "best_bound": self.best_bound.hex(),
            }
            save_file(self.tensors, temporary, metadata=told)

    @classmethod
    def load(cls, path: Path) -> "TrainingState":
        """Read a state written by `save`."""
        check_file(path, MAX_STATE_BYTES, "delete it to train anew")
        try:
            with safe_open(path, "pt") as file:
                told = file.metadata()
                tensors = {name: file.get_tensor(name) for name in list(file.keys())}
                best = float.fromhex(told["best_bound"])
                state = cls(tensors, int(told["epoch"]), int(told["best_epoch"]), best)
                if not 0 <= state.best_epoch <= state.epoch or math.isnan(best):
                    raise ValueError("passes that cannot be")
                return state
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(
                f"{path} is not a readable training state ({error}); delete it to train anew."
            ) from None

    def check(self, path: Path, model: nn.Module, epochs: int) -> None:
        """RunError where a state read from `path` is of another model or of more passes."""
        expected = {f"model/{name}": value for name, value in model.state_dict().items()}
        best = {f"best/{name}": value for name, value in model.state_dict().items()}
        if any(name.startswith("best/") for name in self.tensors):
            expected |= best
        slots = {
            f"{moment}/{name}": value
            for moment in MOMENTS
            for name, value in model.named_parameters()
        }
        wrong = [name for name in expected if name not in self.tensors]
        for name, value in self.tensors.items():
            wanted = expected.get(name, slots.get(name))
            shape = () if name.startswith("step/") else None if wanted is None else wanted.shape
            if wanted is None or value.shape != shape or value.is_complex():
                wrong.append(name)
        if wrong or self.epoch > epochs:
            said = f"in {plain(wrong[0])}" if wrong else f"after {self.epoch} of {epochs} passes"
            raise RunError(
                f"{path} is the state of another training, {said}; delete it to train anew."
            )


def _laid_out_like(value: Tensor, parameter: Tensor) -> Tensor:
    """On the parameter's device, and in its memory layout where the shapes agree."""
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
