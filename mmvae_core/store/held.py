"""Files of one run and of its study held against each other, by the hashes that they name.

`card.json` names the weights; `report.json` the weights, the test items and the `latents.npz` that
were measured together; `priors.json` the priors fitted, `study.json` the test items. A report of an earlier version names none: then it is not recorded, and not
held against anything.
"""

from pathlib import Path

from mmvae_core.errors import RunError
from mmvae_core.store.records import Card, Measured, RunReport
from mmvae_core.store.weights import file_hash

DIGITS = 12
"""So many digits of a hash are compared."""
SAMPLES, LATENTS = "samples.npz", "latents.npz"
COPY = "copy weights and card from the same run, or train the run anew"


def check_named(path: Path, expected: str, teller: str, remedy: str) -> None:
    """RunError where a file is not the one that `teller` beside it names, if that names any."""
    if expected and (digest := file_hash(path)) != expected[:DIGITS]:
        raise RunError(
            f"{path} has the hash {digest}, expected {expected[:DIGITS]} as {teller} beside it "
            f"says; {remedy}."
        )


def check_weights(weights: Path, card: Card) -> None:
    """RunError unless the weights' file is the one that its card was written for."""
    check_named(weights, card.weights, "card.json", COPY)


def check_report(folder: Path, report: RunReport, card: Card, remedy: str) -> None:
    """RunError where a report was measured with other weights than the run's, or on other items."""
    if (measured := report.measured) is None:
        return
    if measured.weights[:DIGITS] != card.weights[:DIGITS]:
        raise RunError(
            f"{folder}/report.json measured the weights {measured.weights[:DIGITS]}, expected "
            f"{card.weights[:DIGITS]} as card.json says; {remedy}."
        )
    if (beside := folder.parent / SAMPLES).is_file():
        check_samples(folder, report, beside, remedy)


def check_samples(folder: Path, report: RunReport, samples: Path, remedy: str) -> None:
    """RunError where a report was measured on other test items than a study has."""
    if report.measured and (digest := file_hash(samples)) != report.measured.samples[:DIGITS]:
        raise RunError(
            f"{folder}/report.json measured other test items than {samples} holds, "
            f"{report.measured.samples[:DIGITS]}, expected {digest}; {remedy}."
        )


def check_latents(folder: Path, report: RunReport, remedy: str) -> None:
    """RunError where the stored posteriors are not those that came with the report."""
    expected = report.measured.latents if report.measured else ""
    check_named(folder / LATENTS, expected, "report.json", remedy)


def measured(weights: Path, samples: Path, latents: Path | None = None) -> Measured:
    """What a report names, of files as they are now."""
    return Measured(
        weights=file_hash(weights),
        samples=file_hash(samples),
        latents="" if latents is None else file_hash(latents),
    )
