"""What a kind of modality tells: what goes with it, and the forms that its values have.

A value is *stored* in a study as numpy's numbers, is a *tensor* where a model takes it, and a file
or a text where people have it. Needs no torch before a tensor is asked for, and no picture before
one is read or written.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.errors import ConfigError, DataError, one_line

if TYPE_CHECKING:
    from torch import Tensor

MAX_BYTES = 8_000_000
RANGES = {"bernoulli": (0.0, 1.0)}
"""What numbers a likelihood can be of, where that is not any."""
NUMERIC = ("mlp", "linear", "known", "relu")
"""Networks that take numbers of any shape, flattened."""


@dataclass(frozen=True)
class Kind(ABC):
    """The values of one modality; `alphabet` are its symbols' signs where a study names them.

    Where `gaps` says so, single entries of a value may be missing: NaN among plain numbers, a
    negative code. They have no effect on any likelihood, and an encoder sees zero in their place,
    after centring and scaling.
    """

    modality: ModalityConfig
    alphabet: Sequence[str] | None = None

    title: ClassVar[str]
    """What a value is, in a sentence: `a grey picture`."""
    likelihoods: ClassVar[tuple[str, ...]] = ()
    """Likelihoods that go with this kind alone."""
    gaps: ClassVar[bool] = False
    """Whether single entries may be missing."""
    compressed: ClassVar[bool] = False
    """Whether an encoder sees log(1 + x)."""
    axes: ClassVar[tuple[str, ...]] = ()
    """What the numbers of `shape` count; none named where there may be any."""

    @classmethod
    def takes(cls, modality: ModalityConfig) -> bool:
        """Whether a modality is of this kind; `kinds.KINDS` are asked in their order."""
        return modality.likelihood.name in cls.likelihoods

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that take such values."""
        return NUMERIC

    @property
    def item(self) -> tuple[int, ...]:
        """The shape of one stored value."""
        return self.modality.shape

    @property
    def scaled(self) -> tuple[int, ...] | None:
        """The shape in which inputs are centred and scaled; None where they are not."""
        return self.modality.shape

    @property
    def ones(self) -> int | None:
        """How many of an encoder's inputs are not zero at once; None where all may be."""
        return None

    @property
    def signs(self) -> int | None:
        """How many signs an alphabet has; None where there is no alphabet."""
        return None

    def check(self) -> None:
        """ConfigError unless shape and network go with the kind."""
        one = self.modality
        said = f"Modality {one.name!r} with likelihood {one.likelihood.name!r} is {self.title}"
        if self.axes and len(one.shape) != len(self.axes):
            raise ConfigError(
                f"{said}, which needs a shape of {len(self.axes)} numbers ({', '.join(self.axes)}), "
                f"got {list(one.shape)}; mend `shape`."
            )
        if one.network not in self.networks:
            raise ConfigError(
                f"{said} of shape {list(one.shape)}, whose network is "
                f"{' or '.join(self.networks)}, got {one.network!r}; mend one of them."
            )

    def fault(self, values: np.ndarray) -> str | None:
        """What is wrong with stored values [n, ...], with what was expected; None if nothing."""
        if values.shape[1:] != self.item:
            return f"of shape {list(values.shape[1:])} an item, expected {list(self.item)}"
        if values.dtype.kind != "f":
            return None
        if np.isinf(values).any() or (not self.gaps and np.isnan(values).any()):
            return "with NaN or infinity, expected finite numbers"
        if not self.known(values).reshape(len(values), -1).any(1).all():
            return "of which every entry is missing, expected at least one"
        low, high = RANGES.get(self.modality.likelihood.name, (-np.inf, np.inf))
        least, most = float(np.nanmin(values, initial=high)), float(np.nanmax(values, initial=low))
        if least < low or most > high:
            return (
                f"from {least:.6g} to {most:.6g}, expected {low:g} to {high:g}, as its likelihood "
                f"{self.modality.likelihood.name!r} is of no others"
            )
        return None

    def known(self, values: np.ndarray) -> np.ndarray:
        """Which entries of plain values are not missing: bool of their shape."""
        return ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)

    def checked(self, value: np.ndarray) -> np.ndarray:
        """The same single value; DataError if it is not such as this modality has."""
        if (fault := self.fault(value[None])) is not None:
            raise DataError(f"{self.modality.name!r} was given values {fault}; mend them.")
        return value

    def tensor(self, stored: np.ndarray) -> "Tensor":
        """Stored values [..., *item] as a model takes them."""
        import torch

        return torch.from_numpy(np.ascontiguousarray(self.plain(stored)))

    @abstractmethod
    def plain(self, stored: np.ndarray) -> np.ndarray:
        """The same numbers in numpy: float32, of symbols their codes, int64."""

    @abstractmethod
    def stored(self, values: np.ndarray) -> np.ndarray:
        """Values [..., *item] or means E[x | z] [..., *shape] as a study stores them."""

    def means(self, values: np.ndarray) -> np.ndarray:
        """Plain values [n, *item] in the form of means [n, *shape]."""
        return values

    @abstractmethod
    def read(self, given: str | bytes) -> np.ndarray:
        """A person's own value, plain: a file's path, its bytes, or a text; DataError if unfit."""

    @abstractmethod
    def write(self, means: np.ndarray, folder: Path) -> list[Path]:
        """Write means [n, *shape] in a form that people have; the files' paths."""


def unit(stored: np.ndarray) -> np.ndarray:
    """Numbers as float32; bytes stand for 0 to 1."""
    scale = 255 if stored.dtype == np.uint8 else 1
    return np.asarray(stored, np.float32) / scale


def content(given: str | bytes, name: str) -> bytes:
    """The bytes of a file, by its path or as they are; DataError if it is missing or too large."""
    if isinstance(given, str):
        return _content_of(Path(given), name)
    _check_size(len(given), name)
    return given


def _content_of(path: Path, name: str) -> bytes:
    try:
        if not path.is_file():
            raise DataError(f"There is no file {str(path)!r} for {name!r}; give a file's path.")
        _check_size(path.stat().st_size, name)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # of names too long or with a zero, too
        said = one_line(error)
        raise DataError(f"The file for {name!r} cannot be read ({said}); give another.") from None


def _check_size(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"The file for {name!r} has {size / 1e6:.1f} MB, expected at most "
            f"{MAX_BYTES / 1e6:.0f} MB; save it smaller."
        )
