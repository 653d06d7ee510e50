"""How networks start: every layer keeps the variance of what it is given, over the whole family."""

import pytest
import torch
from torch import Tensor, nn

from mmvae_core.aggregators.base import GaussianHead
from mmvae_core.aggregators.heads import MixtureHead
from mmvae_core.batch import Batch
from mmvae_core.build import AGGREGATORS, PRIVATE, build_model
from mmvae_core.config import RunConfig, from_dict, to_dict
from mmvae_core.data.moments import moments
from mmvae_core.networks.mlp import ResidualMLP
from mmvae_core.networks.start import LAST_LAYER, Decoder, Standardise
from mmvae_core.subsets import all_subsets
from mmvae_core.training.start import start_model
from tests import family, small

ITEMS = 400
LOW, HIGH = 0.5, 2.0
SCALES = torch.tensor([0.1, 20.0] * 12)


class Skewed:
    """Data far from centred: numbers of mean 30 and two scales, dark pictures, rare symbols."""

    def batches(self, seed: int, epoch: int, size: int):
        generator = torch.Generator().manual_seed(seed + 17 * epoch)
        for _ in range(2):
            numbers = 30 + torch.randn(size, 24, generator=generator) * SCALES
            picture = 0.1 + 0.1 * torch.rand(size, 3, 16, 16, generator=generator)
            text = (torch.rand(size, 8, generator=generator) ** 3 * 9).long()
            data = {"numbers": numbers, "picture": picture, "text": text}
            yield Batch(data, torch.ones(size, 3, dtype=torch.bool))

    def validation(self, size: int):
        yield from self.batches(99, 0, size)


def config(name: str = "poe", private: int = 0, **aggregator: object) -> RunConfig:
    """Wide enough that a layer's spread is close to its expectation."""
    return from_dict(
        {
            **small.SETTINGS,
            "start": "fan_in",
            "feature_norm": True,
            "latent": 16,
            "features": 128,
            "private": private,
            "modalities": [
                {"name": "numbers", "shape": [24], "width": 128, "likelihood": {"name": "normal"}},
                {
                    "name": "picture",
                    "shape": [3, 16, 16],
                    "network": "image",
                    "width": 24,
                    "likelihood": {"name": "bernoulli"},
                },
                {
                    "name": "text",
                    "shape": [8, 9],
                    "network": "sequence",
                    "width": 128,
                    "likelihood": {"name": "categorical"},
                },
            ],
            "aggregator": {"name": name, "width": 128, "heads": 4, "layers": 2, **aggregator},
        }
    )


EVERY = {
    f"{name}{', residual' * residual}{', private' * bool(private)}": {
        "name": name,
        "private": private,
        "residual": residual,
    }
    for name in AGGREGATORS
    for residual in ((False,) if name in family.FORMULAS else (False, True))
    for private in (0, 8)
    if not private or name in PRIVATE
}


def silent(model: nn.Module) -> set[str]:
    """Names of the layers that end a branch which starts at zero."""
    return {
        name
        for name, part in model.named_modules()
        if isinstance(part, nn.Linear) and not part.weight.any()
    }


