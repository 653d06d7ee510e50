"""Symbols at positions, such as a word: stored as codes, written as text."""

from pathlib import Path

import numpy as np

from mmvae_core.errors import DataError
from mmvae_core.files import write_lines
from mmvae_core.modalities.kind import Kind


class Symbols(Kind):
    """Codes [length] below the number of symbols; means are probabilities [length, symbols]."""

    title = "symbols at positions"
    likelihoods = ("categorical",)
    axes = ("length", "symbols")

    @property
    def networks(self) -> tuple[str, ...]:
        """The one that reads codes."""
        return ("sequence",)

    @property
    def item(self) -> tuple[int, ...]:
        """A code a position."""
        return self.modality.shape[:1]

    @property
    def scaled(self) -> None:
        """Ones and zeros are left as they are."""

    @property
    def ones(self) -> int:
        """One symbol a position."""
        return self.modality.shape[0]

    @property
    def signs(self) -> int:
        """A sign a symbol."""
        return self.modality.shape[-1]

    def fault(self, values: np.ndarray) -> str | None:
        """Codes are whole numbers below the number of symbols."""
        if (wrong := super().fault(values)) is not None:
            return wrong
        if values.dtype.kind not in "iu":
            return f"as {values.dtype}, expected whole numbers, codes of symbols"
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= self.signs:
            return f"with codes from {low} to {high}, expected 0 to {self.signs - 1}"
        return None

    def plain(self, stored: np.ndarray) -> np.ndarray:
        """Codes, int64."""
        return np.asarray(stored, np.int64)

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Codes, of probabilities the likeliest."""
        codes = values if values.dtype.kind in "iu" else values.argmax(-1)
        return codes.astype(np.int64)

    def means(self, values: np.ndarray) -> np.ndarray:
        """Probabilities as they are, codes as certain ones."""
        if values.dtype.kind in "iu":
            return np.eye(self.signs, dtype=np.float32)[values]
        return values

    def texts(self, values: np.ndarray) -> list[str]:
        """Codes [n, length], or the likeliest of probabilities, as text; without signs as numbers."""
        between = " " if self.alphabet is None else ""
        return [between.join(map(self.sign, codes)) for codes in self.stored(np.asarray(values))]

    def sign(self, code: int) -> str:
        """What stands for a code: its sign, else its number."""
        return str(int(code)) if self.alphabet is None else self.alphabet[int(code)]

    def read(self, given: str | bytes) -> np.ndarray:
        """A text; where the symbols have no signs, their numbers from 0, between spaces or commas."""
        text = given if isinstance(given, str) else given[:1_000].decode(errors="replace").rstrip()
        return self._by_number(text) if self.alphabet is None else self._by_sign(text)

    def write(self, means: np.ndarray, folder: Path) -> list[Path]:
        """One file, `<name>.txt`, a line each."""
        return [write_lines(folder / f"{self.modality.name}.txt", self.texts(means))]

    def _by_sign(self, text: str) -> np.ndarray:
        """Padded with spaces on the right; capitals made small where the alphabet has none."""
        alphabet, length = "".join(self.alphabet or ()), self.modality.shape[0]
        given = text if alphabet != alphabet.lower() else text.lower()
        unknown = sorted(set(given) - set(alphabet))
        if unknown:
            raise DataError(
                f"The text {text[:40]!r} holds {', '.join(map(repr, unknown[:5]))}, expected only "
                f"the symbols {alphabet!r}; leave the others out."
            )
        if len(given) > length or (len(given) < length and " " not in alphabet):
            raise DataError(
                f"The text {text[:40]!r} has {len(given)} symbols, expected "
                f"{'at most ' if ' ' in alphabet else ''}{length}; make it fit."
            )
        return np.array([alphabet.index(symbol) for symbol in given.ljust(length)], dtype=np.int64)

    def _by_number(self, text: str) -> np.ndarray:
        (length,), symbols, parts = self.item, self.signs, text.replace(",", " ").split()
        valid = all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts)
        if len(parts) != length or not valid or any(int(part) >= symbols for part in parts):
            raise DataError(
                f"The text {text[:40]!r} was given, expected {length} whole "
                f"number{'s' if length > 1 else ''} from 0 to {symbols - 1}, between spaces."
            )
        return np.array([int(part) for part in parts], dtype=np.int64)
