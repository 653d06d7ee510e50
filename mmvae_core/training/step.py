"""One step's bound: model and objective as one module."""

import torch
from torch import Tensor, nn

from mmvae_core.batch import Batch
from mmvae_core.build import build_objective
from mmvae_core.config import RunConfig
from mmvae_core.model import MultimodalVAE
from mmvae_core.objectives.terms import Objective


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
