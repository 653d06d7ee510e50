"""Pictures: brightness in 0..1, stored as bytes or as numbers, written as PNG."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from mmvae_core.config import ModalityConfig
from mmvae_core.files import write_atomically
from mmvae_core.modalities.kind import NUMERIC, Kind, content, unit


class Picture(Kind):
    """Base: values [channel, height, width] of `channels` channels."""

    axes = ("channel", "height", "width")
    channels: ClassVar[int]

    @classmethod
    def takes(cls, modality: ModalityConfig) -> bool:
        """Whatever the network: it is the shape that makes a picture."""
        return len(modality.shape) == len(cls.axes) and modality.shape[0] == cls.channels

    @property
    def networks(self) -> tuple[str, ...]:
        """Convolutions, or any network of numbers."""
        return (*NUMERIC, "image")

    @property
    def scaled(self) -> tuple[int, ...]:
        """By channel."""
        return (self.channels, 1, 1)

    def plain(self, stored: np.ndarray) -> np.ndarray:
        """float32, bytes in 0..1."""
        return unit(stored)

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Bytes, of numbers cut to 0..1."""
        if values.dtype == np.uint8:
            return values
        return (np.clip(values, 0, 1) * 255).round().astype(np.uint8)

    def write(self, means: np.ndarray, folder: Path) -> list[Path]:
        """A PNG each: `<name>-<number>.png`."""
        from PIL import Image

        paths = []
        for index, pixels in enumerate(self.stored(means).transpose(0, 2, 3, 1)):
            path = folder / f"{self.modality.name}-{index:02d}.png"
            with write_atomically(path) as temporary:
                picture = Image.fromarray(pixels[..., 0] if self.channels == 1 else pixels)
                picture.save(temporary, format="PNG")
            paths.append(path)
        return paths


class GreyPicture(Picture):
    """One channel; people's own are taken for handwriting, and made to look like MNIST."""

    title = "a grey picture"
    channels = 1

    def read(self, given: str | bytes) -> np.ndarray:
        """A PNG or JPEG as ink, bright on black and centred."""
        from mmvae_core.modalities.own_input import read_handwriting

        return read_handwriting(content(given, self.modality.name), *self.modality.shape[1:])


class ColourPicture(Picture):
    """Red, green and blue."""

    title = "a colour picture"
    channels = 3

    def read(self, given: str | bytes) -> np.ndarray:
        """A PNG or JPEG, cut to its central square."""
        from mmvae_core.modalities.own_input import read_photo

        return read_photo(content(given, self.modality.name), *self.modality.shape[1:])
