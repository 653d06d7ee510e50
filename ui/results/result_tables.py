"""Tables of the experiments as HTML. Pure: a report in, HTML out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from math import floor, log10

from mmvae_core.experiments.claims import Claim as ClaimText
from mmvae_core.store.results import Claim, Interval, Report, Summary
from ui.draw.names import SHORT
from ui.draw.tables import NOT_MEASURED

MASKED, NOT_EMPTY = "masked above mixture", "masked above mixture never empty"
LEARNED = "learned above fixed"
CLAIMS = {
    MASKED: "masked above mixture",
    NOT_EMPTY: "masked above mixture that is never empty",
    LEARNED: "learned above fixed aggregators",
}
SIGNS = {"holds": "▲", "open": "●", "reversed": "▼", "does not hold": "▼"}
WORLDS = {
    "linear": ("Linear", "five vectors of one latent of 5, each tells of all"),
    "linear_sparse": ("Linear sparse", "5 shared and 5 own latents a vector, all in one of 30"),
    "linear_private": ("Linear private", "the same data, own latents modelled as private"),
    "bimodal": ("Bimodal", "a vector and its cluster's label; the prior a learned mixture"),
    "bimodal_normal": ("Bimodal normal prior", "the same data, a standard normal prior"),
    "missing": ("Missing", "four vectors, half of the training data missing"),
    "missing_normal": ("Missing normal prior", "the same data, one normal each"),
    "missing_laplace": ("Missing Laplace", "the same data, Laplace prior and posteriors"),
    "missing_known": ("Missing known decoders", "the same data, the true maps as decoders"),
    "missing_deep": ("Missing deep", "maps of three layers, latents as drawn"),
}
"""What worlds are called, and what they are."""
FIGURES = {
    "log_likelihood": ("log-likelihood", "nats per item, higher is better"),
    "full_gap": ("gap, all shown", "nats per item, lower is better"),
    "bound_shown_nothing": ("bound, nothing shown", "nats per item, higher is better"),
    "relative_shortfall_train": ("shortfall", "share of the maximum, lower is better"),
    "variational_gap": ("variational gap", "nats per item, lower is better"),
    "kl_to_exact": ("KL to exact", "nats per item, lower is better"),
    "mcc_strong": ("strong MCC", "mean correlation, 1 is best"),
    "mcc_weak": ("weak MCC", "mean correlation, 1 is best"),
}
"""The figures of the tables in their order: what they are called, and their unit."""
GIVEN = ("all", "thinned", "pairs", "singles")
MAXIMUM, TRUTH = "maximum_likelihood", "truth"
MINUS = "\N{MINUS SIGN}"


def world_name(variant: str) -> str:
    """What a world is called."""
    return WORLDS.get(variant, (variant.replace("_", " "), ""))[0]


def model_name(aggregator: str) -> str:
    """What an aggregator is called; with an objective after a dash that too."""
    name, _, objective = aggregator.partition("-")
    name = SHORT.get(name, name.replace("_", " "))
    return f"{name}, {objective_name(objective)}" if objective else name


def objective_name(objective: str) -> str:
    """What an objective is called."""
    return "mixture never empty" if objective == "mixture_not_empty" else objective


def best_known(entries: Iterable[Summary]) -> tuple[str, Summary] | None:
    """What no model can be expected to beat, and what it is: the truth, or the best linear model.

    Where learned models are exact (they have a KL to their exact posterior) it is the latter.
    """
    entries = list(entries)
    likelihoods = [one for one in entries if (one.figure, one.given) == ("log_likelihood", "all")]
    truth = next((one for one in likelihoods if one.aggregator == TRUTH), None)
    best = next((one for one in entries if one.figure == MAXIMUM), None)
    if truth is None:
        return None if best is None else ("maximum likelihood", best)
    is_linear = any(one.figure == "kl_to_exact" for one in entries)
    return "maximum likelihood" if is_linear else "true model", truth


def shown_figures(entries: Sequence[Summary]) -> dict[str, tuple[str, str]]:
    """The figures of a world in the tables' order: their names -> (figure, given).

    No MCC of linear models, which know their latents up to a rotation only.
    """
    measured = {(one.figure, one.given) for one in entries}
    is_linear = any(figure == "kl_to_exact" for figure, _ in measured)
    several = {figure for figure, given in measured if given != "all"}
    return {
        f"{name}, {given}" if figure in several else name: (figure, given)
        for figure, (name, _) in FIGURES.items()
        for given in GIVEN
        if (figure, given) in measured and not (is_linear and figure.startswith("mcc"))
    }


def written(one: Interval, signed: bool = False) -> tuple[str, str]:
    """A mean and its interval as text, with as many decimals as make two digits of the reach."""
    if one.low is None or one.high is None:
        return _number(one.mean, _decimals(one.mean) + 1, signed), "one seed"
    places = _decimals((one.high - one.low) / 2 or one.mean)
    low, high = (_number(end, places) for end in (one.low, one.high))
    return _number(one.mean, places, signed), f"{low} to {high}"


def said(one: Interval, signed: bool = False) -> str:
    """The same as one text."""
    return "{} [{}]".format(*written(one, signed))


def verdict_table(reports: Iterable[Report]) -> str:
    """How many comparisons hold, are open and are reversed, per world and claim.

    A claim of which nothing was measured in any world has no column.
    """
    worlds = [(report, variant) for report in reports for variant in report.measured()]
    by_claim = {claim: [_verdict(*world, claim) for world in worlds] for claim in CLAIMS}
    shown = [claim for claim, said in by_claim.items() if set(said) - {NOT_MEASURED}]
    rows = []
    for row, (report, variant) in enumerate(worlds):
        about = WORLDS.get(variant, ("", ""))[1]
        cells = "".join(f"<td>{by_claim[claim][row]}</td>" for claim in shown)
        rows.append(
            f'<tr><th scope="row">{escape(world_name(variant))}<small>{about}</small></th>'
            f"{cells}<td>{_best(report.summary_of(variant))}</td></tr>"
        )
    claims = [CLAIMS[claim] for claim in shown]
    heads = ("world", *claims, "highest mean log-likelihood, and what can be had")
    return _table("Verdicts by world", heads, rows, "numbers verdicts")


def claims_list(claims: Iterable[ClaimText]) -> str:
    """The claims, and what would refute each."""
    return (
        '<ol class="claims">'
        + "".join(
            f"<li><b>{escape(CLAIMS[one.name].capitalize())}.</b> {escape(one.sentence)} "
            f"<small>Refuted if: {escape(one.refuted)}</small></li>"
            for one in claims
        )
        + "</ol>"
    )


def lost(report: Report) -> list[str]:
    """A line for each world in which a claim does not hold, or pairs are the other way round."""
    lines = []
    for variant in report.measured():
        whole = [one for one in report.verdicts_of(variant) if one.verdict == "does not hold"]
        pairs = [one for one in report.claims_of(variant) if one.verdict == "reversed"]
        if whole or pairs:
            said = [
                f"{chip(one.verdict)} {escape(CLAIMS.get(one.claim, one.claim))}, by "
                f"{written(one)[0].lstrip(MINUS)} nats"
                for one in whole
            ]
            head = f"<b>{escape(world_name(variant))}</b> {'; '.join(said)}"
            lines.append(f'<div class="plain">{head}{_reversed(pairs)}</div>')
    return lines


def _reversed(pairs: Sequence[Claim]) -> str:
    """The pairs that are the other way round, to be unfolded."""
    if not pairs:
        return ""
    said = "; ".join(
        f"{escape(model_name(one.worse))} above {escape(model_name(one.better))} by "
        f"{written(one)[0].lstrip(MINUS)}"
        for one in pairs
    )
    count = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''} of models the other way round"
    return f"<details><summary>{chip('reversed')} {count}</summary>{said} nats.</details>"


def claims_table(claims: Sequence[Claim]) -> str:
    """The comparisons of one world in numbers."""
    rows = [
        f'<tr><th scope="row">{escape(model_name(one.better))} {MINUS} '
        f"{escape(model_name(one.worse))}</th>"
        f"{''.join(f'<td>{text}</td>' for text in written(one, signed=True))}"
        f"<td>{one.seeds}</td><td>{chip(one.verdict)}</td></tr>"
        for one in claims
    ]
    heads = ("difference in log-likelihood", "nats", "95 % interval", "seeds", "verdict")
    return _table("Paired differences", heads, rows)


def figures_table(entries: Sequence[Summary]) -> str:
    """All figures of a world by model: means, and intervals below them."""
    keys = shown_figures(entries)
    by_figure = {(one.aggregator, one.objective, one.figure, one.given): one for one in entries}
    rows = [
        f'<tr><th scope="row">{escape(model_name(f"{aggregator}-{objective}"))}</th>'
        + "".join(_cell(by_figure.get((aggregator, objective, *key))) for key in keys.values())
        + "</tr>"
        for aggregator, objective in models(entries)
    ]
    best = best_known(entries)
    if best is not None:
        own = {(one.figure, one.given): one for one in entries if one.aggregator == TRUTH}
        cells = (
            _cell(own.get(key) or (best[1] if key == ("log_likelihood", "all") else None))
            for key in keys.values()
        )
        rows.insert(0, f'<tr><th scope="row">{best[0]}</th>{"".join(cells)}</tr>')
    return _table("Figures by model", ("model", *keys), rows, "numbers figures")


def models(entries: Sequence[Summary]) -> list[tuple[str, str]]:
    """(aggregator, objective) of a world, fixed aggregators first."""
    known = [*SHORT, "sum_pooling", "self_attention"]
    pairs = {(one.aggregator, one.objective) for one in entries if one.aggregator != TRUTH}
    return sorted(
        pairs, key=lambda pair: (known.index(pair[0]) if pair[0] in known else len(known), pair)
    )


def chip(verdict: str, count: int | None = None) -> str:
    """A verdict by sign, colour and word."""
    words = verdict if count is None else f"{count} {_verb(verdict, count)}"
    kind = "reversed" if verdict == "does not hold" else verdict
    return f'<span class="verdict {kind}">{SIGNS[verdict]} {words}</span>'


def tally(claims: Iterable[Claim], claim: str) -> Counter[str]:
    """How many comparisons of a claim got which verdict."""
    return Counter(one.verdict for one in claims if one.claim == claim)


def _decimals(size: float) -> int:
    """Decimals that show two digits of a number of this size, at most four."""
    return min(4, max(0, 1 - floor(log10(abs(size))))) if size else 1


def _number(value: float, decimals: int, signed: bool = False) -> str:
    rounded = round(value, decimals) + 0.0  # no minus before a zero
    return f"{rounded:{'+' if signed else ''},.{decimals}f}".replace("-", MINUS)


def _verdict(report: Report, variant: str, claim: str) -> str:
    """A world's verdict with its difference; of earlier reports how many pairs have which."""
    verdicts = [one for one in report.verdicts_of(variant) if one.claim == claim]
    if verdicts:
        mean, ends = written(verdicts[0], signed=True)
        against = model_name(verdicts[0].against) if claim == LEARNED else verdicts[0].against
        note = f"{MINUS} {escape(against)}" if claim == LEARNED else escape(against)
        return f"{chip(verdicts[0].verdict)} {mean} <small>[{ends}] {note}</small>"
    return _verdicts(report.claims_of(variant), claim)


def _verdicts(claims: Sequence[Claim], claim: str) -> str:
    counts = tally(claims, claim)
    chips = [chip(verdict, counts[verdict]) for verdict in SIGNS if counts[verdict]]
    return " ".join(chips) or NOT_MEASURED


def _verb(verdict: str, count: int) -> str:
    return ("hold" if count > 1 else "holds") if verdict == "holds" else verdict


def _best(entries: Sequence[Summary]) -> str:
    likelihoods = [
        one
        for one in entries
        if (one.figure, one.given) == ("log_likelihood", "all") and one.aggregator != TRUTH
    ]
    if not likelihoods:
        return NOT_MEASURED
    top, best = max(likelihoods, key=lambda one: one.mean), best_known(entries)
    more = f"<small>{best[0]} {said(best[1])}</small>" if best else ""
    name = escape(model_name(f"{top.aggregator}-{top.objective}"))
    return f"{name} <small>{said(top)}</small>{more}"


def _cell(one: Summary | None) -> str:
    if one is None:
        return f"<td>{NOT_MEASURED}</td>"
    return "<td>{}<br><small>{}</small></td>".format(*written(one))


def _table(label: str, heads: Iterable[str], rows: Iterable[str], kind: str = "numbers") -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
