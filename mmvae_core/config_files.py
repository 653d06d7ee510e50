"""Read configurations from TOML or JSON.

A run's `config.json` is the whole truth about how it was made. Committed TOML files may name a
base with `extends = "base.toml"`; tables are then merged key by key, the extending file winning.
They may name a known model with `preset = "mopoe"` (see `presets`).
"""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from mmvae_core.config import AggregatorConfig, ObjectiveConfig, RunConfig, from_dict
from mmvae_core.errors import ConfigError, one_line
from mmvae_core.files import parse_json
from mmvae_core.presets import PRESETS

MAX_CONFIG_BYTES = 1_000_000


def load_config(path: Path | str) -> RunConfig:
    """Read a TOML (with `extends`) or JSON configuration; ConfigError where it is none.

    >>> from mmvae_core.places import HOME
    >>> load_config(HOME / "configs" / "digits" / "sum_pooling-masked.toml").aggregator.name
    'sum_pooling'
    """
    try:
        return from_dict(_read(Path(path), depth=0), str(path))
    except RecursionError:
        raise ConfigError(f"{path} nests tables too deeply; write them as in configs/.") from None


def preset(name: str) -> tuple[AggregatorConfig, ObjectiveConfig]:
    """The aggregator and the objective of a known model; see `presets.PRESETS`."""
    tables = _preset(name, "preset")
    return (
        msgspec.convert(tables["aggregator"], AggregatorConfig),
        msgspec.convert(tables["objective"], ObjectiveConfig),
    )


def _read(path: Path, depth: int) -> dict[str, Any]:
    if depth > 4:
        raise ConfigError(f"{path} is the fifth file in a chain of `extends`; use at most four.")
    data = read_table(path)
    base, known = data.pop("extends", None), data.pop("preset", None)
    if path.suffix == ".json" and (base is not None or known is not None):
        word = "preset" if base is None else "extends"
        raise ConfigError(f"{path} names `{word}`, which only TOML files may; write all settings.")
    if known is not None:
        data = _merge(_preset(known, str(path)), data)
    if base is None:
        return data
    if not isinstance(base, str):
        raise ConfigError(f"{path}: `extends` must be a file name, got {base!r}.")
    return _merge(_read(path.parent / base, depth + 1), data)


def _preset(name: Any, source: str) -> dict[str, Any]:
    if not isinstance(name, str) or name not in PRESETS:
        known = ", ".join(PRESETS)
        raise ConfigError(f"{source}: there is no preset {name!r}; choose one of {known}.")
    return PRESETS[name]


def read_table(path: Path) -> dict[str, Any]:
    """What a TOML or JSON file holds, which must be a table; ConfigError where it is none."""
    try:
        if not path.is_file():
            raise ConfigError(f"There is no configuration file {path}; give that of a .toml file.")
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ConfigError(f"{path} is over {MAX_CONFIG_BYTES:,} bytes, too large for a config.")
        text = path.read_text(encoding="utf-8")
        data = parse_json(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        said = one_line(error)
        raise ConfigError(f"{path} cannot be read as a configuration: {said}.") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds a {type(data).__name__}, expected a table of settings.")
    return data


def _merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
