"""Priors fitted to a finished run, on disk beside it: `priors.safetensors` and `priors.json`.

`training.second_stage` fits them; what is read here is a distribution over the whole latent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace
from torch import nn

from mmvae_core.build import build_prior
from mmvae_core.config import PriorConfig, RunConfig
from mmvae_core.errors import RunError
from mmvae_core.probability.posteriors import Posterior
from mmvae_core.probability.priors import PrivatePrior
from mmvae_core.seeding import seeded
from mmvae_core.store.held import check_named
from mmvae_core.store.record_files import read_record, write_record
from mmvae_core.store.records import PriorsCard
from mmvae_core.store.run import Run
from mmvae_core.store.weights import check_size, file_hash, read_tensors, write_tensors


@dataclass(frozen=True)
class Settings:
    """What is fitted, and from which seed."""

    components: int = 50
    width: int = 64
    layers: int = 3
    seed: int = 0


def save_priors(run: Run, priors: Mapping[str, nn.Module], card: PriorsCard) -> None:
    """Write `priors.safetensors`, then `priors.json`, which names the weights they belong to."""
    tensors = {
        f"{kind}/{name}": value
        for kind, prior in priors.items()
        for name, value in prior.state_dict().items()
    }
    path = run.folder / "priors.safetensors"
    write_tensors(path, tensors)
    named = replace(card, weights=file_hash(run.weights), priors=file_hash(path))
    write_record(run.folder / "priors.json", named)


def load_prior(run: Run, kind: str) -> Posterior:
    """A fitted prior as a distribution over the whole latent; RunError if it does not fit the run.

    Private latents keep their standard normal.
    """
    path, remedy = (
        run.folder / "priors.json",
        f"make it anew with `python -m mmvae_core fit-prior {run.named}`",
    )
    card = read_record(path, PriorsCard, remedy)
    if card.weights != (expected := file_hash(run.weights)):
        raise RunError(
            f"{path} was fitted to other weights than the run has, {card.weights!r}, expected "
            f"{expected!r}; {remedy}."
        )
    settings = Settings(card.components, card.width, card.layers)
    check_size(_with_prior(run.config, kind, settings))
    prior = empty_prior(run.config, kind, settings)
    path = run.folder / "priors.safetensors"
    expected = {f"{kind}/{name}": value.shape for name, value in prior.state_dict().items()}
    tensors = read_tensors(path, expected, f"{kind}/", "priors.json", remedy)
    check_named(path, card.priors, "priors.json", remedy)
    prior.load_state_dict({name.removeprefix(f"{kind}/"): value for name, value in tensors.items()})
    whole = prior.requires_grad_(False)
    if run.config.private:
        whole = PrivatePrior(prior, run.config.private * len(run.config.modalities))
    return whole()


def empty_prior(config: RunConfig, kind: str, settings: Settings) -> nn.Module:
    """A prior of the shared latents that knows nothing yet, drawn from the settings' seed."""
    with seeded(settings.seed):
        return build_prior(_with_prior(config, kind, settings))


def _with_prior(config: RunConfig, kind: str, settings: Settings) -> RunConfig:
    wanted = PriorConfig(
        name=kind, components=settings.components, width=settings.width, layers=settings.layers
    )
    # Posteriors stay those of the trained prior: a product with a flow would have no closed form.
    plain = replace(config.aggregator, prior_product=False)
    return replace(config, prior=wanted, aggregator=plain, private=0)
