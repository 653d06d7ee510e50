"""What the library MultiVae answers, recorded: `tests/core/explore/multivae.json`.

    python -m tools.multivae_fixture

Needs `multivae` 1.0.3, which nothing else here does, so best in an environment of its own. Weights
are drawn from numpy's frozen generator, by the same function in the tool and in the test.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

PLACE = Path(__file__).parents[1] / "tests" / "core" / "explore" / "multivae.json"
SHAPES = {"image": (1, 6, 5), "gene": (4,)}
LAWS = {
    "decoders_dist": {"image": "bernoulli", "gene": "laplace"},
    "decoder_dist_params": {"gene": {"scale": 0.75}},
}
LATENT, ITEMS, SEED = 3, 3, 5
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "mvae": ("MVAE", LAWS),
    "mmvae, laplace": ("MMVAE", LAWS),
    "mmvae, normal": ("MMVAE", {"prior_and_posterior_dist": "normal"}),
}


def drawn_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Normal draws for each name, in the order of the alphabet, which keep about their variance."""
    draw = np.random.RandomState(SEED)
    return {
        name: (draw.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)
        for name, shape in sorted(shapes.items())
    }


def main() -> None:
    """Ask the library for every case and write what it says."""
    library = import_module("multivae.models")
    datasets = import_module("multivae.data.datasets.base")
    draw = np.random.RandomState(SEED + 1)
    inputs = {name: draw.random_sample((ITEMS, *shape)) for name, shape in SHAPES.items()}
    inputs["image"] = inputs["image"].round()
    latents = draw.standard_normal((ITEMS, LATENT))
    data = {name: torch.tensor(one, dtype=torch.float32) for name, one in inputs.items()}
    recorded: dict[str, Any] = {
        "inputs": {name: one.tolist() for name, one in inputs.items()},
        "latents": latents.tolist(),
        "cases": {},
    }
    for case, (name, settings) in CASES.items():
        config = getattr(library, f"{name}Config")(
            n_modalities=len(SHAPES), latent_dim=LATENT, input_dims=SHAPES, **settings
        )
        model = getattr(library, name)(config)
        shapes = {key: tuple(one.shape) for key, one in model.state_dict().items()}
        weights = {key: torch.from_numpy(one) for key, one in drawn_weights(shapes).items()}
        model.load_state_dict(weights)
        with TemporaryDirectory() as folder:
            model.save(folder)
            saved = json.loads((Path(folder) / "model_config.json").read_text())
        z = torch.tensor(latents, dtype=torch.float32)
        recorded["cases"][case] = {
            "config": saved,
            "shapes": shapes,
            **_answers(model.eval(), datasets.MultimodalBaseDataset(data=data), z),
        }
    PLACE.write_text(json.dumps(recorded) + "\n")


@torch.no_grad()
def _answers(model: Any, data: Any, latents: torch.Tensor) -> dict[str, Any]:
    """Experts or product by subset, locations and scales; the prior; what is made of latents."""
    names, posteriors = list(SHAPES), {}
    for size in range(1, len(names) + 1):
        for subset in combinations(names, size):
            posteriors["+".join(subset)] = _posterior(model, data, subset)
    prior = [one.tolist() for one in model.pz_params] if hasattr(model, "pz_params") else None
    decoded = {name: model.decoders[name](latents)["reconstruction"] for name in names}
    return {
        "posteriors": posteriors,
        "prior": prior,
        "decoded": {name: one.tolist() for name, one in decoded.items()},
        "log_likelihoods": {
            name: model.recon_log_probs[name](one, data.data[name]).flatten(1).sum(1).tolist()
            for name, one in decoded.items()
        },
    }


def _posterior(model: Any, data: Any, subset: tuple[str, ...]) -> list[list]:
    """Locations and scales [component, item, latent]."""
    if hasattr(model, "compute_mu_log_var_subset"):
        loc, log_var = model.compute_mu_log_var_subset(data, list(subset))
        return [[loc.tolist()], [(log_var / 2).exp().tolist()]]
    experts = [model.encoders[name](data.data[name]) for name in subset]
    locations = [one.embedding.tolist() for one in experts]
    return [locations, [model.log_var_to_std(one.log_covariance).tolist() for one in experts]]


if __name__ == "__main__":
    main()
