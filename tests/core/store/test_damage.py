"""Each file of a run and of a study, damaged in each way: one sentence, never silence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from mmvae_core.config import to_dict
from mmvae_core.errors import RunError
from mmvae_core.files import write_json
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.fitted_priors import load_prior
from mmvae_core.store.history import COLUMNS, EpochReport, read_history, write_history
from mmvae_core.store.opening import Picture, read_picture, weights_of, write_picture
from mmvae_core.store.record_files import write_record, write_records
from mmvae_core.store.records import Auroc, JudgeCard, Mean, PriorsCard
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from mmvae_core.store.weights import file_hash
from mmvae_core.subsets import all_subsets
from tests import damage, small

ITEMS = 12
NAMES = ("numbers", "picture", "text")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with every file that a run may have, in a study with every file of a study."""
    run = small.write_study(tmp_path, items=ITEMS)
    study, random = run.folder.parent, np.random.default_rng(0)
    write_arrays(study / "truth.npz", {"latents": random.normal(size=(ITEMS, 2))})
    write_records(study / "judge" / "card.json", {"picture": JudgeCard(shape=(1, 12, 12))})
    write_arrays(run.folder / "latents.npz", latents(random))
    write_picture(Study(study), picture(random, run))
    write_record(run.folder / "report.json", small.made_report(NAMES, 0))
    rows = [EpochReport(epoch, -9.0, -9.5, 1.0, 0.1, 0.01) for epoch in (1, 2)]
    write_history(run.folder / "history.csv", rows)
    card = PriorsCard(
        components=2,
        width=8,
        layers=1,
        seed=0,
        items=ITEMS,
        held_out_items=ITEMS,
        held_out={"trained": Mean(mean=-1.0, error=0.1)},
        weights=file_hash(run.weights),
    )
    write_record(run.folder / "priors.json", card)
    return run


