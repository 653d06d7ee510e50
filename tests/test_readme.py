"""What the README shows works as it is written."""

import re
from pathlib import Path

import pytest

from mmvae_core.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_lines_of_python_run(capsys: pytest.CaptureFixture[str]) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(lines, "README.md", "exec"), {})
    assert len(lines.splitlines()) <= 11
    out = capsys.readouterr().out
    assert "(4, 3, 32, 32)" in out and "two" in out and "nats" in out


def test_its_commands_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    commands = set(re.findall(r"^(?:mmvae|python -m mmvae_core) ([a-z-]+)", README, re.M))
    assert {"app", "runs", "train", "evaluate"} <= commands
    for command in commands:
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert caught.value.code == 0
        assert f" {command} " in capsys.readouterr().out


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/handout.md"]
)
def test_tools_are_run_as_modules_so_that_they_find_the_package(page: str) -> None:
    home = Path(__file__).parent.parent
    text = (home / page).read_text(encoding="utf-8")
    assert not re.findall(r"python tools/\S+", text)
    for name in re.findall(r"python -m tools\.(\w+)", text):
        assert (home / "tools" / f"{name}.py").is_file()


def test_the_table_is_what_the_reports_say() -> None:
    from mmvae_core.store.study import SHIPPED, Study
    from tools.results_table import table

    assert table(Study(SHIPPED / "digits").runs()) in README


def test_the_table_of_seeds_is_what_the_kept_reports_say() -> None:
    from mmvae_core.store.spread import find_series, kept_runs
    from mmvae_core.store.study import SHIPPED, Study
    from tools.results_table import spread_table

    study = Study(SHIPPED / "digits")
    models = find_series(study.runs(), kept_runs(study), "training.seed")
    assert models
    assert spread_table(models) in README


def test_its_picture_is_there() -> None:
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert (Path(__file__).parent.parent / picture).is_file()
