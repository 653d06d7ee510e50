"""The picture that a study opens with, on disk: one item under every subset, ready to be drawn."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from mmvae_core.config import ModalityConfig
from mmvae_core.errors import RunError
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.modalities.symbols import Symbols
from mmvae_core.store.arrays import Contract, read_arrays, write_arrays
from mmvae_core.store.held import SAMPLES
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import About, Opening
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from mmvae_core.store.weights import file_hash

MOST_MODALITIES = 5
"""Up to so many a picture of all subsets is made."""
FILE, DRAWS = "opening.npz", "draws."
PICTURE = {
    "weights": Contract(("6",), "u"),
    "item": Contract(("1",), "iu"),
    "masks": Contract(("node", "modality"), "b"),
    "rate": Contract(("node",)),
    "rate_error": Contract(("node",)),
    "width": Contract(("node",)),
    "prior_width": Contract(("1",)),
    "lines": Contract(("point", "2")),
    "points": Contract(("node",), "iu"),
    "closed": Contract(("1",), "b"),
    "latents": Contract(("draw", "node", "2")),
    "others": Contract(("other", "2")),
    "other_labels": Contract(("other",), "iu"),
}
"""The arrays of opening.npz beside the draws of each modality; see `Picture`."""
VALUES = Contract(("draw", "node", "..."), "fiu")


@dataclass(frozen=True)
class Picture:
    """An item under every subset, nodes ordered as `subsets.all_subsets`.

    `weights` are the first twelve digits of the run's hash, as bytes; `rate`, `rate_error` (0 where
    exact) and `width` [node] as `explore.lattice` makes them. In a plane: the `lines` that hold
    95 % of each node's posterior, one after the other [point, 2], of which each node has so many
    `points`; `closed` tells whether they are closed lines or else segments, two points each; the
    draws as `latents` [draw, node, 2]; the means of `others` [other, 2], test items of the classes
    `other_labels`. `draws` [draw, node, ...] by modality are what is made of the latents: codes of
    symbols, bytes of pictures, else numbers.
    """

    weights: np.ndarray
    item: np.ndarray
    masks: np.ndarray
    rate: np.ndarray
    rate_error: np.ndarray
    width: np.ndarray
    prior_width: np.ndarray
    lines: np.ndarray
    points: np.ndarray
    closed: np.ndarray
    latents: np.ndarray
    others: np.ndarray
    other_labels: np.ndarray
    draws: Mapping[str, np.ndarray]

    def outlines(self) -> list[np.ndarray]:
        """By node its line: points [point, 2], or segments [segment, 2, 2]."""
        pieces = np.split(self.lines, np.cumsum(self.points)[:-1])
        return pieces if self.closed[0] else [one.reshape(-1, 2, 2) for one in pieces]


def write_about(study: Study, about: About) -> None:
    """Write `study.json` for the test items beside it, last of a study that is made.

    What the study opened with stays where it was chosen for the same items; else it and its picture
    go, as another item may bear its number.
    """
    about = replace(about, samples=file_hash(study.folder / SAMPLES))
    before = _about_before(study)
    if before is not None and before.opening is not None and before.samples == about.samples:
        about = replace(about, opening=before.opening)
    write_record(study.folder / "study.json", about)
    if about.opening is None:
        (study.folder / FILE).unlink(missing_ok=True)


def opening_before(study: Study) -> Opening | None:
    """What a study opens with, if it is there, can be read and has chosen."""
    about = _about_before(study)
    return None if about is None else about.opening


def _about_before(study: Study) -> About | None:
    if (study.folder / "study.json").is_file():
        with suppress(RunError):
            return study.about
    return None


def weights_of(run: Run) -> np.ndarray:
    """The first twelve digits of a run's hash, as bytes."""
    return np.frombuffer(bytes.fromhex(run.card.weights[:12]), np.uint8)


def write_picture(study: Study, picture: Picture) -> Path:
    """Write it beside `study.json`."""
    arrays = {one.name: getattr(picture, one.name) for one in fields(picture)}
    draws = arrays.pop("draws")
    path = study.folder / FILE
    write_arrays(path, arrays | {DRAWS + name: values for name, values in draws.items()})
    return path


def read_picture(study: Study, run: Run, item: int) -> Picture | None:
    """The stored picture; None if there is none, or it is of other weights or of another item."""
    path, count = study.folder / FILE, len(run.config.names)
    if not path.exists():
        return None
    remedy = f"make it anew with `python -m mmvae_core opening {study.name}`"
    sizes = {"modality": count, "node": 2**count}
    arrays = read_arrays(path, PICTURE, sizes, remedy, others=VALUES)
    if int(arrays["item"][0]) != item or (arrays["weights"] != weights_of(run)).any():
        return None
    draws = {one.name: _draws(path, arrays, one, remedy) for one in run.config.modalities}
    picture = Picture(**{name: arrays[name] for name in PICTURE}, draws=draws)
    _check_lines(path, picture, remedy)
    return picture


def _draws(
    path: Path, arrays: Mapping[str, np.ndarray], modality: ModalityConfig, remedy: str
) -> np.ndarray:
    """The draws of a modality; RunError unless they are of its shape, codes below its symbols."""
    name = DRAWS + modality.name
    if name not in arrays:
        raise RunError(f"{path} lacks {name}; {remedy}.")
    kind, values = kind_of(modality), arrays[name]
    is_codes, shape = isinstance(kind, Symbols), kind.item
    if values.shape[2:] != shape or (is_codes and values.dtype.kind == "f"):
        raise RunError(
            f"{path} holds {name} of shape {list(values.shape[2:])} a draw, as {values.dtype}, "
            f"expected {list(shape)} as the run has; {remedy}."
        )
    if is_codes and not 0 <= int(values.min()) <= int(values.max()) < modality.shape[-1]:
        raise RunError(f"{path} holds codes in {name} that are no symbols; {remedy}.")
    return values


def _check_lines(path: Path, picture: Picture, remedy: str) -> None:
    points, count = picture.points, len(picture.lines)
    whole = picture.closed[0] or not (points % 2).any()
    if int(points.min()) < 2 or int(points.sum()) != count or not whole:
        raise RunError(
            f"{path} holds points that sum to {int(points.sum()):,}, expected at least 2 for each "
            f"subset and {count:,} in all, as there are in lines; {remedy}."
        )
