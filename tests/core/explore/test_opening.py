"""What a study opens with: laws over made studies, and the picture's file."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from mmvae_core.cli import main
from mmvae_core.errors import MMVAEError, RunError
from mmvae_core.explore import opening
from mmvae_core.explore.lattice import make_lattice, plane_of
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.opening import FILE, read_picture
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import Opening
from mmvae_core.store.run import Latents, Run
from mmvae_core.store.study import Study
from mmvae_core.subsets import all_subsets
from tests import small
from tests.ui.studies import build

STUDIES = ("digits", "small", "five", "pair")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture
def digits(root: Path, tmp_path: Path) -> Study:
    return Study(shutil.copytree(root / "digits", tmp_path / "digits"))


def report(run: Run, **changes: object) -> None:
    write_record(run.folder / "report.json", structs.replace(Run(run.folder).report, **changes))


# the run


@pytest.mark.parametrize("name", STUDIES)
def test_the_run_is_learned_masked_and_the_best_of_those(root: Path, name: str) -> None:
    study = Study(root / name)
    chosen = opening.choose_run(study)
    wished = [run for run in study.runs() if opening.is_wished(run)]
    assert chosen in (wished or study.runs())
    assert all(opening.how_good(chosen) >= opening.how_good(run) for run in wished)
    assert {run.config.aggregator.name for run in wished} <= {"sum_pooling", "self_attention"}


def test_judged_runs_are_ranked_by_what_was_not_shown(digits: Study) -> None:
    good = Run(digits.folder / "sum_pooling-masked")
    told = {
        subset: {
            name: small.share(40 if name not in subset else 0, 40) for name in good.config.names
        }
        for subset in good.report.coherence
    }
    report(good, coherence=told)
    assert opening.how_good(Run(good.folder)) == 1
    assert opening.choose_run(digits).folder.name == "sum_pooling-masked"


def test_runs_with_symbols_and_no_judge_are_ranked_by_the_probe(root: Path, tmp_path: Path) -> None:
    study = Study(shutil.copytree(root / "pair", tmp_path / "pair"))
    run = Run(study.folder / "laplace")
    report(run, probe=dict.fromkeys(run.report.probe, 0.75), coherence={})
    assert opening.how_good(Run(run.folder)) == 0.75
    other = Study(shutil.copytree(root / "five", tmp_path / "five")).runs()[0]
    report(other, coherence={})
    assert opening.how_good(Run(other.folder)) == other.report.log_likelihood.joint.mean


def test_without_an_evaluated_run_a_study_has_no_opening(digits: Study) -> None:
    for run in digits.runs():
        (run.folder / "latents.npz").unlink()
    with pytest.raises(RunError, match="no evaluated run; `python -m mmvae_core evaluate"):
        opening.choose_opening(digits)


# the item


def test_the_median_item_has_as_many_above_as_below() -> None:
    generator = np.random.default_rng(0)
    for count in range(1, 12):
        values = generator.normal(size=20)
        allowed = np.zeros(20, bool)
        allowed[generator.choice(20, count, replace=False)] = True
        item = opening.median_item(values, allowed)
        assert allowed[item]
        below, above = (
            (values[allowed] < values[item]).sum(),
            (values[allowed] > values[item]).sum(),
        )
        assert above - below in (0, 1)


@pytest.mark.parametrize("name", ["small", "five", "pair"])
def test_without_judges_the_item_is_the_median(root: Path, name: str) -> None:
    study = Study(root / name)
    run = opening.choose_run(study)
    stored = run.latents().log_likelihood
    assert stored is not None
    assert opening.choose_item(study, run) == opening.median_item(
        stored[-1], np.ones(small.ITEMS, bool)
    )


@pytest.mark.parametrize(
    ("from_all", "from_word", "expected"),
    [((3, 4, 5, 6), (4, 5, 6, 7), (4, 5, 6)), ((3, 4), (7,), (3, 4)), ((), (7,), range(40))],
)
def test_with_judges_the_item_is_right_from_all_and_from_each(
    digits: Study,
    monkeypatch: pytest.MonkeyPatch,
    from_all: tuple[int, ...],
    from_word: tuple[int, ...],
    expected: tuple[int, ...],
) -> None:
    """Photos are right from all and from the word alone where it is said; all else is right."""
    labels, run = digits.samples().labels, opening.choose_run(digits)
    latents = run.latents()

    def judged(model: object, judge: object, name: str, means: np.ndarray) -> np.ndarray:
        right = np.ones(len(labels), bool)
        for row, items in ((7, from_all), (3, from_word)):
            if name == "photo" and np.array_equal(means, latents.mean[row]):
                right = np.isin(np.arange(len(labels)), items)
        return np.where(right, labels, labels + 1)

    monkeypatch.setattr(opening, "judged_items", judged)
    assert np.flatnonzero(opening.right_items(digits, run, latents)).tolist() == [*expected]
    assert opening.choose_item(digits, run) in expected


def test_an_older_evaluation_is_one_sentence(
    digits: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, read = opening.choose_run(digits), Run.latents

    def older(self: Run, items: int | None = None) -> Latents:
        found = read(self, items)
        return Latents(**{**vars(found), "log_likelihood": None})

    monkeypatch.setattr(Run, "latents", older)
    with pytest.raises(RunError, match="lacks log_likelihood"):
        opening.choose_item(digits, run)


# masks


def test_masks_follow_the_rates(digits: Study) -> None:
    run = opening.choose_run(digits)
    rate = {
        name: structs.replace(one, mean={"handwriting": 9.0, "word": 1.0}.get(name, 5.0))
        for name, one in run.report.rate.items()
    }
    report(run, rate=rate)
    assert opening.choose_masks(Run(run.folder)) == {
        "generate": ("photo", "word"),
        "masks": ("word",),
        "compare": ("word",),
    }


# what is written


@pytest.mark.parametrize("name", STUDIES)
def test_the_command_writes_what_it_chose(
    root: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(root / name, tmp_path / name)
    before = Study(tmp_path / name).about
    with pytest.raises(SystemExit):
        main(["opening", name, "--checkpoints", str(tmp_path), "--threads", "1"])
    study = Study(tmp_path / name)
    chosen = study.about.opening
    assert chosen is not None
    assert structs.replace(study.about, opening=None) == before
    assert chosen == opening.choose_opening(study)
    assert f"item {chosen.item}" in capsys.readouterr().out
    run = Run(study.folder / chosen.run)
    assert chosen.mask == run.config.names
    assert set(chosen.masks["generate"]) < set(chosen.mask)
    assert len(chosen.masks["compare"]) == 1
    assert read_picture(study, run, chosen.item) is not None


@pytest.mark.parametrize("name", STUDIES)
def test_the_picture_is_the_lattice(root: Path, tmp_path: Path, name: str) -> None:
    study = Study(shutil.copytree(root / name, tmp_path / name))
    chosen, path = opening.make_opening(study)
    run, model = Run(study.folder / chosen.run), Run(study.folder / chosen.run).model()
    picture = read_picture(study, run, chosen.item)
    assert picture is not None and path == study.folder / FILE
    values = {one: study.samples().data[one][chosen.item] for one in run.config.names}
    masks = all_subsets(len(values)).numpy()
    draws = next(iter(picture.draws.values())).shape[0]
    plane = plane_of(model, run.latents().mean[-1])
    made = make_lattice(model, values, masks, draws, 0, plane)
    np.testing.assert_array_equal(picture.masks, masks)
    np.testing.assert_array_equal(picture.rate, made.rate.value.numpy())
    np.testing.assert_array_equal(picture.width, made.width)
    np.testing.assert_allclose(picture.latents, plane.points(made.latents), rtol=1e-6, atol=1e-6)
    for one in run.config.modalities:
        stored, exact = picture.draws[one.name], made.at_draws[one.name]
        if one.likelihood.name == "categorical":
            np.testing.assert_array_equal(stored, exact.argmax(-1))
        elif stored.dtype == np.uint8:
            assert np.abs(stored / 255 - exact.clip(0, 1)).max() <= 0.5 / 255 + 1e-6
        else:
            np.testing.assert_array_equal(stored, exact)
    for line, outline in zip(picture.outlines(), made.outlines, strict=True):
        if outline.outer.ndim == line.ndim:
            np.testing.assert_allclose(line, outline.outer, rtol=1e-5, atol=1e-5)
        assert line.ndim == (2 if made.normal else 3)


def test_a_picture_of_other_weights_or_another_item_is_stale(digits: Study) -> None:
    chosen, _ = opening.make_opening(digits)
    run = Run(digits.folder / chosen.run)
    assert read_picture(digits, run, chosen.item) is not None
    assert read_picture(digits, run, chosen.item + 1) is None
    write_record(run.folder / "card.json", structs.replace(run.card, weights="0" * 12))
    assert read_picture(digits, Run(run.folder), chosen.item) is None
    (digits.folder / FILE).unlink()
    assert read_picture(digits, run, chosen.item) is None


@pytest.mark.parametrize(
    "name", ["draws.word", "draws.photo", "points", "masks", "rate", "latents"]
)
@pytest.mark.parametrize("harm", ["lacking", "of another shape", "of other values"])
def test_a_damaged_picture_is_one_sentence(digits: Study, name: str, harm: str) -> None:
    chosen, path = opening.make_opening(digits)
    assert path is not None
    with np.load(path) as file:
        arrays = dict(file)
    given = arrays.pop(name)
    wrong = {"rate": np.nan, "latents": np.nan}.get(name, 250)
    if harm == "of another shape":
        arrays[name] = given[..., None]
    elif harm == "of other values" and name in ("draws.photo", "masks"):
        arrays[name] = given.astype("U3")
    elif harm == "of other values":
        arrays[name] = np.full_like(given, wrong)
    write_arrays(path, arrays) if harm != "of other values" else np.savez(path, **arrays)
    with pytest.raises(RunError, match=FILE) as caught:
        read_picture(digits, Run(digits.folder / chosen.run), chosen.item)
    assert str(caught.value).endswith("make it anew with `python -m mmvae_core opening digits`.")


def test_of_many_modalities_no_picture_is_made(tmp_path: Path) -> None:
    from tests.ui import studies

    items = studies.vector_items(6, 12)
    studies.write_study(
        tmp_path / "six",
        small.settings(modalities=studies.vectors(6)),
        items,
        studies.about("Six"),
        {"poe": {"aggregator": {"name": "poe"}}},
    )
    chosen, path = opening.make_opening(Study(tmp_path / "six"))
    assert path is None and len(chosen.mask) == 6


def test_an_unknown_study_is_one_sentence(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["opening", "nothing", "--checkpoints", str(root)])
    assert caught.value.code == 2
    assert "There is no study 'nothing'" in capsys.readouterr().err


def test_an_opening_that_is_none_is_told(digits: Study) -> None:
    record = structs.replace(digits.about, opening=Opening(run="x", item=-1, mask=()))
    with pytest.raises(MMVAEError, match=r"opening\.item"):
        write_record(digits.folder / "study.json", record)
