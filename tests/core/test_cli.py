"""The command line: what it writes, and one sentence for what a user can mend."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import asdict
from PIL import Image

from mmvae_core.cli import main
from mmvae_core.config import from_dict, to_dict
from mmvae_core.data.digits.words import ALPHABET
from mmvae_core.explore.inference import generate
from mmvae_core.files import write_json
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import About
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from mmvae_core.store.weights import save_weights
from tests import small

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "app",
    "train",
    "evaluate",
    "runs",
    "generate",
    "export",
    "page",
    "data",
    "study",
    "opening",
    "experiment",
)
DIGITS = small.settings(
    study="digits",
    modalities=[
        {
            "name": "handwriting",
            "shape": [1, 28, 28],
            "network": "image",
            "width": 2,
            "likelihood": {"name": "bernoulli"},
        },
        {
            "name": "photo",
            "shape": [3, 32, 32],
            "network": "image",
            "width": 2,
            "likelihood": {"name": "laplace"},
        },
        {
            "name": "word",
            "shape": [8, 27],
            "network": "sequence",
            "width": 4,
            "likelihood": {"name": "categorical"},
        },
    ],
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the study `digits` and its run `digits/first`, of random weights."""
    place = tmp_path_factory.mktemp("checkpoints")
    about = About(title="Digits", classes=tuple("0123456789"), alphabets={"word": ALPHABET})
    write_record(place / "digits" / "study.json", about)
    small.write_run(place / "digits" / "first", from_dict(DIGITS))
    return place


def call(*arguments: object) -> int:
    """The exit code of the command line."""
    with pytest.raises(SystemExit) as caught:
        main([str(one) for one in arguments])
    return int(caught.value.code or 0)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What stands on stderr: exactly one sentence, beside exit code 2 and an empty stdout."""
    code = call(*arguments)
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.endswith(".\n")
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_tells_what_there_is(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*([command] if command else []), "--help") == 0
    out = capsys.readouterr().out
    assert "Usage:" in out
    assert all(name in out for name in COMMANDS) or command


def test_the_module_is_a_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mmvae_core", "runs", "--json", "--checkpoints", tmp_path],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert json.loads(done.stdout) == []
    done = subprocess.run(
        [sys.executable, "-m", "mmvae_core", "generate", "no/run", "--out", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no run 'no/run'" in done.stderr


# app


def test_the_app_is_started_on_the_named_runs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], check: bool) -> subprocess.CompletedProcess[bytes]:
        started.append(command)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", run)
    own = root / "own"
    options = ("--checkpoints", root, "--port", 8765, "--runs", own, "--decode", "server")
    assert call("app", *options) == 3
    (command,) = started
    assert Path(command[4]) == ROOT / "app.py"
    named = ("--", "--checkpoints", str(root.resolve()), "--runs", str(own.resolve()))
    assert command[-7:] == (*named, "--decode", "server")
    assert command[command.index("--server.port") + 1] == "8765"
    assert "--server.address" not in command  # as configured: this machine alone
    assert command[command.index("--server.maxUploadSize") + 1] == "500"  # megabytes


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that would have been started as processes."""
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, check: found.append(command) or subprocess.CompletedProcess(command, 0),
    )
    return found


