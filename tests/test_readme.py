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


def test_the_table_is_what_the_reports_say() -> None:
    from mmvae_core.store.study import SHIPPED, Study
    from tools.results_table import table

    assert table(Study(SHIPPED / "digits").runs()) in README


def test_its_picture_is_there() -> None:
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert (Path(__file__).parent.parent / picture).is_file()
