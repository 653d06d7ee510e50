"""Numbers that a card of a lesson may claim, by name; each is computed anew whenever it is shown.

A card names a quantity and what it is of. Nothing of a card is evaluated: it picks one of these.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmvae_core.errors import UsageError
from mmvae_core.explore import claims_of_runs, claims_of_toys

Quantity = Callable[..., float]
ROOT = "root"
"""The argument of those that read runs: the folder of studies, which no card gives."""
QUANTITIES: dict[str, Quantity] = {
    "toy.width": claims_of_toys.width,
    "toy.precision": claims_of_toys.precision,
    "toy.place": claims_of_toys.place,
    "toy.distance": claims_of_toys.distance,
    "toy.gap": claims_of_toys.gap,
    "toy.log_likelihood": claims_of_toys.log_likelihood,
    "toy.fall": claims_of_toys.fall,
    "toy.bound": claims_of_toys.bound,
    "toy.lost": claims_of_toys.lost,
    "toy.expected_bound": claims_of_toys.expected_bound,
    "toy.best_share": claims_of_toys.best_share,
    "toy.blur_cost": claims_of_toys.blur_cost,
    "toy.correlation": claims_of_toys.correlation,
    "toy.turned": claims_of_toys.turned,
    "run.log_likelihood": claims_of_runs.log_likelihood,
    "run.log_likelihood_fall": claims_of_runs.log_likelihood_fall,
    "run.coherence": claims_of_runs.coherence,
    "run.joint_coherence": claims_of_runs.joint_coherence,
    "run.mcc": claims_of_runs.mcc,
    "run.order_change": claims_of_runs.order_change,
    "run.neighbours_kept": claims_of_runs.neighbours_kept,
    "run.distances_kept": claims_of_runs.distances_kept,
    "run.explained": claims_of_runs.explained,
}


def check(name: str, given: Mapping[str, Any]) -> None:
    """UsageError unless there is such a quantity, and it is of what is given."""
    if name not in QUANTITIES:
        raise UsageError(
            f"There is no quantity {name!r}; choose one of {', '.join(sorted(QUANTITIES))}."
        )
    known = _arguments(name)
    needed = [key for key, one in known.items() if one.default is inspect.Parameter.empty]
    unknown = [key for key in given if key not in known]
    lacking = [key for key in needed if key not in given]
    if unknown or lacking:
        said = f"was given {unknown[0]!r}" if unknown else f"lacks {lacking[0]!r}"
        raise UsageError(f"The quantity {name} {said}; it is of {', '.join(known)}.")


def measure(name: str, given: Mapping[str, Any], root: Path) -> float:
    """The quantity's value; `root` is the folder of studies.

    Raises UsageError for what is not there, DataError for values that do not fit, RunError for files
    that are damaged.
    """
    check(name, given)
    quantity = QUANTITIES[name]
    of_run = ROOT in inspect.signature(quantity).parameters
    try:
        value = float(quantity(**({ROOT: root} if of_run else {}), **given))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        said = ", ".join(f"{key} = {value!r}" for key, value in given.items())
        raise UsageError(f"The quantity {name} cannot be had of {said} ({error}).") from None
    return value


def _arguments(name: str) -> dict[str, inspect.Parameter]:
    known = dict(inspect.signature(QUANTITIES[name]).parameters)
    known.pop(ROOT, None)
    return known