def test_others_are_let_in_under_the_name_that_is_given(
    root: Path, started: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("app", "--checkpoints", root, "--host", "192.168.1.20") == 0
    (command,) = started
    assert command[command.index("--server.address") + 1] == "0.0.0.0"
    allowed = [command[at + 1] for at, one in enumerate(command) if one == "--server.allowedHosts"]
    assert allowed == ["192.168.1.20", "localhost"]
    assert "--server.maxUploadSize" not in command  # as configured: what strangers may send
    assert call("app", "--checkpoints", root, "--host", "a b; c") == 2
    assert "is no name or address" in capsys.readouterr().err


def test_the_app_is_started_on_own_cards_and_counts_if_asked(
    root: Path, started: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    cards = root / "cards"
    assert "files NAME.toml" in refused(capsys, "app", "--checkpoints", root, "--cards", cards)
    cards.mkdir()
    (cards / "one.toml").touch()
    assert call("app", "--checkpoints", root, "--cards", cards, "--collect") == 0
    (command,) = started
    assert command[-3:] == ("--cards", str(cards.resolve()), "--collect")


def test_the_app_is_not_started_without_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--checkpoints FOLDER" in refused(capsys, "app", "--checkpoints", tmp_path)


# runs


def test_runs_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("runs", "--json", "--checkpoints", root) == 0
    (row,) = json.loads(capsys.readouterr().out)
    card = asdict(Run(root / "digits" / "first").card)
    del card["study"]  # the hash of people's own data, not the study's name
    assert row["id"] == "digits/first"
    assert row["metrics"] == {}
    assert {key: row[key] for key in card if key in row} == {
        key: card[key] for key in card if key in row
    }
    assert {"epochs", "device", "hardware", "threads", "seconds", "weights"} <= row.keys()


def test_runs_as_a_table(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("runs", "--checkpoints", root) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["id", "aggregator", "objective"]
    assert line.split()[:5] == ["digits/first", "poe", "masked", "0", "2"]


def test_no_runs_is_no_error_for_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("runs", "--json", "--checkpoints", tmp_path) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert "There are no runs under" in refused(capsys, "runs", "--checkpoints", tmp_path)


@pytest.mark.parametrize("damage", ["config.json", "card.json"])
def test_a_damaged_run_is_named(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = small.write_study(tmp_path)
    (run.folder / damage).write_text("{")
    assert damage in refused(capsys, "runs", "--checkpoints", tmp_path)


# generate


def test_generate_without_a_condition_writes_every_modality(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        call("generate", "digits/first", "--out", tmp_path, "--samples", 3, "--checkpoints", root)
        == 0
    )
    written = sorted(path.name for path in tmp_path.iterdir())
    pictures = [
        f"{name}-{index:02d}.png" for name in ("handwriting", "photo") for index in range(3)
    ]
    assert written == [*pictures, "word.txt"]
    assert sorted(Path(line).name for line in capsys.readouterr().out.split()) == written
    model = Run(root / "digits" / "first").model()
    means = generate(model, {}, 3, seed=0, prior=model.prior()).at_draws
    for index in range(3):
        grey = np.asarray(Image.open(tmp_path / f"handwriting-{index:02d}.png"))
        colour = np.asarray(Image.open(tmp_path / f"photo-{index:02d}.png"))
        for pixels, mean in (
            (grey[None], means["handwriting"]),
            (colour.transpose(2, 0, 1), means["photo"]),
        ):
            expected = mean[index].clip(0, 1) * 255
            assert np.abs(pixels - expected).max() <= 0.51  # half a level, and rounding
    texts = (tmp_path / "word.txt").read_text(encoding="utf-8").split("\n")
    likeliest = means["word"].argmax(-1).tolist()
    assert texts == ["".join(ALPHABET[code] for code in codes) for codes in likeliest] + [""]


def picture(folder: Path) -> Path:
    pixels = np.zeros((40, 40), np.uint8)
    pixels[8:32, 18:22] = 255
    Image.fromarray(pixels).save(folder / "one.png")
    return folder / "one.png"


def test_generate_writes_only_what_was_not_given(root: Path, tmp_path: Path) -> None:
    given = ("--given", f"handwriting={picture(tmp_path)}", "--given", "word=one")
    assert (
        call(
            "generate",
            "digits/first",
            "--out",
            tmp_path / "a",
            *given,
            "--samples",
            2,
            "--checkpoints",
            root,
        )
        == 0
    )
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"photo-00.png", "photo-01.png"}


def test_generate_knows_a_picture_by_its_shape_not_its_network(tmp_path: Path) -> None:
    """What it writes of `photo`, whose network is an MLP, and of `numbers` it also reads."""
    photo = {"name": "photo", "shape": [3, 8, 8], "width": 4, "likelihood": {"name": "normal"}}
    place = tmp_path / "checkpoints"
    made = small.config(modalities=[photo, small.SETTINGS["modalities"][0]])
    write_record(place / "small" / "study.json", About(title="Small", classes=()))
    small.write_run(place / "small" / "first", made)

    def written(name: str, *more: object) -> set[str]:
        out = ("--out", tmp_path / name, "--samples", 1, "--checkpoints", place)
        assert call("generate", "small/first", *out, *more) == 0
        return {path.name for path in (tmp_path / name).iterdir()}

    assert written("all") == {"photo-00.png", "numbers.csv"}
    given = ("--given", f"photo={tmp_path}/all/photo-00.png")
    assert written("numbers", *given) == {"numbers.csv"}
    assert written("photo", "--given", f"numbers={tmp_path}/all/numbers.csv") == {"photo-00.png"}


def test_generate_depends_on_the_seed_and_on_what_is_given(root: Path, tmp_path: Path) -> None:
    def drawn(name: str, *more: object) -> bytes:
        assert (
            call(
                "generate",
                "digits/first",
                "--out",
                tmp_path / name,
                "--samples",
                1,
                "--checkpoints",
                root,
                *more,
            )
            == 0
        )
        return (tmp_path / name / "photo-00.png").read_bytes()

    first = drawn("a", "--given", "word=one")
    assert drawn("b", "--given", "word=one") == first
    assert drawn("c", "--given", "word=one", "--seed", 1) != first
    assert drawn("d", "--given", "word=two") != first


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["sound=x.wav"], "'sound=x.wav'.*handwriting, photo, word"),
        (["handwriting"], "'handwriting' is not MODALITY=FILE"),
        (["word=one", "word=two"], "twice"),
        (["word=nineteen!"], "'!'"),
        (["word=seventeen"], "at most 8"),
        (["photo=missing.png"], "no file 'missing.png'"),
        (["photo={tmp}/text.png"], "text.png|picture|PNG"),
        (["photo={tmp}"], "no file"),
        (["photo={tmp}/one.png", "handwriting={tmp}/one.png", "word=one"], "nothing is missing"),
    ],
)
def test_generate_refuses(
    given: list[str], said: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    options = [part for one in given for part in ("--given", one.format(tmp=tmp_path))]
    err = refused(
        capsys,
        "generate",
        "digits/first",
        "--out",
        tmp_path / "out",
        *options,
        "--samples",
        1,
        "--checkpoints",
        root,
    )
    assert re.search(said, err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("run", ["digits/second", "", "/", "digits", "../etc"])
def test_generate_names_the_runs_there_are(
    run: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    err = refused(capsys, "generate", run, "--out", tmp_path, "--checkpoints", root)
    assert f"no run {run!r}" in err
    assert "digits/first" in err


def test_generate_refuses_weights_that_do_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = small.write_study(tmp_path)
    write_json(run.folder / "config.json", to_dict(small.config(latent=5)))
    err = refused(
        capsys, "generate", "small/first", "--out", tmp_path / "out", "--checkpoints", tmp_path
    )
    assert "does not fit its config.json" in err


def test_generate_refuses_a_place_that_is_a_file(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("")
    err = refused(
        capsys,
        "generate",
        "digits/first",
        "--out",
        tmp_path / "out",
        "--samples",
        1,
        "--checkpoints",
        root,
    )
    assert "is a file, expected a folder" in err


def test_generate_takes_numbers_from_csv_and_gives_csv(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = small.config(
        modalities=[
            {"name": name, "shape": [4], "width": 4, "likelihood": {"name": "normal"}}
            for name in ("left", "right")
        ]
    )
    run = small.write_run(tmp_path / "small" / "first", made)
    write_record(tmp_path / "small" / "study.json", About(title="Small", classes=()))
    (tmp_path / "x.csv").write_text("1,2,-3,4e-1\n")
    arguments = ("generate", run.folder, "--out", tmp_path / "out", "--samples", 2, "--given")
    assert call(*arguments, f"left={tmp_path / 'x.csv'}") == 0
    (written,) = (tmp_path / "out").iterdir()
    assert written.name == "right.csv"
    assert np.loadtxt(written, delimiter=",").shape == (2, 4)
    capsys.readouterr()
    for content, said in (
        ("1,2,3", "holds 3 numbers"),
        ("1,2,3,nan", "NaN"),
        ("a,b,c,d", "cannot be read as numbers"),
        ("", "numbers"),
    ):
        (tmp_path / "x.csv").write_text(content)
        assert said in refused(capsys, *arguments, f"left={tmp_path / 'x.csv'}")


@pytest.mark.parametrize("seed", ["99999999999999999999", "18446744073709551616"])
def test_a_seed_that_torch_cannot_take_is_refused(
    seed: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = call(
        "generate", "digits/first", "--out", tmp_path, "--seed", seed, "--checkpoints", root
    )
    assert code == 2
    assert "--seed" in capsys.readouterr().err


# train, data, study


def write_config(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps(DIGITS | changes))
    return path


def test_train_without_data_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = write_config(tmp_path / "made.json")
    err = refused(
        capsys,
        "train",
        made,
        "--out",
        tmp_path / "run",
        "--data",
        tmp_path / "none",
        "--threads",
        1,
    )
    assert str(tmp_path / "none") in err
    assert "download" in err
    assert not (tmp_path / "run").exists()


def test_train_refuses_configurations_that_do_not_fit_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = write_config(tmp_path / "made.json", modalities=DIGITS["modalities"][:2])
    err = refused(capsys, "train", made, "--out", tmp_path / "run", "--threads", 1)
    assert "handwriting, photo, word" in err
    for path in (tmp_path / "none.toml", tmp_path):
        err = refused(capsys, "train", path, "--out", tmp_path / "run", "--threads", 1)
        assert "no configuration file" in err


@pytest.mark.parametrize("command", ["data", "study"])
def test_unknown_data_sets_are_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--out", tmp_path) if command == "study" else ()
    assert "the data set is digits" in refused(capsys, command, "letters", *more)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["letters"], "no experiment 'letters'; choose one of linear, bimodal, missing"),
        (["linear", "--aggregator", "poe", "--aggregator", "mean"], "no aggregator 'mean'"),
        (["linear", "--aggregator", "poe", "--objective", "elbo"], "no objective 'elbo'"),
        (["linear", "--aggregator", "poe_mixture"], "components = 5"),
    ],
)
def test_an_experiment_refuses_what_it_does_not_know(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, "experiment", *arguments, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_quick_experiment_cannot_replace_shipped_results(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "--quick needs --out" in refused(capsys, "experiment", "linear", "--quick")


def test_a_study_is_made_of_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = ROOT / "configs"
    assert call("study", configs / "experiments" / "missing.toml", "--out", tmp_path / "a") == 0
    assert str(tmp_path / "a") in capsys.readouterr().out
    study = Study(tmp_path / "a")
    assert study.about.title.startswith("Missing")
    assert list(study.samples().data) == ["first", "second", "third", "fourth"]
    assert "no configuration file" in refused(
        capsys, "study", tmp_path / "none.toml", "--out", tmp_path / "b"
    )


def test_data_that_are_not_there_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "download" in refused(capsys, "data", "digits", "--data", tmp_path)
    err = refused(capsys, "study", "digits", "--out", tmp_path / "study", "--data", tmp_path)
    assert "download" in err


def test_weights_alone_are_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small.write_study(tmp_path)
    save_weights(run.model(), tmp_path / "alone" / "weights.safetensors")
    err = refused(
        capsys, "generate", tmp_path / "alone", "--out", tmp_path / "out", "--checkpoints", tmp_path
    )
    assert "small/first" in err


def test_an_experiment_into_a_file_is_refused_before_it_trains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(SystemExit) as ended:
        main(["experiment", "linear", "--out", str(tmp_path / "file")])
    assert ended.value.code == 2
    assert "is a file, expected a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "kept"


LONG_NAMES = ("x" * 5_000, "/".join(["y" * 200] * 30))
"""Longer than a name, or a path, may be."""


@pytest.mark.parametrize("name", LONG_NAMES, ids=["name", "path"])
@pytest.mark.parametrize(
    "command",
    [
        ("train", "one.toml", "--out"),
        ("train",),
        ("evaluate",),
        ("experiment", "linear", "--out"),
        ("experiment", "linear", "--out", "new", "--keep"),
        ("toy", "--out"),
        ("sweep", "grid.toml", "--out"),
        ("study", "digits", "--out"),
        ("study", "make"),
        ("study", "new", "new", "--from"),
        ("data", "digits", "--data"),
        ("app", "--checkpoints"),
        ("runs", "--checkpoints"),
    ],
    ids=" ".join,
)
def test_a_name_too_long_for_any_file_is_one_short_sentence(
    command: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    small_one = small.linear(items=8, epochs=1, batch=4)
    write_json(tmp_path / "one.json", to_dict(small_one))
    (tmp_path / "one.toml").write_text('extends = "one.json"')
    out = ("--out", "new") if command == ("train",) else ()
    said = refused(capsys, *command, name, *out)
    assert len(said) < 2_000
    assert not (tmp_path / "new").exists()
