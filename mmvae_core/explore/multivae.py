"""Runs out of what the library MultiVae saves: its default networks under two of its rules.

A folder of it holds `model_config.json`, plain, and `model.pt`, of which tensors alone are read.
Networks of one's own lie beside as pickles, which nothing here opens; nor does the file say what
they compute. So the library's default networks are taken, of MVAE and MMVAE, whose posterior of
every subset is one of ours to the last rounding. Written against MultiVae 1.0.3.
"""

import math
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from mmvae_core import npz
from mmvae_core.config import RunConfig, from_dict, to_dict
from mmvae_core.errors import RunError, UsageError
from mmvae_core.files import check_file, unreadable, write_json
from mmvae_core.store.record_files import read_record, write_record
from mmvae_core.store.records import Record
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from mmvae_core.store.weights import MAX_BYTES, described, untrained_card, write_tensors

if TYPE_CHECKING:
    from torch import Tensor

MODEL, CONFIG, STATE = "model.pt", "model_config.json", "model_state_dict"
WIDTH = 512
"""Of all hidden layers of the library's default networks."""
MOST_PICKLED = 4_000_000
"""Bytes of the part of model.pt that tells what its tensors are."""
ADOPTED = "multivae"
"""What the bound and the data of an adopted run are called, neither of which is known here."""
AGAIN = "save the model anew with MultiVae 1.0"
REFUSED = {
    "MoPoE": "whose products leave out the prior's own expert, which ours have",
    "MVTCAE": "whose product leaves out the prior's own expert, which ours has",
}
Size = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class Saved(Record, frozen=True, kw_only=True):
    """What is read of `model_config.json`."""

    name: Annotated[str, Meta(max_length=100)]
    latent_dim: Size
    input_dims: Annotated[dict[str, tuple[Size, ...]], Meta(min_length=1, max_length=16)] | None
    decoders_dist: dict[str, str] | None = None
    decoder_dist_params: dict[str, dict[str, Any]] | None = None
    custom_architectures: tuple[str, ...] = ()
    prior_and_posterior_dist: Literal["laplace_with_softmax", "normal"] = "normal"

    @property
    def rule(self) -> str:
        """The model's name."""
        return self.name.removesuffix("Config").removesuffix("_")

    @property
    def family(self) -> str:
        """What each expert is."""
        is_laplace = self.prior_and_posterior_dist != "normal" and self.rule == "MMVAE"
        return "laplace" if is_laplace else "normal"


@dataclass(frozen=True)
class Adopted:
    """A configuration of ours and the weights that it describes."""

    config: RunConfig
    tensors: Mapping[str, "Tensor"]


def adopt(source: Path, study: Study, folder: Path) -> Run:
    """Write what MultiVae saved in `source` as a run of a study; RunError or UsageError, if not.

    Modalities are those of the study, by their names. The weights keep single precision.
    """
    if folder.exists():
        raise UsageError(f"There is a folder {folder} already; delete it, or take another name.")
    adopted = read(source, study.name)
    study.samples_of(adopted.config)
    write_json(folder / "config.json", to_dict(adopted.config))
    weights = folder / "weights.safetensors"
    write_tensors(weights, adopted.tensors, set(adopted.tensors))
    count = sum(one.numel() for one in adopted.tensors.values())
    write_record(folder / "card.json", untrained_card(weights, count))
    return Run(folder)


def read(source: Path, study: str) -> Adopted:
    """The model in a folder of MultiVae's; RunError in one sentence where it cannot be taken."""
    path = source / CONFIG
    saved = read_record(path, Saved, AGAIN)
    if saved.rule not in ("MVAE", "MMVAE"):
        why = REFUSED.get(saved.rule, "which has no counterpart here")
        raise RunError(
            f"{path} is of a {saved.rule[:40]!a}, {why}; MVAE and MMVAE can be adopted, and of "
            "others their embeddings, `study embed`."
        )
    if saved.custom_architectures or saved.input_dims is None:
        raise RunError(
            f"{path} tells of networks of one's own ({', '.join(saved.custom_architectures)[:80]}), "
            "which are kept as pickles and not opened here; models with the library's default "
            "networks can be adopted, and of others their embeddings, `study embed`."
        )
    tensors = _tensors(source / MODEL, _expected(saved))
    prior = _prior(saved, tensors, source / MODEL)
    config = _config(saved, study, "mixture" if prior else "standard_normal", str(path))
    mapped = _mapped(config, tensors) | prior
    wanted = described(config)
    if {name: list(one.shape) for name, one in mapped.items()} != wanted:
        raise RunError(f"{source / MODEL} does not hold all that its model needs; {AGAIN}.")
    return Adopted(config, {name: mapped[name] for name in wanted})


