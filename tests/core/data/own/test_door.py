"""People's own files come in by one door: what is guessed, joined, checked, made and trained."""

import re
import shlex
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from mmvae_core.cli import main
from mmvae_core.config_files import load_config
from mmvae_core.data.own.items import coded, read_items, split
from mmvae_core.data.own.own_source import hidden
from mmvae_core.data.own.spec import FILE, read_spec
from mmvae_core.data.own.tables import read_table
from mmvae_core.errors import ConfigError, DataError, MMVAEError, UsageError
from mmvae_core.own_studies import check_study, make_study, new_study
from mmvae_core.places import HOME
from mmvae_core.sources import build_source
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import Opening
from mmvae_core.store.study import Study, find_run
from mmvae_core.studies import spread
from mmvae_core.training.runs import train_run
from tests import small

COUNT = 60
GENES, LIPIDS = 8, 5


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Small tables of the shape of nutrimouse: genes, lipids, diet, genotype of the same mice."""
    draw, folder = np.random.default_rng(0), tmp_path / "data"
    folder.mkdir()
    genes, lipids = draw.normal(-1, 0.5, (COUNT, GENES)), 10 * draw.random((COUNT, LIPIDS))
    lipids[draw.random(lipids.shape) < 0.4] = 0.25
    diets, kinds = ("lin", "sun", "fish"), ("wt", "ppar")
    words = (
        [diets[row % 3] for row in range(COUNT)],
        [kinds[row * 2 // COUNT] for row in range(COUNT)],
    )
    for name, values in (("gene", genes), ("lipid", lipids)):
        head = ",".join(f'"{name}{column}"' for column in range(values.shape[1]))
        rows = [",".join(f"{one:.3f}" for one in row) for row in values]
        (folder / f"{name}.csv").write_text("\n".join([head, *rows]))
    for name, values in zip(("diet", "genotype"), words, strict=True):
        (folder / f"{name}.csv").write_text(
            "\n".join([f'"{name}"', *(f'"{one}"' for one in values)])
        )
    return [folder / f"{name}.csv" for name in ("gene", "lipid", "diet", "genotype")]


def called(*words: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == 0


def test_the_guide_is_followed_literally(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (HOME / "docs" / "own_data.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ +python -m mmvae_core (.*)$", text, re.M)
    assert [one.split()[0] for one in commands] == [*["study"] * 4, "train", "evaluate", "app"]
    for command in commands[:-1]:
        words = shlex.split(command)
        called(*words, *(["--epochs", "2"] if words[0] == "train" else []))
    place, run = Path("studies/mice"), find_run("mice/poe-masked", Path("studies"))
    assert "gene" in (place / "contact_sheet.html").read_text()
    assert run.card.study == read_items(read_spec(place), files[0].parent).content
    assert run.config.names == ("gene", "lipid")
    assert run.report.items == run.latents().mean.shape[1] >= 10


def test_what_is_guessed_of_them(files: list[Path], tmp_path: Path) -> None:
    study, _ = new_study(tmp_path / "mice", files)
    samples, spec = study.samples(), read_spec(tmp_path / "mice")
    assert [one.kind for one in spec.modality] == ["vector", "vector"]
    assert study.about.classes == ("fish", "lin", "sun")
    assert study.about.notes == {"diet": ("fish", "lin", "sun"), "genotype": ("ppar", "wt")}
    genes = read_table(files[0]).columns
    for row in range(len(samples)):
        mouse = int(samples.ids[row])
        wanted = [values[mouse] for values in genes.values()]
        np.testing.assert_allclose(samples.data["gene"][row], wanted, rtol=1e-6)
        assert study.about.classes[samples.labels[row]] == ("lin", "sun", "fish")[mouse % 3]
    with pytest.raises(UsageError, match=r"there already; edit it"):
        new_study(tmp_path / "mice", files)


def test_splits_are_disjoint_whole_and_have_every_class_in_its_share(
    files: list[Path], tmp_path: Path
) -> None:
    new_study(tmp_path / "mice", files)
    spec = read_spec(tmp_path / "mice")
    items = read_items(spec, files[0].parent)
    parts = split(spec, items)
    assert sorted(np.concatenate(parts).tolist()) == list(range(COUNT))
    labels = coded(items.notes["diet"])[0]
    for rows, share in zip(parts, (0.5, 0.2, 0.3), strict=True):
        counts = np.bincount(labels[rows], minlength=3)
        assert abs(counts - share * COUNT / 3).max() <= 2


@pytest.mark.parametrize(
    "text",
    [
        "id,a,b\nx,1.5,2\ny,,3\nz,4,NA\n",
        "\ufeffid;a;b\r\nx;1,5;2\r\ny;n/a;3\r\nz;4;?\r\n",
        '"a"\t"b"\n"x"\t1.5\t2\n"y"\t-\t3\n"z"\t4\tnull\n',
    ],
    ids=["commas", "byte order mark, semicolons, decimal commas", "tabs and row names"],
)
def test_tables_as_people_write_them(text: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8", newline="")
    table = read_table(path)
    ids = table.rows or tuple(table.columns["id"])
    assert ids == ("x", "y", "z")
    np.testing.assert_array_equal(table.columns["a"], [1.5, np.nan, 4])
    np.testing.assert_array_equal(table.columns["b"], [2, 3, np.nan])


def test_parquet_is_the_same_table(tmp_path: Path) -> None:
    pandas, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": [1.5, None], "b": ["x", None]})
    frame.to_parquet(tmp_path / "table.parquet")
    table = read_table(tmp_path / "table.parquet")
    np.testing.assert_array_equal(table.columns["a"], [1.5, np.nan])
    assert table.columns["b"].tolist() == ["x", None]


def five(folder: Path) -> list[Path]:
    """Five modalities of four kinds, joined by id, each file with other items, and no labels."""
    draw = np.random.default_rng(1)
    folder.mkdir()
    ids = [f"p{row}" for row in range(COUNT)]

    def table(name: str, values: np.ndarray, kept: range) -> None:
        lines = ["id," + ",".join(f"{name}{one}" for one in range(values.shape[1]))]
        for row in kept:
            cells = ["" if np.isnan(one) else f"{one:g}" for one in values[row]]
            lines.append(",".join([ids[row], *cells]))
        (folder / f"{name}.csv").write_text("\n".join(lines))

    lab = draw.normal(1000, 50, (COUNT, 4))
    lab[draw.random(lab.shape) < 0.1] = np.nan
    table("lab", lab, range(COUNT))
    table("more", draw.normal(0, 1e-3, (COUNT, 3)), range(10, COUNT))
    table("genes", draw.poisson(1.0, (COUNT, 6)).astype(float), range(COUNT - 10))
    table("signs", draw.integers(0, 2, (COUNT, 7)).astype(float), range(COUNT))
    (folder / "photo").mkdir()
    for row in range(0, COUNT, 2):
        pixels = draw.integers(0, 256, (12, 12), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "photo" / f"{ids[row]}.png")
    return [folder / name for name in ("lab.csv", "more.csv", "genes.csv", "signs.csv", "photo")]


def test_a_union_of_five_modalities_of_four_kinds_without_labels(tmp_path: Path) -> None:
    files, place = five(tmp_path / "data"), tmp_path / "five"
    new_study(place, files)
    assert read_spec(place).join == "union", "fewer than half are in all files"
    kinds = {one.name: one.kind for one in read_spec(place).modality}
    assert kinds == {
        "lab": "vector",
        "more": "vector",
        "genes": "counts",
        "signs": "binary",
        "photo": "grey",
    }
    shared = msgspec.structs.replace(read_spec(place), join="intersection")
    both = len(read_items(shared, files[0].parent))
    study, _ = make_study(place)
    items = read_items(read_spec(place), files[0].parent)
    assert len(items) == COUNT > both
    assert not items.observed["photo"][items.ids.index("p1")]
    assert np.isnan(items.data["lab"]).any()
    samples = study.samples()
    assert (samples.labels == -1).all()
    assert not samples.mask(kinds).all()
    config = load_config(place / "configs" / "sum_pooling-masked.toml")
    training = msgspec.structs.replace(config.training, epochs=2)
    config = msgspec.structs.replace(config, training=training)
    steps: list[tuple[int, int]] = []
    run = train_run(
        config, place / "run", build_source(config), each_step=lambda *one: steps.append(one)
    )
    batches = -(-len(split(read_spec(place), items)[0]) // config.training.batch)
    assert steps[-1] == (batches, batches), "real batches are counted, not a configured size"
    assert len(steps) == 2 * batches
    assert run.card.study == study.about.content


def test_a_bound_is_the_mean_over_the_batches_that_there_are(tmp_path: Path) -> None:
    """Whatever `epoch_size` says."""
    new_study(tmp_path / "five", five(tmp_path / "data"))
    config = load_config(tmp_path / "five" / "configs" / "poe-masked.toml")
    training = msgspec.structs.replace(config.training, epochs=1)
    bounds = []
    for size in (10, 1_000):
        data = msgspec.structs.replace(config.data, epoch_size=size)
        made = msgspec.structs.replace(config, training=training, data=data)
        reports: list = []
        train_run(made, tmp_path / str(size), build_source(made), each_epoch=reports.append)
        bounds.append((reports[0].training_bound, reports[0].learning_rate))
    assert bounds[0] == bounds[1]


def edited(place: Path, old: str, new: str) -> None:
    path = place / FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'name = "normal", scale = 0.5, learn_scale = true, per_entry = true, standardise = true',
            'name = "bernoulli"',
            "expected 0 to 1",
        ),
        ("[split]", "[split]\nodd = 1", "cannot be read"),
        ("gene.csv", "other.csv", "There is no file"),
        ('column = "diet"', 'column = "food"', "has no column 'food'; it has diet"),
        ("train = 0.5", "train = 0.9", "leaves nothing for testing"),
        ("train = 0.5", "train = 0.75", "expected at least 10"),
    ],
)
def test_what_is_wrong_is_a_sentence(
    old: str, new: str, said: str, files: list[Path], tmp_path: Path
) -> None:
    new_study(tmp_path / "mice", files)
    edited(tmp_path / "mice", old, new)
    with pytest.raises(MMVAEError) as caught:
        make_study(tmp_path / "mice")
    sentence = str(caught.value)
    assert said in sentence
    assert "\n" not in sentence and sentence.endswith(".")


def test_checks_name_columns_that_say_nothing_copies_and_rows_that_differ(
    files: list[Path], tmp_path: Path
) -> None:
    lines = files[1].read_text().splitlines()
    lines[1:] = [",".join(["7", *line.split(",")[1:]]) for line in lines[1:]]
    files[1].write_text("\n".join(lines))
    new_study(tmp_path / "mice", files)
    said = [str(one) for one in check_study(tmp_path / "mice")]
    assert any("lipid: 1 of 5 entries are always the same (columns 0)" in one for one in said)
    files[1].write_text("\n".join(lines[:-1]))
    with pytest.raises(DataError, match=r"rows differ in number: .*gene 60, lipid 59"):
        check_study(tmp_path / "mice")


def test_data_that_have_changed_are_named_before_training(
    files: list[Path], tmp_path: Path
) -> None:
    place = tmp_path / "mice"
    new_study(place, files)
    config = load_config(place / "configs" / "poe-masked.toml")
    before = build_source(config)
    files[0].write_text(files[0].read_text().replace("-", "", 1))
    assert build_source(config).content != before.content  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(UsageError, match="have changed since the study was made"):
        train_run(config, tmp_path / "run", build_source(config))


def test_what_a_study_opens_with_stays_where_its_items_do(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "mice"
    study, _ = new_study(place, files)
    chosen = Opening(run="poe", item=3, mask=("gene",))
    write_record(place / "study.json", msgspec.structs.replace(study.about, opening=chosen))
    (place / "opening.npz").write_bytes(b"its picture")
    spec = (place / FILE).read_text()
    (place / FILE).write_text(spec.replace('title = "mice"', 'title = "Mice"'))
    called("study", "make", place)
    assert "opened with" not in capsys.readouterr().out
    assert (Study(place).about.title, Study(place).about.opening) == ("Mice", chosen)
    assert (place / "opening.npz").is_file()
    files[0].write_text(files[0].read_text().replace("-", "", 1))
    (place / FILE).write_text(re.sub(r"(?m)^seed = .*", "seed = 5", spec))
    called("study", "make", place)
    assert "opened with item 3 of poe" in capsys.readouterr().out
    assert Study(place).about.opening is None and not (place / "opening.npz").exists()


def test_hiding_leaves_one_modality_and_takes_the_share() -> None:
    observed = np.random.default_rng(5).random((4_000, 4)) < 0.8
    kept = hidden(observed, 0.5, (0, 0))
    assert not (kept & ~observed).any()
    assert (kept.any(1) == observed.any(1)).all()
    share = kept.sum() / observed.sum()
    assert 0.5 < share < 0.56


def test_a_study_without_its_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no .*study\.toml"):
        make_study(tmp_path)


def test_a_study_is_shown_by_its_runs_where_it_has_no_configurations(tmp_path: Path) -> None:
    run = small.write_study(tmp_path)
    called("study", "show", run.folder.parent)
    sheet = (run.folder.parent / "contact_sheet.html").read_text()
    assert all(f"<th>{name}<br>" in sheet for name in run.config.names)


def test_samples_of_sorted_classes_hold_every_class_in_its_share() -> None:
    labels = np.repeat([0, 1, 2, -1], [300, 900, 200, 600])
    kept = np.bincount(labels[spread(labels, 500)] + 1)
    assert np.abs(kept - np.array([150, 75, 225, 50])).max() <= 1
    drawn = np.random.default_rng(0).permutation(labels)
    assert spread(drawn, 500).tolist() == list(range(500))
    assert spread(labels, 5_000).tolist() == list(range(2_000))
