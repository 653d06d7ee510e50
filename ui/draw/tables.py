"""Tables of measured numbers as HTML. Pure: cells in, HTML out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

from mmvae_core.intervals import Z

MOST_SUBSETS = 32
NOT_MEASURED = "n/a"


class Share(Protocol):
    """A share and its 95 % interval, as reports and live counts have them."""

    @property
    def share(self) -> float:
        """The share itself."""
        ...

    @property
    def low(self) -> float:
        """The interval's lower end."""
        ...

    @property
    def high(self) -> float:
        """The interval's upper end."""
        ...

    @property
    def spelt(self) -> float | None:
        """Of texts: the share without a mistake in a letter."""
        ...


@dataclass(frozen=True)
class Cell:
    """A number, how it is written, and the interval (95 %) in which its truth is expected."""

    value: float
    text: str
    interval: tuple[float, float] | None = None


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
    shares: Mapping[str, Share]
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


def comparison(
    groups: Mapping[str, Sequence[Row]], heads: Sequence[str], label: str = "Measured figures"
) -> str:
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
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="numbers"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


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
    cells = "".join(f"<td>{cell}</td>" for cell in row.more) + "".join(
        f"<td{_value(None if share is None else share.share)}>{share_text(share)}</td>"
        for share in map(row.shares.get, targets)
    )
    lit = ' class="lit" aria-current="true"' if row.lit else ""
    error = "" if row.error is None else f" <small>± {Z * row.error:.1f}</small>"
    name = escape(row.name).replace("+", "+<wbr>")
    return (
        f'<tr{lit}><th scope="row">{name}</th><td{_value(row.rate)}><span class="bar">'
        f'<b style="width:{share:.0f}%"></b></span><span class="figure">{nats(row.rate)}{error}'
        f"</span></td><td{_value(row.width)}>{row.width:.2f}</td>{cells}</tr>"
    )


def _value(number: float | None) -> str:
    """The attribute by which a cell carries its unrounded number into a CSV."""
    return "" if number is None else f' data-value="{float(number):.9g}"'


def spelt_text(share: Share) -> str:
    """What follows a share of texts: how many have no mistake; nothing of other shares."""
    return "" if share.spelt is None else f", spelt {share.spelt:.2f}"


def nats(value: float, digits: int = 1) -> str:
    """A number of nats as it is written: what rounds to zero has no sign."""
    text = f"{float(value):,.{digits}f}"
    return text.removeprefix("-") if not float(text.replace(",", "")) else text


def share_text(share: Share | None) -> str:
    """A share with its interval as a cell's HTML."""
    if share is None:
        return NOT_MEASURED
    spelt = "" if share.spelt is None else f"<small>spelt {share.spelt:.2f}</small>"
    return f"{share.share:.2f} <small>{share.low:.2f}&ndash;{share.high:.2f}</small>{spelt}"


def _row_html(row: Row) -> str:
    star = best(row)
    cells = "".join(
        f"<td{' class=best' if index == star else ''}{_value(None if cell is None else cell.value)}>"
        f"{cell.text if cell else NOT_MEASURED}</td>"
        for index, cell in enumerate(row.cells)
    )
    return f'<tr><th scope="row">{escape(row.name)}</th>{cells}</tr>'


def bound_text(value: float, error: float) -> str:
    """A log-likelihood bound with its 95 % reach.

    The error is sqrt(1/n_eff - 1/n) of n draws; above 1/2 fewer than four of them carry the
    weight, so that it is no error at all and only the bound is given.
    """
    if not error <= 0.5:
        return f"≥ {nats(value)}"
    return f"{nats(value)} <small>± {Z * error:.1f}</small>"


def _apart(top: Cell, other: Cell, sign: int) -> bool:
    assert top.interval
    assert other.interval
    return top.interval[0] > other.interval[1] if sign > 0 else top.interval[1] < other.interval[0]
