"""What a visitor takes home from a map: items with their latents, as CSV or npz."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ui.shell.state import subset_name


@dataclass(frozen=True)
class MapTable:
    """Items as a map shows them; the arrays' first axis is the item."""

    ids: np.ndarray
    labels: np.ndarray
    mean: np.ndarray
    """Posterior means [item, latent]."""
    scale: np.ndarray
    """Posterior standard deviations [item, latent], [item, 0] where they are not known."""
    where: np.ndarray
    """Coordinates on the map [item, 2]."""
    projection: str
    mask: Sequence[bool]
    names: Sequence[str]
    """Which of the modalities the model was shown."""
    run: str
    run_hash: str
    called: Sequence[str] = ()
    """The items' own names, where they have any."""

    def only(self, ids: Sequence[int]) -> "MapTable":
        """The rows of the chosen items, all if none is chosen."""
        kept = np.isin(self.ids, list(ids)) if len(ids) else np.ones(len(self.ids), bool)
        rows = np.flatnonzero(kept)
        arrays = ("ids", "labels", "mean", "scale", "where")
        called = tuple(self.called[int(row)] for row in rows) if self.called else ()
        return replace(self, called=called, **{name: getattr(self, name)[rows] for name in arrays})

    def csv(self) -> bytes:
        """One line an item; what is the same for all stands in every line."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(
            [
                "id",
                *(["name"] if self.called else []),
                "label",
                "x",
                "y",
                *(f"mean_{i}" for i in range(self.mean.shape[1])),
                *(f"scale_{i}" for i in range(self.scale.shape[1])),
                "projection",
                "mask",
                "run",
                "run_hash",
            ]
        )
        same = [self.projection, subset_name(self.mask, self.names), self.run, self.run_hash]
        numbers = np.concatenate([self.where, self.mean, self.scale], 1)
        for place, row in enumerate(numbers):
            head = [int(self.ids[place]), *self.called[place : place + 1], int(self.labels[place])]
            writer.writerow([*head, *(f"{value:.7g}" for value in row), *same])
        return text.getvalue().encode()

    def npz(self) -> bytes:
        """The same as arrays; nothing in it is pickled."""
        file = io.BytesIO()
        np.savez_compressed(
            file,
            ids=self.ids,
            names=np.array(self.called, dtype=np.str_),
            labels=self.labels,
            latent_mean=self.mean,
            latent_scale=self.scale,
            coordinates=self.where,
            projection=np.array(self.projection),
            mask=np.array(self.mask, bool),
            modalities=np.array(self.names, dtype=np.str_),
            run=np.array(self.run),
            run_hash=np.array(self.run_hash),
        )
        return file.getvalue()
