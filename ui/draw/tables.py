"""Tables of measured numbers as HTML. Pure: reports and arrays in, HTML out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

MOST_SUBSETS = 32
Z = 1.96
"""Half the width of a 95 % interval, in standard errors."""
NOT_MEASURED = "n/a"


@dataclass(frozen=True)
class Cell:
    """A number, how it is written, and the interval (95 %) in which its truth is expected."""

    value: float
    text: str
    interval: tuple[float, float] | None = None


Pick = Callable[[Mapping[str, Any]], Cell | None]
"""Takes a cell out of a report."""


@dataclass(frozen=True)
class Row:
    """One figure of several runs; `higher` tells whether more is better (None: neither)."""

    name: str
    cells: Sequence[Cell | None]
    higher: bool | None = True


@dataclass(frozen=True)
class SubsetRow:
    """What is known of one subset: of the item at hand (rate, width) and of all items (shares)."""

    name: str
    rate: float
    width: float
    shares: Mapping[str, Mapping[str, float]]
    lit: bool = False
    error: float | None = None
    """Standard error of the rate, where that is an estimate."""
    more: Sequence[str] = ()
    """Further cells, as HTML, between the width and the shares."""


def best(row: Row) -> int | None:
    """The column that is better than every other beyond both intervals, if there is one."""
    known = [(index, cell) for index, cell in enumerate(row.cells) if cell]
    if row.higher is None or len(known) < 2 or any(cell.interval is None for _, cell in known):
        return None
    sign = 1 if row.higher else -1
    index, top = max(known, key=lambda pair: sign * pair[1].value)
    others = [cell for other, cell in known if other != index]
    clear = all(_apart(top, cell, sign) for cell in others)
    return index if clear else None


def comparison(groups: Mapping[str, Sequence[Row]], heads: Sequence[str]) -> str:
    """A table with one column a run, in named groups of rows; rows that no run has are left out."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = []
    for group, every in groups.items():
        rows = [row for row in every if any(row.cells)]
        if not rows:
            continue
        body.append(
            f'<tr><th scope="rowgroup" colspan="{len(heads) + 1}">{escape(group)}</th></tr>'
        )
        body += [_row_html(row) for row in rows]
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Measured figures">'
        f'<table class="numbers"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def comparison_rows(
    reports: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[str, list[Row]]:
    """The rows of a comparison, read off the runs' reports."""

    def row(name: str, pick: Pick, higher: bool | None = True) -> Row:
        return Row(name, [_safely(pick, one) for one in reports], higher)

    def keys(*path: str) -> list[str]:
        return list(dict.fromkeys(key for one in reports for key in _inner(one, path)))

    subsets, probed, measured = keys("coherence"), keys("probe"), keys("rate")
    marginals = keys("log_likelihood", "marginal")
    full = "+".join(names)
    return {
        "Log-likelihood of test items, nats (higher is better)": [
            row("joint, all modalities", lambda one: _mean(one["log_likelihood"]["joint"])),
            *(
                row(
                    f"marginal, {key}",
                    lambda one, key=key: _mean(one["log_likelihood"]["marginal"][key]),
                )
                for key in marginals
                if key != full
            ),
        ],
        "Joint coherence: draws of the prior that agree": [
            row("all modalities one class", lambda one: _share(one["joint_coherence"]))
        ],
        "Conditional coherence: generated rightly": [
            row(
                f"{key} → {target}",
                lambda one, key=key, target=target: _share(one["coherence"][key][target]),
            )
            for key in subsets
            for target in names
            if any(target in one.get("coherence", {}).get(key, {}) for one in reports)
            and target not in key.split("+")
        ],
        "Probe: classes read off z by a linear classifier": [
            row(key, lambda one, key=key: _probe(one["probe"][key])) for key in probed
        ],
        "Rate: nats that z carries about what is shown (neither good nor bad)": [
            row(key, lambda one, key=key: _mean(one["rate"][key]), None) for key in measured
        ],
        "Distortion: -log p(shown | z) in nats (lower is better)": [
            row(key, lambda one, key=key: _mean(one["distortion"][key]), False)
            for key in measured
            if any(one.get("distortion", {}).get(key, {}).get("mean") for one in reports)
        ],
    }