def spreads(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """The standard deviation of each layer's output over items and units, all subsets alike."""
    found: dict[str, list[Tensor]] = {}
    for name, part in model.named_modules():
        if isinstance(
            part,
            nn.Linear | nn.Conv2d | nn.ConvTranspose2d | Standardise | nn.LayerNorm | ResidualMLP,
        ):
            part.register_forward_hook(
                lambda _, __, output, name=name: found.setdefault(name, []).append(output.flatten())
            )
    posterior = model.infer(batch.data, all_subsets(3).repeat(ITEMS // 8, 1))
    model.decode(torch.randn(ITEMS, posterior.mean.shape[-1]))
    return {name: torch.cat(values).std() for name, values in found.items()}


@pytest.mark.parametrize("settings", EVERY.values(), ids=EVERY)
@torch.no_grad()
def test_every_layer_keeps_the_variance(settings: dict) -> None:
    made, source = config(**settings), Skewed()
    model = start_model(made, source).eval()
    batch = next(source.batches(3, 1, ITEMS))
    lasts = {id(part.decoder.last) for part in model.parts.values()}
    heads = {
        f"{name}.linear"
        for name, part in model.named_modules()
        if isinstance(part, GaussianHead | MixtureHead)
    }
    modules, quiet = dict(model.named_modules()), silent(model)
    assert bool(quiet) == settings["residual"]
    torch.manual_seed(0)
    for name, spread in spreads(model, batch).items():
        if name in quiet:
            assert float(spread) == 0
            continue
        if id(modules[name]) in lasts:  # beside the data's mean, which the bias carries
            assert float(spread) > LOW * LAST_LAYER, name
        elif name in heads:  # a third of the variance, as the library starts them
            assert LOW * 3**-0.5 < float(spread) < HIGH, (name, float(spread))
        elif name.startswith("aggregator.private.rho"):  # behind a sum of five
            assert float(spread) <= HIGH * (5 / 3) ** 0.5, (name, float(spread))
        else:
            assert LOW <= float(spread) <= HIGH, (name, float(spread))


def test_the_librarys_own_start_loses_it() -> None:
    """What is mended: so the test above can fail."""
    made = from_dict(to_dict(config("sum_pooling")) | {"start": "torch", "feature_norm": False})
    model, batch = build_model(made).eval(), next(Skewed().batches(3, 1, ITEMS))
    with torch.no_grad():
        found = spreads(model, batch)
    assert min(float(value) for value in found.values()) < 0.3


@torch.no_grad()
def test_inputs_are_centred_and_outputs_begin_at_the_mean() -> None:
    made, source = config(), Skewed()
    model, found = start_model(made, source), moments(made, Skewed())
    batch = torch.cat([one.data["numbers"] for one in source.batches(0, 0, 500)])
    inputs = model.modality("numbers").inputs(batch)
    torch.testing.assert_close(inputs.mean(0), torch.zeros(24), rtol=0, atol=1e-4)
    torch.testing.assert_close(inputs.std(0, correction=0), torch.ones(24), rtol=1e-4, atol=0)
    nowhere = torch.zeros(1, made.latent)
    for part in model.parts.values():
        assert isinstance(part.decoder, Decoder)
        part.decoder.last.weight.zero_()
        mean = part.likelihood.mean(part.decode(nowhere))[0]
        wanted = found[part.name].mean
        if part.name == "picture":  # by channel
            wanted = wanted.mean((1, 2), keepdim=True).expand_as(wanted)
        torch.testing.assert_close(mean, wanted, rtol=1e-3, atol=5e-3)


def test_moments_are_of_what_is_observed_alone() -> None:
    class Half(Skewed):
        def batches(self, seed: int, epoch: int, size: int):
            for batch in super().batches(seed, epoch, size):
                seen = batch.observed.clone()
                seen[::2, 0] = False
                seen[:, 1] = False
                numbers = torch.where(seen[:, :1], batch.data["numbers"], torch.nan)
                yield Batch(dict(batch.data) | {"numbers": numbers}, seen)

    found = moments(config(), Half())
    kept = torch.cat([one.data["numbers"][1::2] for one in Skewed().batches(0, 0, 500)]).double()
    torch.testing.assert_close(found["numbers"].mean.double(), kept.mean(0), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        found["numbers"].stddev.double(), kept.std(0, correction=0), rtol=1e-5, atol=1e-6
    )
    assert not found["picture"].mean.any() and bool((found["picture"].stddev == 1).all())
    shares = found["text"].mean
    torch.testing.assert_close(shares.sum(-1), torch.ones(8), rtol=1e-6, atol=0)


@torch.no_grad()
def test_pictures_are_scaled_by_channel_over_all_their_pixels() -> None:
    source = Skewed()
    scaled = start_model(config(), source).modality("picture").inputs
    assert isinstance(scaled, Standardise)
    assert scaled.mean.shape == scaled.scale.shape == (3, 1, 1)
    data = scaled(torch.cat([batch.data["picture"] for batch in source.batches(0, 0, 500)]))
    found = data.mean((0, 2, 3)), data.std((0, 2, 3), correction=0)
    torch.testing.assert_close(found, (torch.zeros(3), torch.ones(3)), rtol=1e-3, atol=1e-3)


def test_a_constant_input_is_left_at_its_scale() -> None:
    inputs = Standardise((2,))
    inputs.adopt(torch.tensor([5.0, 1.0]), torch.tensor([0.0, 2.0]))
    assert torch.equal(inputs(torch.tensor([[5.0, 3.0]])), torch.tensor([[0.0, 1.0]]))


def test_the_start_belongs_to_the_seed() -> None:
    one, two = start_model(config("sum_pooling"), Skewed()), build_model(config("sum_pooling"))
    weights = two.aggregator.state_dict()
    assert all(
        torch.equal(value, weights[name]) for name, value in one.aggregator.state_dict().items()
    )


@pytest.mark.parametrize("scale", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("heads", [{}, {"components": 3}, {"family": "laplace"}])
def test_posteriors_begin_at_the_scale_that_was_asked(scale: float, heads: dict) -> None:
    for name in ("sum_pooling", "self_attention", *(() if heads else ("poe", "moe"))):
        made = build_model(config(name, start_scale=scale, **heads))
        (head,) = (one for one in made.modules() if isinstance(one, GaussianHead | MixtureHead))
        nothing = torch.zeros(1, head.linear.in_features)
        posterior = head.posterior(nothing)
        found = posterior.scale if hasattr(posterior, "scale") else posterior.each.scale
        torch.testing.assert_close(found, torch.full_like(found, scale), atol=2e-3, rtol=0)
