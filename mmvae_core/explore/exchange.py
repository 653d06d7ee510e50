"""Items in and generations out, in forms that people have."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from mmvae_core.errors import UsageError
from mmvae_core.modalities.kind import Kind


def read_given(texts: Sequence[str], kinds: Mapping[str, Kind]) -> dict[str, Tensor]:
    """Items from `MODALITY=FILE` (pictures, numbers as .csv) and `MODALITY=TEXT` (words)."""
    items: dict[str, Tensor] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in kinds:
            raise UsageError(
                f"--given {text!r} is not MODALITY=FILE or MODALITY=TEXT with a modality of this "
                f"run, which are {', '.join(kinds)}."
            )
        if name in items:
            raise UsageError(f"--given names {name!r} twice; give each modality once.")
        items[name] = kinds[name].tensor(kinds[name].read(value))
    return items


def write_generated(
    means: Mapping[str, Tensor], kinds: Mapping[str, Kind], folder: Path
) -> list[Path]:
    """Write each modality's means [sample, *shape] as its kind is written; the files' paths."""
    return [
        path
        for name, values in means.items()
        for path in kinds[name].write(values.cpu().numpy(), folder)
    ]
