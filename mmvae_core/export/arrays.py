"""A run as plain arrays: a manifest of its networks and their numbers in half precision.

`manifest.json` says what the run is and how its networks follow each other; `weights.bin` holds
the numbers. Numpy alone reads both: `docs/export.md`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from mmvae_core.errors import RunError
from mmvae_core.export.fusions import written_aggregator, written_prior
from mmvae_core.export.layers import Arrays, Step, steps
from mmvae_core.files import write_atomically, write_json
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.kinds import kinds_of
from mmvae_core.modalities.modality import Modality
from mmvae_core.modalities.symbols import Symbols
from mmvae_core.model import MultimodalVAE
from mmvae_core.probability.counts import NegativeBinomial, Poisson
from mmvae_core.probability.likelihoods import Bernoulli, Categorical, Likelihood, LocationScale
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from mmvae_core.store.weights import file_hash

FORMAT = 1


@dataclass(frozen=True)
class Export:
    """A run as a manifest and the bytes of its numbers."""

    manifest: Mapping[str, Any]
    numbers: bytes

    def packed(self) -> bytes:
        """Both in one: length of the manifest (u32, a multiple of 4), manifest, numbers."""
        head = json.dumps(self.manifest, separators=(",", ":")).encode()
        head += b" " * (-len(head) % 4)
        return len(head).to_bytes(4, "little") + head + self.numbers

    @property
    def address(self) -> str:
        """The first 32 digits of the SHA-256 of `packed`: equal addresses hold equal bytes."""
        return hashlib.sha256(self.packed()).hexdigest()[:32]


def of_run(run: Run, study: Study | None = None) -> Export:
    """The whole trained model; RunError where a part of it has no counterpart."""
    kinds = kinds_of(run.config, {} if study is None else study.about.signs)
    about = {"run": run.id, "weights": file_hash(run.weights)}
    return of_model(run.model(), kinds, about)


def of_model(
    model: MultimodalVAE, kinds: Mapping[str, Kind], about: Mapping[str, Any] | None = None
) -> Export:
    """A model in memory; what float16 cannot hold is rounded, shipped weights lose nothing."""
    arrays = Arrays()
    prior = written_prior(
        model.prior, arrays
    )  # first: of one that cannot be written nothing is drawn
    parts = [_modality(model.modality(name), kinds[name], arrays) for name in model.names]
    manifest = {
        "format": FORMAT,
        **(about or {}),
        "names": list(model.names),
        "latent": int(model.prior().mean.shape[-1]),
        "modalities": parts,
        "aggregator": written_aggregator(model.aggregator, arrays),
        "prior": prior,
    }
    return Export(manifest | {"arrays": arrays.table()}, arrays.halves())


def write(export: Export, folder: Path) -> list[Path]:
    """Write `weights.bin` and `manifest.json`, which names it by its hash; their paths."""
    manifest, weights = folder / "manifest.json", folder / "weights.bin"
    with write_atomically(weights) as temporary:
        temporary.write_bytes(export.numbers)
    files = {weights.name: hashlib.sha256(export.numbers).hexdigest()}
    write_json(manifest, {**export.manifest, "files": files})
    return [manifest, weights]


def _modality(modality: Modality, kind: Kind, arrays: Arrays) -> Step:
    name = modality.name
    inputs = steps(modality.inputs, arrays, f"{name}.encoder.0")
    if kind.compressed:
        inputs = [{"op": "log1p"}, *inputs]
    if not isinstance(kind, Symbols):
        inputs += [{"op": "no_gaps"}]
    behind = nn.Sequential(modality.encoder, modality.norm)
    return {
        "name": name,
        "kind": type(kind).__name__,
        "shape": list(modality.config.shape),
        "alphabet": kind.alphabet,
        "item": list(kind.item),
        "columns": [[part.start, part.stop] for part in modality.columns],
        "encoder": inputs + steps(behind, arrays, f"{name}.encoder"),
        "decoder": steps(modality.decoder, arrays, f"{name}.decoder"),
        **_likelihood(modality.likelihood, arrays, name),
    }


def _likelihood(likelihood: Likelihood, arrays: Arrays, name: str) -> Step:
    """What makes the mean out of a decoder's outputs, as steps, and the scale if there is one."""
    if type(likelihood) not in MEANS:
        raise RunError(
            f"The likelihood of {name} is {type(likelihood).__name__}, which the export does not "
            f"know; it knows {', '.join(one.__name__ for one in MEANS)}."
        )
    named = {
        key: arrays.keep_finely(f"{name}.{key}", value)
        for key, value in (*likelihood.named_parameters(), *likelihood.named_buffers())
    }
    log_scale = {"log_scale": named.pop("log_scale")} if "log_scale" in named else {}
    return {"mean": MEANS[type(likelihood)](named)} | log_scale


def _counts(named: Mapping[str, str]) -> list[Step]:
    return [{"op": "share", **named}] if named else [{"op": "rate"}]


MEANS: dict[type[Likelihood], Callable[[Mapping[str, str]], list[Step]]] = {
    Bernoulli: lambda named: [{"op": "sigmoid"}],
    Categorical: lambda named: [{"op": "softmax"}],
    LocationScale: lambda named: [{"op": "in_units", **named}] if named else [],
    Poisson: _counts,
    NegativeBinomial: _counts,
}
"""The steps of each likelihood's mean, given the arrays that it holds beside its scale."""
