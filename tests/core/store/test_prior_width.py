"""How wide a mixture prior is, read without torch, is what the model says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mmvae_core.build import build_model
from mmvae_core.config import to_dict
from mmvae_core.files import write_json
from mmvae_core.store.prior_width import mixture_width
from mmvae_core.store.run import Run
from mmvae_core.store.weights import described, save_weights
from tests import family

MIXTURES = {
    label: settings
    for label, settings in family.EVERY.items()
    if settings["name"] == "moe" and "mixture" in settings.get("prior", "")
}


def stored(folder: Path, **settings: object) -> Run:
    """A run of weights that were drawn anew, so that no component is like another."""
    config = family.run(**settings)  # pyright: ignore[reportArgumentType]
    model = build_model(config)
    family.spread(model)
    write_json(folder / "config.json", to_dict(config))
    save_weights(model, folder / "weights.safetensors")
    return Run(folder)


@pytest.mark.parametrize("label", MIXTURES)
def test_it_is_the_models_own(label: str, tmp_path: Path) -> None:
    run = stored(tmp_path, **MIXTURES[label])
    width, own = mixture_width(run), run.model().prior().stddev.detach().numpy()
    assert width is not None
    assert np.ptp(own[: family.LATENT]) > 0.01
    np.testing.assert_allclose(width, own, rtol=1e-6)


def test_what_is_no_mixture_or_does_not_fit_is_left_to_the_model(tmp_path: Path) -> None:
    assert mixture_width(stored(tmp_path, name="poe")) is None
    run = stored(tmp_path, name="poe", prior="mixture")
    assert mixture_width(run) is not None
    write_json(tmp_path / "config.json", to_dict(run.config) | {"latent": family.LATENT + 1})
    assert mixture_width(Run(tmp_path)) is None
    run.weights.write_bytes(b"no tensors")
    assert mixture_width(run) is None


@pytest.mark.parametrize("label", family.EVERY)
def test_asking_for_shapes_alone_draws_no_numbers(
    label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = torch.Tensor.normal_

    def only_in_memory(self: Tensor, *args: float, **settings: float) -> Tensor:
        assert not self.is_meta, "torch loads its compiler for this, which takes seconds"
        return drawn(self, *args, **settings)

    monkeypatch.setattr(torch.Tensor, "normal_", only_in_memory)
    described(family.run(**family.EVERY[label], start="fan_in"))
