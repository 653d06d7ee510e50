"""Items in and generations out, in forms that people have: pictures and text."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmvae_core.config import ModalityConfig, RunConfig
from mmvae_core.errors import DataError, UsageError
from mmvae_core.files import write_atomically
from mmvae_core.modalities.own_input import read_picture, read_symbols
from mmvae_core.store.records import About


def read_given(texts: Sequence[str], config: RunConfig, about: About) -> dict[str, Tensor]:
    """Items from `MODALITY=FILE` (pictures, numbers as .csv) and `MODALITY=TEXT` (words)."""
    known = {modality.name: modality for modality in config.modalities}
    items: dict[str, Tensor] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"--given {text!r} is not MODALITY=FILE or MODALITY=TEXT with a modality of this "
                f"run, which are {', '.join(known)}."
            )
        if name in items:
            raise UsageError(f"--given names {name!r} twice; give each modality once.")
        alphabet = about.alphabets.get(name)
        items[name] = read_item(value, known[name], alphabet)
    return items


def read_item(value: str, modality: ModalityConfig, alphabet: str | None = None) -> Tensor:
    """One item of a modality from a file's path or, for symbols, the text itself."""
    if modality.network == "sequence":
        return torch.from_numpy(read_symbols(value, alphabet, modality.shape))
    path = Path(value)
    if not path.is_file():
        raise DataError(f"There is no file {value!r} for {modality.name!r}; give a file's path.")
    if modality.network == "image":
        return torch.from_numpy(read_picture(path, modality.shape))
    return _numbers(path, modality)


def write_generated(
    means: Mapping[str, Tensor], config: RunConfig, about: About, folder: Path
) -> list[Path]:
    """Write each modality's samples [sample, ...]: a PNG a picture, one text file of words."""
    known = {modality.name: modality for modality in config.modalities}
    paths: list[Path] = []
    for name, values in means.items():
        if known[name].network == "image":
            paths += [
                _write_picture(value, folder / f"{name}-{index:02d}.png")
                for index, value in enumerate(values)
            ]
        elif name in about.alphabets:
            lines = words(values, about.alphabets[name])
            paths.append(_write_text(lines, folder / f"{name}.txt"))
        else:
            lines = [",".join(f"{x:.6g}" for x in value.flatten().tolist()) for value in values]
            paths.append(_write_text(lines, folder / f"{name}.csv"))
    return paths


def words(probabilities: Tensor, alphabet: str) -> list[str]:
    """The likeliest symbol at each position of [n, length, symbols]."""
    likeliest = probabilities.argmax(-1).tolist()
    return ["".join(alphabet[code] for code in codes) for codes in likeliest]


def to_picture(values: Tensor) -> Image.Image:
    """[channel, height, width] in 0..1 (clipped) as an 8-bit picture."""
    pixels = (values.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _write_picture(values: Tensor, path: Path) -> Path:
    with write_atomically(path) as temporary:
        to_picture(values).save(temporary, format="PNG")
    return path


def _write_text(lines: Sequence[str], path: Path) -> Path:
    with write_atomically(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _numbers(path: Path, modality: ModalityConfig) -> Tensor:
    try:
        with warnings.catch_warnings(action="ignore"):  # of an empty file, refused below
            values = np.loadtxt(path, delimiter=",", dtype=np.float32, max_rows=10_000)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read as numbers ({error}); write them separated by commas."
        ) from None
    if values.size != int(np.prod(modality.shape)):
        raise DataError(
            f"{path} holds {values.size} numbers, {modality.name!r} has "
            f"{int(np.prod(modality.shape))}; give as many."
        )
    return torch.from_numpy(values.reshape(modality.shape))
