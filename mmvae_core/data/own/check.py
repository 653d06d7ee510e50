"""What is wrong with a study of people's own data, where, and what to do: before anything is trained."""

from dataclasses import dataclass

import numpy as np

from mmvae_core.data.own.items import Items, coded, is_number, split
from mmvae_core.data.own.spec import StudySpec

FEWEST_TEST = 10
FEW = 100
MUCH = 0.5


@dataclass(frozen=True)
class Finding:
    """One thing to say; an `error` keeps the study from being made."""

    where: str
    said: str
    error: bool = False

    def __str__(self) -> str:
        return f"{'wrong' if self.error else 'note'}  {self.where}: {self.said}"


def list_findings(spec: StudySpec, items: Items) -> list[Finding]:
    """All findings, errors first."""
    findings = [*_of_items(spec, items)]
    for name, kind in items.kinds.items():
        values = items.data[name][items.observed[name]]
        fault = kind.fault(values) if len(values) else "of no item, expected some"
        if fault is not None:
            said = f"The values are {fault}. Mend `likelihood` or `kind` of {name}, or the file."
            findings.append(Finding(name, said, error=True))
            continue
        if values.dtype.kind in "fi":
            findings += _of_columns(name, values)
    for name, note in items.notes.items():
        if not is_number(note):
            codes, names = coded(note)
            if len(names) > 1_000:
                said = f"{len(names):,} different values, expected at most 1,000; leave it out."
                findings.append(Finding(name, said, error=True))
            if missing := int((codes < 0).sum()):
                findings.append(Finding(name, f"{missing:,} of {len(codes):,} items have none."))
    return sorted(findings, key=lambda one: not one.error)


def _of_items(spec: StudySpec, items: Items) -> list[Finding]:
    train, validation, test = split(spec, items)
    told = (
        f"{len(items):,} items: {len(train):,} to train, {len(validation):,}, {len(test):,} to test"
    )
    findings = [Finding("items", f"{told}.")]
    if len(test) < FEWEST_TEST or len(validation) < 2:
        said = (
            f"{len(test)} items to test and {len(validation)} to validate, expected at least "
            f"{FEWEST_TEST} and 2; make `train` smaller, or give more items."
        )
        findings.append(Finding("split", said, error=True))
    elif len(items) < FEW:
        findings.append(
            Finding("items", "So few items train a small model at best; mind the intervals.")
        )
    whole = sum(values.reshape(len(values), -1).shape[1] for values in items.data.values())
    flat = (
        np.concatenate(
            [values.reshape(len(values), -1).astype(np.float64) for values in items.data.values()],
            1,
        )
        if whole < 100_000
        else None
    )
    if flat is not None:
        same = len(flat) - len(np.unique(np.nan_to_num(flat, nan=-9e99), axis=0))
        if same:
            findings.append(
                Finding("items", f"{same:,} items are copies of another one in every value.")
            )
    for name, has in items.observed.items():
        if not has.all():
            findings.append(Finding(name, f"{int((~has).sum()):,} of {len(has):,} items lack it."))
    return findings


def _of_columns(name: str, values: np.ndarray) -> list[Finding]:
    """Entries that never change, are never known, or mostly missing."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    there = (~np.isnan(flat)) & ((flat >= 0) | (values.dtype.kind == "f"))
    low = np.where(there, flat, np.inf).min(0)
    high = np.where(there, flat, -np.inf).max(0)
    counted, findings = there.sum(0), []
    for which, said in (
        (counted == 0, "never known"),
        ((counted > 0) & (low == high), "always the same"),
        ((counted > 0) & (counted < (1 - MUCH) * len(flat)), "missing in over half of the items"),
    ):
        if which.any():
            places = ", ".join(map(str, np.flatnonzero(which)[:8]))
            dots = " …" if which.sum() > 8 else ""
            more = f"{int(which.sum()):,} of {flat.shape[1]:,} entries are {said} (columns {places}{dots})."
            findings.append(Finding(name, more))
    return findings
