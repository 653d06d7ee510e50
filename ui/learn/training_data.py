"""What a training has come to, as its component takes it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ui.components.toy_world import LOOKS

if TYPE_CHECKING:
    from mmvae_core.explore.toy_training import Race

MOST_POINTS = 100
RANGE = 3.2


def payload(race: "Race") -> dict[str, Any]:
    """The last tick whole, and the way there in at most MOST_POINTS places; nats."""
    last, names = race.ticks[-1], list(race.plan.aggregators)
    rows = sorted({*np.linspace(0, len(race.ticks) - 1, MOST_POINTS).astype(int).tolist()})
    ticks = [race.ticks[row] for row in rows]
    bounds = list(last.bounds[names[0]])
    return {
        "stamp": f"{race.plan}",
        "names": names,
        "looks": LOOKS,
        "range": RANGE,
        "log_p": float(race.ground.log_p.mean()),
        "steps": [tick.step for tick in ticks],
        "subsets": list(last.posteriors[names[0]]),
        "curves": {
            name: {bound: [tick.bounds[name][bound].below for tick in ticks] for bound in bounds}
            for name in names
        },
        "errors": {
            name: {bound: last.bounds[name][bound].error for bound in bounds} for name in names
        },
        "terms": {
            name: {bound: dict(last.bounds[name][bound].terms) for bound in bounds}
            for name in names
        },
        "posteriors": {
            name: {
                subset: [value.tolist() for value in q.parameters()]
                for subset, q in last.posteriors[name].items()
            }
            for name in names
        },
        **_exact(race),
    }


def _exact(race: "Race") -> dict[str, Any]:
    """The exact posteriors of the drawn item and each aggregator's gap; None where there are none."""
    posteriors = race.exact_posteriors()
    if posteriors is None:
        return {"exact": None, "gaps": None}
    exact = {
        subset: {
            "mean": one.loc.tolist(),
            "covariance": [
                float(one.covariance_matrix[row, column])
                for row, column in ((0, 0), (0, 1), (1, 1))
            ],
        }
        for subset, one in posteriors.items()
    }
    return {"exact": exact, "gaps": race.gaps()}