def latents(random: np.random.Generator) -> dict[str, np.ndarray]:
    def some(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    return {
        "masks": all_subsets(3).numpy(),
        "mean": some(8, ITEMS, 3),
        "stddev": np.abs(some(8, ITEMS, 3)),
        "rate": some(8, ITEMS),
        "pca": some(8, ITEMS, 2),
        "pca_explained": some(2),
        "umap": some(8, ITEMS, 2),
        "distortion": some(8, ITEMS),
        "log_likelihood": some(8, ITEMS),
        "marginal": some(8, 5),
    }


def picture(random: np.random.Generator, run: Run) -> Picture:
    """Of item 3, each outline a triangle."""
    return Picture(
        weights=weights_of(run),
        item=np.array([3]),
        masks=all_subsets(3).numpy(),
        rate=random.random(8),
        rate_error=np.zeros(8),
        width=random.random(8),
        prior_width=np.ones(1),
        lines=random.random((24, 2)),
        points=np.full(8, 3),
        closed=np.array([True]),
        latents=random.random((4, 8, 2)),
        others=random.random((5, 2)),
        other_labels=np.arange(5),
        draws={
            "numbers": random.random((4, 8, 4)),
            "picture": np.zeros((4, 8, 1, 12, 12), np.uint8),
            "text": np.zeros((4, 8, 3), np.uint8),
        },
    )


READ: dict[str, Callable[[Run, Study], Any]] = {
    "card.json": lambda run, study: run.card,
    "report.json": lambda run, study: run.report,
    "priors.json": lambda run, study: load_prior(run, "mixture"),
    "latents.npz": lambda run, study: run.latents(ITEMS),
    "history.csv": lambda run, study: read_history(run.folder / "history.csv"),
    "study.json": lambda run, study: study.about,
    "judge/card.json": lambda run, study: study.judge_cards,
    "samples.npz": lambda run, study: study.samples_of(run.config),
    "truth.npz": lambda run, study: study.truth(),
    "opening.npz": lambda run, study: read_picture(study, run, 3),
}
REMEDY = {
    "card.json": "python -m mmvae_core train",
    "report.json": "python -m mmvae_core evaluate {} --save",
    "priors.json": "python -m mmvae_core fit-prior {}",
    "latents.npz": "python -m mmvae_core evaluate {} --save",
    "history.csv": "python -m mmvae_core train",
    "opening.npz": "python -m mmvae_core opening small",
}
STUDY_REMEDY = "python -m mmvae_core study digits --out"
SILENT = {("truth.npz", "missing"), ("opening.npz", "missing")}
"""Made of data whose truth is not known, a study has none; a picture is made when it is not there."""


def path_of(run: Run, name: str) -> Path:
    return (run.folder if name in damage.OF_A_RUN else run.folder.parent) / name


def fresh(run: Run, name: str) -> Any:
    """The file read anew, as if nothing of the run was known."""
    return READ[name](Run(run.folder), Study(run.folder.parent))


def refusal(run: Run, name: str) -> str:
    with pytest.raises(RunError) as caught:
        fresh(run, name)
    said = str(caught.value)
    assert "\n" not in said
    assert said.endswith(".")
    assert ". " not in said.replace(" ...", "")
    assert str(path_of(run, name)) in said
    assert REMEDY.get(name, STUDY_REMEDY).format(run.folder) in said
    return said


@pytest.mark.parametrize("name", [name for name in READ if name != "priors.json"])
def test_what_is_whole_is_read(run: Run, name: str) -> None:
    assert fresh(run, name) is not None


@pytest.mark.parametrize(
    ("name", "kind"), damage.CASES, ids=[" ".join(one) for one in damage.CASES]
)
def test_a_damaged_file_is_one_sentence(run: Run, name: str, kind: str) -> None:
    damage.kinds_of(name)[kind](path_of(run, name))
    if (name, kind) in SILENT:
        assert fresh(run, name) is None
        return
    said = refusal(run, name)
    if kind in damage.WHOLE:
        return
    field = damage.ARRAYS.get(name, damage.CELL).replace("*", "numbers")
    if name in damage.FIELDS:
        field = ".".join(damage.FIELDS[name]).replace("*", "picture")
    if kind == "newer format":
        assert "holds 2 as format, expected 1" in said
    elif kind in ("missing field", "missing array"):
        assert f"lacks {field}" in said
    elif name == "history.csv" and kind in ("one value more", "missing column"):
        assert "expected" in said
    else:
        assert field in said
        assert "NaN" in said or "expected" in said


CHANGES = {
    "rates that are NaN": ("latents.npz", "rate", lambda a: a * np.nan, "NaN or infinity in rate"),
    "means of another shape": (
        "latents.npz",
        "mean",
        lambda a: a[:4, :3, :1],
        "mean of shape [4, 3, 1], expected [subset, item, latent] with 8 for subset, 12 for item, "
        "3 for latent",
    ),
    "fewer items": ("latents.npz", "umap", lambda a: a[:, 1:], "umap of shape [8, 11, 2]"),
    "numbers as masks": (
        "latents.npz",
        "masks",
        lambda a: a.astype(int),
        "masks as int64, expected true or false",
    ),
    "masks in another order": ("latents.npz", "masks", lambda a: a[::-1], "masks in an order"),
    "one axis of the plane": ("latents.npz", "pca_explained", lambda a: a[:1], "expected [2]"),
    "labels without a class": (
        "samples.npz",
        "labels",
        lambda a: a + 1,
        "1 to 10, expected 0 to 9",
    ),
    "labels below nought": (
        "samples.npz",
        "labels",
        lambda a: a.astype(int) - 2,
        "labels from -2 to 7",
    ),
    "labels that are no whole numbers": (
        "samples.npz",
        "labels",
        lambda a: a + 0.5,
        "labels as float64, expected whole numbers",
    ),
    "fewer labels": ("samples.npz", "labels", lambda a: a[1:], "with 11 for item"),
    "no labels": ("samples.npz", "labels", lambda a: a[:0], "with 0 for item"),
    "codes without a symbol": ("samples.npz", "text", lambda a: a + 1, "codes from 1 to 5"),
    "codes that are no whole numbers": (
        "samples.npz",
        "text",
        lambda a: a.astype(float),
        "text as float64, expected whole numbers, codes of symbols",
    ),
    "pictures of another size": (
        "samples.npz",
        "picture",
        lambda a: a[..., 1:],
        "picture of shape [1, 12, 11] an item, expected [1, 12, 12]",
    ),
}


@pytest.mark.parametrize("how", CHANGES)
def test_arrays_that_do_not_fit_are_named(run: Run, how: str) -> None:
    name, array, change, expected = CHANGES[how]
    damage.array_becomes(change, array)(path_of(run, name))
    assert expected in refusal(run, name)


def test_a_study_of_other_symbols_or_judges_is_named(run: Run) -> None:
    study = Study(run.folder.parent)
    write_record(study.folder / "study.json", replace(study.about, alphabets={"text": "abc"}))
    with pytest.raises(RunError, match=r"study.json holds 3 symbols as alphabets.text, expected 5"):
        Study(study.folder).samples_of(run.config)
    write_record(study.folder / "study.json", study.about)
    cards = {"picture": JudgeCard(shape=(3, 12, 12))}
    write_records(study.folder / "judge" / "card.json", cards)
    with pytest.raises(RunError, match=r"holds \[3, 12, 12\] as picture.shape, expected \[1, 12"):
        Study(study.folder).samples_of(run.config)


@pytest.mark.parametrize("name", ["../picture", "", "a/b", "a\nb", "\ud800"])
def test_a_judge_is_named_as_a_modality_is(run: Run, name: str) -> None:
    path = run.folder.parent / "judge" / "card.json"
    write_json(path, {name: {"shape": [1, 12, 12]}})
    assert "as a name, expected that of a modality" in refusal(run, "judge/card.json")


def test_a_report_of_other_modalities_is_named(run: Run) -> None:
    whole = run.report
    for change, expected in (
        ({"probe": {"smell": 0.5}}, "holds probe.smell, expected the subsets of numbers, picture"),
        ({"rate": {}}, "lacks rate."),
        ({"probe": {"\ud800": 0.5}}, "holds probe.'\\ud800'"),
    ):
        write_record(run.folder / "report.json", replace(whole, **change))
        assert expected in refusal(run, "report.json")
    write_json(
        run.folder / "config.json",
        to_dict(
            small.config(
                modalities=[
                    one | {"name": one["name"] + "s"} for one in small.SETTINGS["modalities"]
                ]
            )
        ),
    )
    assert "report.json" in refusal(run, "report.json")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("seconds", -1.0, "holds -1.0 as seconds, expected a finite number, 0 or more"),
        ("epochs", True, "holds True as epochs, expected a whole number, 0 or more"),
        ("bytes", 10**400, "as bytes, expected a whole number, 0 or more"),
        ("seconds", 10**400, "as seconds, expected a finite number, 0 or more"),
        ("hardware", "\ud800", "holds '\\ud800' as hardware, expected a text"),
        ("hardware", "x" * 2_000, "as hardware, expected a text of at most 1,000 characters"),
        ("weights", "<b>", "holds '<b>' as weights, expected 12 or more digits of a hash"),
    ],
)
def test_a_field_says_what_it_holds_and_what_was_expected(
    run: Run, field: str, value: Any, expected: str
) -> None:
    path = run.folder / "card.json"
    write_json(
        path, {**{key: getattr(run.card, key) for key in run.card.__struct_fields__}, field: value}
    )
    assert expected in refusal(run, "card.json")


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds nan as value, expected a number from 0 to 1"):
        write_record(tmp_path / "a.json", Auroc(value=float("nan"), low=0.0, high=1.0))
    assert not (tmp_path / "a.json").exists()


def test_rows_of_a_history_come_in_their_order(run: Run) -> None:
    path = run.folder / "history.csv"
    head, first, second = path.read_text().splitlines()
    path.write_text(f"{head}\n{second}\n{first}\n")
    assert "holds '2' as epoch in row 1, expected 1" in refusal(run, "history.csv")
    path.write_text(f"{head}\n")
    assert read_history(path) == []
    assert head == ",".join(COLUMNS)


def test_nothing_of_a_file_that_is_a_folder(run: Run) -> None:
    for name in READ:
        path = path_of(run, name)
        path.unlink()
        path.mkdir()
        if name != "truth.npz":
            assert "cannot be read" in refusal(run, name)
        path.rmdir()
        damage.empty(path)
