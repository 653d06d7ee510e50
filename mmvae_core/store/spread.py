"""The same models by other seeds and other weights of the KL: of these only the reports are kept.

They lie in the folder `spread` of a study, each with its configuration, card, history and report.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmvae_core.config import to_dict
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study

FOLDER = "spread"
Setting = Literal["training.seed", "objective.beta"]


@dataclass(frozen=True)
class Series:
    """Measured runs that are alike in all but one setting, by its values, the least first."""

    shipped: Run
    values: tuple[float, ...]
    runs: tuple[Run, ...]


def kept_runs(study: Study) -> list[Run]:
    """The runs of the study's folder `spread` that have a configuration and a report, by name."""
    reports = sorted((study.folder / FOLDER).glob("*/report.json"))
    return [Run(path.parent) for path in reports if (path.parent / "config.json").is_file()]


def find_series(
    shipped: Sequence[Run], kept: Sequence[Run], setting: Setting
) -> tuple[Series, ...]:
    """Each shipped run with those of the kept ones that differ from it in the one setting alone.

    In order of the shipped ones, which are passed over where they are not measured, or no other is
    alike. RunError of a damaged file.
    """
    alike: dict[str, list[Run]] = {}
    for run in kept:
        alike.setdefault(_but(run, setting), []).append(run)
    series = []
    for run in (one for one in shipped if one.is_measured):
        runs = sorted(
            (run, *alike.get(_but(run, setting), ())), key=lambda one: _value(one, setting)
        )
        if len(runs) > 1:
            series.append(Series(run, tuple(_value(one, setting) for one in runs), tuple(runs)))
    return tuple(series)


def _but(run: Run, setting: Setting) -> str:
    """All of a run's configuration but one setting, to compare."""
    table, name = setting.split(".")
    whole = to_dict(run.config)
    del whole[table][name]
    return json.dumps(whole, sort_keys=True)


def _value(run: Run, setting: Setting) -> float:
    table, name = setting.split(".")
    return float(to_dict(run.config)[table][name])
