"""Categories: of each of some questions one of K answers, in no order; such as a diet."""

import numpy as np

from mmvae_core.errors import DataError
from mmvae_core.modalities.symbols import Symbols

UNKNOWN = "?"
BETWEEN = ", "


class Categories(Symbols):
    """Codes [question] below the number of answers, -1 where one is missing.

    `alphabet` are the answers' names.
    """

    title = "categories"
    likelihoods = ("categories",)
    gaps = True
    axes = ("questions", "answers")

    def fault(self, values: np.ndarray) -> str | None:
        """Codes are whole numbers below the number of answers, or -1."""
        if values.dtype.kind != "i" or not values.size or values.shape[1:] != self.item:
            return super().fault(values)
        if not self.known(values).any(1).all():
            return "of which every entry is missing, expected at least one"
        return super().fault(np.where(values == -1, 0, values))

    def known(self, values: np.ndarray) -> np.ndarray:
        """Not -1."""
        return values >= 0 if values.dtype.kind == "i" else super().known(values)

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Codes; of probabilities the likeliest, of none at all -1."""
        if values.dtype.kind in "iu":
            return values.astype(np.int64)
        return np.where(values.any(-1), values.argmax(-1), -1).astype(np.int64)

    def means(self, values: np.ndarray) -> np.ndarray:
        """Probabilities as they are, codes as certain ones, a missing one as none."""
        if values.dtype.kind not in "iu":
            return values
        known = self.known(values)
        certain = np.eye(self.signs, dtype=np.float32)[np.where(known, values, 0)]
        return certain * known[..., None].astype(np.float32)

    def texts(self, values: np.ndarray) -> list[str]:
        """Names of codes [n, question], or of the likeliest of probabilities."""
        return [BETWEEN.join(map(self.sign, codes)) for codes in self.stored(np.asarray(values))]

    def sign(self, code: int) -> str:
        """The answer's name, else its number."""
        return UNKNOWN if code < 0 else super().sign(code)

    def read(self, given: str | bytes) -> np.ndarray:
        """Names between commas; where there are none, numbers from 0."""
        text = given if isinstance(given, str) else given[:100_000].decode(errors="replace")
        if self.alphabet is None:
            return self._by_number(text)
        codes = {name.strip(): code for code, name in reversed([*enumerate(self.alphabet)])}
        parts = [part.strip() for part in text.rstrip("\r\n").split(",")]
        unknown = [part for part in parts if part not in codes]
        if unknown or len(parts) != self.item[0]:
            known = BETWEEN.join(list(self.alphabet)[:20])
            raise DataError(
                f"The text {text[:40]!r} was given, expected {self.item[0]} of {known}"
                f"{'' if self.item[0] == 1 else ', between commas'}; give as many."
            )
        return np.array([codes[part] for part in parts], dtype=np.int64)