def _expected(saved: Saved) -> dict[str, tuple[int, ...]]:
    """The shapes of the library's default networks by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in (saved.input_dims or {}).items():
        size, latent, width = math.prod(shape), saved.latent_dim, WIDTH
        for place, ends in (
            (f"encoders.{name}.layers.0.0", (width, size)),
            (f"encoders.{name}.layers.1.0", (width, width)),
            (f"encoders.{name}.embedding", (latent, width)),
            (f"encoders.{name}.log_var", (latent, width)),
            (f"decoders.{name}.layers.0.0", (width, latent)),
            (f"decoders.{name}.layers.1.0", (size, width)),
        ):
            shapes |= {f"{place}.weight": ends, f"{place}.bias": ends[:1]}
    if saved.rule == "MMVAE":
        shapes |= dict.fromkeys(("prior_mean", "prior_log_var"), (1, saved.latent_dim))
    return shapes


def _tensors(path: Path, expected: Mapping[str, tuple[int, ...]]) -> dict[str, "Tensor"]:
    """The tensors of model.pt, held against the expected shapes before any number is read."""
    import torch

    check_file(path, MAX_BYTES, AGAIN)
    try:
        with zipfile.ZipFile(path) as archive:
            for one in archive.infolist():
                is_text = one.filename.endswith(".pkl")
                if one.compress_type or (is_text and one.file_size > MOST_PICKLED):
                    raise ValueError(f"{one.filename[:40]!a} is packed, or too large")
        # Only tensors and dicts can come out of it, and the numbers stay on disk.
        whole = torch.load(str(path), "cpu", weights_only=True, mmap=True)
        state = whole[STATE]
        shapes = {name: (tuple(one.shape), one.dtype) for name, one in state.items()}
    except (*npz.UNREADABLE, pickle.UnpicklingError, AttributeError) as error:
        raise unreadable(path, error, AGAIN) from None
    wanted = {name: (shape, torch.float32) for name, shape in expected.items()}
    if shapes != wanted:
        wrong = next(
            name for name in [*wanted, *map(str, shapes)] if shapes.get(name) != wanted.get(name)
        )
        raise RunError(
            f"{path} does not fit its {CONFIG}: {wrong[:80]} is {_told(shapes.get(wrong))}, expected "
            f"{_told(wanted.get(wrong))} of the library's default networks; {AGAIN}."
        )
    tensors = {name: state[name].detach().clone().contiguous() for name in wanted}
    bad = [name for name, one in tensors.items() if not torch.isfinite(one).all()]
    if bad:
        raise RunError(f"{path} holds NaN or infinity in {bad[0]}; {AGAIN}.")
    return tensors


def _told(one: tuple[tuple[int, ...], Any] | None) -> str:
    return "nothing" if one is None else f"{list(one[0])} as {one[1]}"


def _config(saved: Saved, study: str, prior: str, source: str) -> RunConfig:
    """The same model as a configuration of ours."""
    laws, settings = saved.decoders_dist or {}, saved.decoder_dist_params or {}
    is_product = saved.rule == "MVAE"
    parts = [
        {
            "name": name,
            "shape": list(shape),
            "network": "relu",
            "width": WIDTH,
            "likelihood": {"name": laws.get(name, "normal")} | settings.get(name, {}),
        }
        for name, shape in (saved.input_dims or {}).items()
    ]
    known = ("normal", "laplace", "bernoulli")
    if wrong := [
        one["likelihood"]["name"] for one in parts if one["likelihood"]["name"] not in known
    ]:
        raise RunError(
            f"{source} has a decoder's distribution {wrong[0][:40]!a}, of which ours has another "
            f"form; those of {', '.join(known)} can be adopted."
        )
    head = "softmax" if saved.family == "laplace" else "log_variance"
    return from_dict(
        {
            "study": study,
            "latent": saved.latent_dim,
            "features": 2 * saved.latent_dim,
            "modalities": parts,
            "aggregator": {
                "name": "poe" if is_product else "moe",
                "family": saved.family,
                "head": head,
            },
            "prior": {"name": prior, "family": saved.family, "components": 1},
            "objective": {"name": ADOPTED},
            "data": {"name": ADOPTED},
            "training": {"epochs": 1},
        },
        source,
    )


def _mapped(config: RunConfig, tensors: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """The weights by our names; location and log variance of an expert are one layer here."""
    import torch

    mapped: dict[str, Tensor] = {}
    for one in config.modalities:
        ours, theirs = f"parts.{one.name}", f"coders.{one.name}"
        for kind in ("weight", "bias"):
            for at, layer in enumerate(("layers.0.0", "layers.1.0")):
                mapped[f"{ours}.encoder.body.{2 * at}.{kind}"] = tensors[
                    f"en{theirs}.{layer}.{kind}"
                ]
                mapped[f"{ours}.decoder.body.{2 * at}.{kind}"] = tensors[
                    f"de{theirs}.{layer}.{kind}"
                ]
            ends = [tensors[f"en{theirs}.{end}.{kind}"] for end in ("embedding", "log_var")]
            mapped[f"{ours}.encoder.body.4.{kind}"] = torch.cat(ends)
        if one.likelihood.name != "bernoulli":
            log_scale = torch.tensor(math.log(one.likelihood.scale))
            mapped[f"{ours}.likelihood.log_scale"] = log_scale
    return mapped


def _prior(saved: Saved, tensors: Mapping[str, "Tensor"], path: Path) -> dict[str, "Tensor"]:
    """The prior's weights as a mixture of one component; none where it is the standard normal."""
    import torch

    from mmvae_core.probability.posteriors import MIN_SCALE

    if saved.rule == "MVAE":
        return {}
    loc, raw = tensors["prior_mean"], tensors["prior_log_var"].double()
    if saved.family == "normal" and not loc.any() and not raw.any():
        return {}
    is_laplace = saved.family == "laplace"
    scale = raw.softmax(-1) * raw.shape[-1] + 1e-6 if is_laplace else (raw / 2).exp()
    if (scale < 2 * MIN_SCALE).any():
        raise RunError(
            f"{path} holds a prior of the scale {float(scale.min()):.1e}, expected at least "
            f"{2 * MIN_SCALE:g} as priors have here; train it with learn_prior=False."
        )
    raw_scale = (scale - MIN_SCALE).expm1().log().float()
    return {"prior.logits": torch.zeros(1), "prior.loc": loc, "prior.raw_scale": raw_scale}
