"""Trained runs and studies on disk.

A study is a folder: `study.json` (what its classes and symbols are called), `samples.npz` (fixed
test items), `truth.npz` (true latents of made items), `judge/` (classifiers), and one folder a run.
A run is a folder: `config.json`, `card.json` (how it was trained), `weights.safetensors`,
`history.csv`, `report.json` (what was measured), `latents.npz` (posteriors of the samples, so that
a first picture needs no model).
Nothing is ever unpickled; shapes are read and checked before memory is spent.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmvae_core.config import RunConfig, load_config
from mmvae_core.errors import RunError, UsageError, one_line
from mmvae_core.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

    from mmvae_core.evaluation.judge import Judge
    from mmvae_core.model import MultimodalVAE

TRAINED = "trained"
FITTED = ("mixture", "flow")
"""Priors that `second_stage` fits to a finished run, beside the trained one."""
SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints"
MAX_PARAMETERS = 500_000_000
MAX_ARRAY_BYTES = 2_000_000_000
MAX_JSON_BYTES = 50_000_000
# Damaged files raise all of these; MemoryError, for a header that claims too much, spends none.
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zlib.error,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Samples:
    """Fixed test items: arrays [item, ...] per modality and labels [item] in 0..classes-1."""

    data: Mapping[str, np.ndarray]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Latents:
    """Posteriors of the samples under every subset, ordered as `subsets.all_subsets`.

    `masks` [subset, modality]; `mean` and `stddev` [subset, item, latent] (a mixture's are its
    moments); `rate` [subset, item] in nats; `pca` and `umap` [subset, item, 2]. Of runs evaluated
    by an earlier version these are None: `distortion` and `log_likelihood` [subset, item] (see
    `evaluation.rates.distortions`), and `marginal` [subset, item], log p(x_S) of the first items,
    whose means are in the report.
    """

    masks: np.ndarray
    mean: np.ndarray
    stddev: np.ndarray
    rate: np.ndarray
    pca: np.ndarray
    pca_explained: np.ndarray
    umap: np.ndarray
    distortion: np.ndarray | None = None
    log_likelihood: np.ndarray | None = None
    marginal: np.ndarray | None = None


@dataclass(frozen=True)
class Run:
    """One trained run, read from its folder when asked."""

    folder: Path

    @property
    def id(self) -> str:
        """`study/run` by its folders' names, as every command prints and takes it."""
        folder = self.folder.resolve()
        return f"{folder.parent.name}/{folder.name}"

    @cached_property
    def config(self) -> RunConfig:
        """How the model is built and was trained."""
        return load_config(self.folder / "config.json")

    @cached_property
    def card(self) -> dict[str, Any]:
        """Epochs, device, hardware, threads, wall time, parameters, weights' hash."""
        return read_json(self.folder / "card.json")

    @cached_property
    def report(self) -> dict[str, Any]:
        """What `evaluate` measured."""
        return read_json(self.folder / "report.json")

    @property
    def priors(self) -> tuple[str, ...]:
        """The trained prior's name, then those of priors that were fitted to the run afterwards."""
        return (TRAINED, *FITTED) if (self.folder / "priors.json").is_file() else (TRAINED,)

    @property
    def weights(self) -> Path:
        """The weights' file."""
        return self.folder / "weights.safetensors"

    def latents(self) -> Latents:
        """Stored posteriors and coordinates of the study's samples."""
        path = self.folder / "latents.npz"
        arrays = read_arrays(path)
        fields = Latents.__dataclass_fields__.values()
        missing = [one.name for one in fields if one.default is MISSING and one.name not in arrays]
        if missing:
            raise RunError(f"{path} lacks {', '.join(missing)}; make it with `evaluate`.")
        return Latents(**{one.name: arrays[one.name] for one in fields if one.name in arrays})

    def model(self) -> "MultimodalVAE":
        """The trained model on the CPU in float32, in evaluation mode."""
        return load_model(self)


@dataclass(frozen=True)
class Study:
    """A folder of runs over the same data."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @cached_property
    def about(self) -> dict[str, Any]:
        """`title`, `classes` (names of the labels), `alphabets` by modality, `sources`."""
        return read_json(self.folder / "study.json")

    def runs(self) -> list[Run]:
        """The runs with a configuration and weights, by name."""
        found = sorted(self.folder.glob("*/weights.safetensors"))
        return [Run(path.parent) for path in found if (path.parent / "config.json").is_file()]

    def samples(self) -> Samples:
        """The fixed test items."""
        arrays = read_arrays(self.folder / "samples.npz")
        if "labels" not in arrays:
            raise RunError(f"{self.folder}/samples.npz lacks labels; make it with `study`.")
        return Samples(arrays, arrays.pop("labels"))

    def truth(self) -> np.ndarray | None:
        """The items' true latents [item, latent], where the data were made from known ones."""
        if not (path := self.folder / "truth.npz").is_file():
            return None
        latents = read_arrays(path).get("latents")
        if latents is None or latents.ndim != 2 or not np.isfinite(latents).all():
            raise RunError(f"{path} lacks finite latents [item, latent]; make the study anew.")
        return latents

    def judges(self) -> dict[str, "Judge"]:
        """One classifier per judged modality."""
        from mmvae_core.evaluation.judge import load_judge

        return {
            name: load_judge(self.folder / "judge" / f"{name}.safetensors", tuple(card["shape"]))
            for name, card in self.judge_cards.items()
        }

    @cached_property
    def judge_cards(self) -> dict[str, Any]:
        """What each judge was trained on and how often it is right on real test data."""
        path = self.folder / "judge" / "card.json"
        return read_json(path) if path.is_file() else {}