def subset_table(rows: Sequence[SubsetRow], targets: Sequence[str]) -> str:
    """All subsets: bars of the rate, the width, and how often the targets come out right."""
    heads = {name: f"right {name}" for name in targets}
    return _item_table(rows, heads, "shown", "All subsets")


def item_table(rows: Sequence[SubsetRow], more: Sequence[str], targets: Mapping[str, str]) -> str:
    """The figures of one subset by several runs.

    `more` are the heads of their further cells, `targets` those of the shares by their names.
    """
    return _item_table(rows, targets, "run", "This item by run", more)


def _item_table(
    rows: Sequence[SubsetRow],
    targets: Mapping[str, str],
    first: str,
    label: str,
    more: Sequence[str] = (),
) -> str:
    top = max([row.rate for row in rows] + [1e-9])
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (*more, *targets.values()))
    body = "".join(_subset_html(row, targets, top) for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="numbers"><thead><tr><th scope="col">{first}</th>'
        f'<th scope="col">rate, nats</th><th scope="col">width</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _subset_html(row: SubsetRow, targets: Iterable[str], top: float) -> str:
    share = 100 * max(0.0, row.rate) / top
    cells = "".join(
        f"<td>{cell}</td>"
        for cell in (*row.more, *(_interval_text(row.shares.get(name)) for name in targets))
    )
    lit = ' class="lit" aria-current="true"' if row.lit else ""
    error = "" if row.error is None else f" <small>± {Z * row.error:.1f}</small>"
    return (
        f'<tr{lit}><th scope="row">{escape(row.name)}</th><td><span class="bar">'
        f'<b style="width:{share:.0f}%"></b></span><span class="figure">{row.rate:.1f}{error}'
        f"</span></td><td>{row.width:.2f}</td>{cells}</tr>"
    )


def _interval_text(share: Mapping[str, float] | None) -> str:
    if not share:
        return NOT_MEASURED
    return f"{share['share']:.2f} <small>{share['low']:.2f}&ndash;{share['high']:.2f}</small>"


def _row_html(row: Row) -> str:
    star = best(row)
    cells = "".join(
        f"<td{' class=best' if index == star else ''}>{cell.text if cell else NOT_MEASURED}</td>"
        for index, cell in enumerate(row.cells)
    )
    return f'<tr><th scope="row">{escape(row.name)}</th>{cells}</tr>'


def _inner(report: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    for key in path:
        report = report.get(key, {})
    return report


def _safely(pick: Pick, one: Mapping[str, Any]) -> Cell | None:
    """Nothing where a report lacks the figure."""
    try:
        return pick(one)
    except (KeyError, TypeError, IndexError):
        return None


def mean_text(figure: Mapping[str, Any] | None) -> str:
    """A figure of a report as a cell's HTML."""
    return _mean(figure).text if figure else NOT_MEASURED


def bound_text(value: float, error: float) -> str:
    """A log-likelihood bound with its 95 % reach.

    The error is sqrt(1/n_eff - 1/n) of n draws; above 1/2 fewer than four of them carry the
    weight, so that it is no error at all and only the bound is given.
    """
    if not error <= 0.5:
        return f"≥ {value:,.1f}"
    return f"{value:,.1f} <small>± {Z * error:.1f}</small>"


def _mean(figure: Mapping[str, Any]) -> Cell:
    mean, error = float(figure["mean"]), figure.get("error")
    if error is None:
        return Cell(mean, f"{mean:,.1f}")
    text = f"{mean:,.1f} <small>± {Z * error:.1f}</small>"
    return Cell(mean, text, (mean - Z * error, mean + Z * error))


def _share(figure: Mapping[str, Any]) -> Cell:
    text = _interval_text(figure)
    if "spelt" in figure:
        text += f"<br><small>spelt {figure['spelt']:.2f}</small>"
    return Cell(figure["share"], text, (figure["low"], figure["high"]))


def _probe(value: Any) -> Cell:
    accuracy = value["share"] if isinstance(value, Mapping) else float(value)
    interval = (value["low"], value["high"]) if isinstance(value, Mapping) else None
    return Cell(accuracy, f"{accuracy:.2f}", interval)


def _apart(top: Cell, other: Cell, sign: int) -> bool:
    assert top.interval
    assert other.interval
    return top.interval[0] > other.interval[1] if sign > 0 else top.interval[1] < other.interval[0]
