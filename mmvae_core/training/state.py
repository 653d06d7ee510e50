"""An interrupted training on disk: weights and Adam's moments as safetensors, never a pickle."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mmvae_core.errors import RunError
from mmvae_core.files import write_atomically

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class TrainingState:
    """Tensors by name, and how many epochs are done.

    No state of a generator: every pass begins new ones, from the seed and its own number.
    """

    tensors: dict[str, Tensor]
    epoch: int

    @classmethod
    def take(
        cls, model: nn.Module, optimizer: torch.optim.Optimizer, epoch: int
    ) -> "TrainingState":
        """Copy the state of a model and its Adam."""
        tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
        for name, parameter in model.named_parameters():
            for moment in MOMENTS:
                value = optimizer.state.get(parameter, {}).get(moment)
                if value is not None:
                    tensors[f"{moment}/{name}"] = value
        return cls(
            {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()},
            epoch,
        )

    def give(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Put the state back."""
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
            save_file(self.tensors, temporary, metadata={"epoch": str(self.epoch)})

    @classmethod
    def load(cls, path: Path) -> "TrainingState":
        """Read a state written by `save`."""
        try:
            with safe_open(path, "pt") as file:
                epoch = int(file.metadata()["epoch"])
                return cls({name: file.get_tensor(name) for name in list(file.keys())}, epoch)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(
                f"{path} is not a readable training state ({error}); delete it to train anew."
            ) from None


def _laid_out_like(value: Tensor, parameter: Tensor) -> Tensor:
    """On the parameter's device, and in its memory layout where the shapes agree."""
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
