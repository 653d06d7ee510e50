"""What CONTRIBUTING.md says of adding a part is done, step by step, in a copy of the repository."""

import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.explore.claims import measure
from mmvae_core.files import read_json
from mmvae_core.store.history import read_history
from mmvae_core.store.study import SHIPPED, Study
from tests.ui.conftest import html_of
from ui.learn.cards import holds
from ui.learn.reading import read_lesson

ROOT = Path(__file__).parents[1]
COPIED = ("mmvae_core", "ui", "configs", "tests", "pyproject.toml")
FILE = r"`([\w/]+\.(?:py|toml))`"
BRIEF = ("--epochs", "1", "--threads", "1")
APP = ("ui", "pages", "app.py", ".streamlit")


@dataclass(frozen=True)
class Recipe:
    """The five steps of one kind of part, as Markdown."""

    kind: str
    steps: list[str]

    def path(self, step: int) -> str:
        """The first file that a step names."""
        return re.findall(FILE, self.steps[step - 1])[0]

    def blocks(self, step: int, language: str) -> list[tuple[str, str]]:
        """The step's blocks of code, each with the first file named since the one before."""
        fence = re.compile(rf"^ *```{language}\n(.*?)^ *```", re.M | re.S)
        parts = fence.split(self.steps[step - 1])
        said, code = parts[:-1:2], parts[1::2]
        files = [re.findall(FILE, text)[0] for text in said]
        return [(file, dedent(block)) for file, block in zip(files, code, strict=True)]

    def commands(self, step: int, program: str) -> list[list[str]]:
        """The commands of a step that start with a program's name."""
        inline = re.findall(r"`([^`]+)`", self.steps[step - 1])
        return [shlex.split(one) for one in inline if one.startswith(program)]


def recipes() -> list[Recipe]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^### (.*)\n", text.split("## Add a part in five steps")[1], flags=re.M)
    return [
        Recipe(kind, steps_of(body)) for kind, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def page_recipe() -> Recipe:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return Recipe("A page", steps_of(text.split("## Add a page")[1].split("\n## ")[0]))


def steps_of(body: str) -> list[str]:
    return re.split(r"^(?=\d\. )", body.strip(), flags=re.M)[1:]


RECIPES = recipes()
PAGE = page_recipe()


def insert(text: str, diff: str) -> str:
    """The text with a block's `+` lines: imports among the imports, the others where it says."""
    lines = text.split("\n")
    place = next(row for row, one in enumerate(lines) if one.startswith("from mmvae_core."))
    for line in diff.rstrip("\n").split("\n"):
        if line.startswith("+"):
            place += 1
            lines.insert(place, line[1:])
        else:
            place = lines.index(line[1:])
    return "\n".join(lines)


def run(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """The command in the copy, with this Python."""
    words = command[1:] if command[0] == "python" else ("-m", *command)
    done = subprocess.run(
        [sys.executable, *words],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module", params=RECIPES, ids=lambda recipe: recipe.kind)
def followed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Recipe, Path]:
    """A recipe, and a copy of the repository in which its first three steps are done."""
    recipe, place = request.param, tmp_path_factory.mktemp("copy")
    for name in COPIED:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, place / name)
    for name, text in (*recipe.blocks(1, "python"), *recipe.blocks(3, "toml")):
        assert not (place / name).exists()
        (place / name).write_text(text, encoding="utf-8")
    for name, text in recipe.blocks(2, "diff"):
        changed = place / name
        changed.write_text(insert(changed.read_text(encoding="utf-8"), text), encoding="utf-8")
    return recipe, place


def test_there_are_five_recipes_of_five_steps_each() -> None:
    assert [recipe.kind for recipe in RECIPES] == [
        "An aggregator",
        "An objective",
        "A likelihood",
        "A data set",
        "A kind of modality",
    ]
    for recipe in [*RECIPES, PAGE]:
        assert [step[:3] for step in recipe.steps] == ["1. ", "2. ", "3. ", "4. ", "5. "]


@pytest.mark.slow
def test_a_page_is_added(tmp_path: Path) -> None:
    for name in {*COPIED, *APP}:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for step in (1, 2, 4):
        path = tmp_path / PAGE.path(step)
        path.parent.mkdir(exist_ok=True)
        path.write_text(PAGE.blocks(step, "python")[0][1], encoding="utf-8")
    (said,) = re.findall(r'`(""".*""")`', PAGE.steps[1])
    (tmp_path / PAGE.path(2)).with_name("__init__.py").write_text(said + "\n", encoding="utf-8")
    frame = tmp_path / PAGE.path(3)
    frame.write_text(insert(frame.read_text(encoding="utf-8"), PAGE.blocks(3, "diff")[0][1]))
    ((_, *files),) = PAGE.commands(5, "pytest")
    done = run(tmp_path, "pytest", *files, "-p", "no:cacheprovider", "-vv")
    assert "test_the_rate_is_the_items_own PASSED" in done.stdout
    assert "test_a_page_uses_no_other_page[rates] PASSED" in done.stdout
    run(tmp_path, "ruff", "check", "--no-cache", *(PAGE.path(step) for step in (1, 2, 3, 4)))
    run(tmp_path, "ruff", "format", "--check", "-q", *(PAGE.path(step) for step in (1, 2, 3, 4)))


def test_a_card_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    steps = steps_of(text.split("## Add a card")[1].split("\n## ")[0])
    ((_, card),) = Recipe("A card", steps).blocks(1, "toml")
    (tmp_path / "third.toml").write_text(card, encoding="utf-8")
    (found,) = read_lesson(tmp_path).cards
    values = {one.name: measure(one.quantity, one.given, SHIPPED) for one in found.claims}
    for one in found.claims:
        assert holds(one, values[one.name], values.get(str(one.than), 0.0))
    options = ["--checkpoints", str(SHIPPED), "--cards", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["app.py", *options])
    app = AppTest.from_file(ROOT / "app.py", default_timeout=60).switch_page("pages/learn.py").run()
    app.radio(key="learn_choice_third").set_value(found.question.right)
    app.button(key="learn_keep").click().run()
    assert not app.exception and not app.error and not app.info
    two, three = (f"{values[name]:.2f}" for name in ("two", "three"))
    assert f" falls from {two} to {three}: less" in html_of(app)


@pytest.mark.slow
def test_the_fourth_step_holds_the_new_part_to_its_laws(followed: tuple[Recipe, Path]) -> None:
    recipe, place = followed
    ((_, folder, *rest),) = recipe.commands(4, "pytest")
    done = run(place, "pytest", folder, *rest, "-p", "no:cacheprovider", "-v")
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) >= 6
    assert "skipped" not in done.stdout
    written = [name for name, _ in recipe.blocks(1, "python")]
    run(place, "ruff", "check", "--no-cache", *written)


@pytest.mark.slow
def test_the_fifth_step_trains_it(followed: tuple[Recipe, Path]) -> None:
    recipe, place = followed
    for command in recipe.commands(5, "python -m mmvae_core"):
        out = place / command[-1]
        if "train" in command:
            run(place, *command, *BRIEF)
            (report,) = read_history(out / "history.csv")
            assert math.isfinite(report.validation_bound)
            assert Path(recipe.path(3)).stem in str(read_json(out / "config.json"))
        elif "study" in command:
            run(place, *command)
            assert read_json(out / "study.json")["title"].startswith(
                Path(recipe.path(3)).stem.title()
            )
            assert len(Study(out).samples())
