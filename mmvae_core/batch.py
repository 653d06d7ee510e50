"""A batch of multi-modal data, of which some may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Data per modality [batch, *shape] and what of it exists: observed [batch, modality]."""

    data: Mapping[str, Tensor]
    observed: Tensor

    def __len__(self) -> int:
        return len(self.observed)

    def rows(self, rows: Tensor | slice) -> "Batch":
        """Some of the items."""
        return Batch(
            {name: values[rows] for name, values in self.data.items()}, self.observed[rows]
        )

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        data = {name: values.to(device) for name, values in self.data.items()}
        return Batch(data, self.observed.to(device))