def studies(root: Path = SHIPPED) -> list[Study]:
    """The studies under a folder."""
    return [Study(path.parent) for path in sorted(root.glob("*/study.json"))]


def find_run(text: str, root: Path = SHIPPED) -> Run:
    """The run of an id as `runs` prints it, or of a folder."""
    known = {run.id: run for study in studies(root) for run in study.runs()}
    if text in known:
        return known[text]
    folder = Path(text)
    if (folder / "config.json").is_file() and (folder / "weights.safetensors").is_file():
        return Run(folder)
    listed = ", ".join(known) or "none"
    raise UsageError(f"There is no run {text!r}; known runs are {listed}, or give a run's folder.")


def find_study(run: Run, root: Path = SHIPPED) -> Study:
    """The study that a run belongs to: its own parent folder, else the shipped one of its name."""
    for folder in (run.folder.resolve().parent, root / run.config.study):
        if (folder / "study.json").is_file():
            return Study(folder)
    raise RunError(
        f"There is no study {run.config.study!r} for the run {run.folder}; put the run's folder "
        "beside the study's study.json and samples.npz."
    )


def load_model(run: Run) -> "MultimodalVAE":
    """Build the model and read its weights; RunError if they do not fit each other."""

    from mmvae_core.build import build_model

    check_size(run.config)
    model = build_model(run.config)
    expected = {name: list(value.shape) for name, value in model.state_dict().items()}
    model.load_state_dict(read_tensors(run.weights, expected))
    return model.eval().requires_grad_(False)


def read_tensors(
    path: Path, expected: Mapping[str, Sequence[int]], prefix: str = ""
) -> "dict[str, Tensor]":
    """The tensors of a safetensors file in float32; only those whose names begin with `prefix`.

    Names and shapes are compared with the expected ones before any is read; RunError where they
    differ, or a number is not finite.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            found = {
                name: list(file.get_slice(name).get_shape())
                for name in list(file.keys())
                if name.startswith(prefix)
            }
            if found != {name: list(shape) for name, shape in expected.items()}:
                raise RunError(_misfit(path, expected, found))
            tensors = {name: file.get_tensor(name).float() for name in expected}
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is unreadable ({one_line(error)}); copy it again.") from None
    bad = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if bad:
        raise RunError(f"{path} holds NaN or infinity in {bad[0]}; train the run anew.")
    return tensors


def check_size(config: RunConfig) -> int:
    """Parameters of a configuration, counted without spending their memory."""
    import torch

    from mmvae_core.build import build_model

    try:
        with torch.device("meta"):
            count = sum(value.numel() for value in build_model(config).parameters())
    except (RuntimeError, OverflowError, TypeError):  # sizes that 64 bits cannot count
        count = 2**63
    if count > MAX_PARAMETERS:
        raise RunError(
            f"The configuration describes {count:,} parameters, more than the {MAX_PARAMETERS:,} "
            "allowed here; make `width`, `features` or `latent` smaller."
        )
    return count


def save_weights(model: "MultimodalVAE", path: Path) -> None:
    """Write the weights in half precision, atomically."""
    write_tensors(path, model.state_dict())


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]") -> None:
    """Write tensors in half precision, atomically; RunError if that cannot hold them."""
    from safetensors.torch import save_file

    halves = {name: value.detach().cpu().half().contiguous() for name, value in tensors.items()}
    bad = [name for name, value in halves.items() if not value.isfinite().all()]
    if bad:
        raise RunError(
            f"The weights {bad[0]} are not finite in half precision (over 65,504, or NaN); train "
            "with a lower learning_rate."
        )
    with write_atomically(path) as temporary:
        save_file(halves, temporary)


def file_hash(path: Path) -> str:
    """The first twelve digits of a file's SHA-256, as shown beside every number of a run."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; RunError if it is missing, too large or damaged."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise RunError(f"{path} is larger than {MAX_JSON_BYTES:,} bytes; make it anew.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read ({one_line(error)}); make it again.") from None
    if not isinstance(data, dict):
        raise RunError(f"{path} holds a {type(data).__name__}, expected an object; make it anew.")
    return data


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write an object as readable JSON, atomically."""
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an npz file; sizes are checked first and nothing is unpickled."""
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
        if total > MAX_ARRAY_BYTES:
            raise RunError(f"{path} would take {total:,} bytes, over {MAX_ARRAY_BYTES:,} allowed.")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except UNREADABLE as error:
        raise RunError(f"{path} cannot be read ({one_line(error)}); make it again.") from None


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed npz file, atomically."""
    with write_atomically(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **dict(arrays))


def _misfit(
    path: Path, expected: Mapping[str, Sequence[int]], found: Mapping[str, Sequence[int]]
) -> str:
    wanted = {name: list(shape) for name, shape in expected.items()}
    name = next(name for name in [*wanted, *found] if wanted.get(name) != found.get(name))
    return (
        f"{path} does not fit its config.json: {name} has shape {found.get(name)}, "
        f"expected {wanted.get(name)}; copy both files from the same run."
    )
