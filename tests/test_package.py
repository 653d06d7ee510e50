"""What an installation brings: laid out as pyproject.toml says, it works from another folder."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import mmvae_core

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `pip install .` fills it, and beside it one to work in without any runs."""
    place = tmp_path_factory.mktemp("installed")
    wanted = {name: name for name in WHEEL["packages"]} | WHEEL["force-include"]
    for source, target in wanted.items():
        (place / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, place / target)
    (place / "elsewhere").mkdir()
    return place


def python(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """This Python in another folder, with the installation alone to import from."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=site / "elsewhere",
        env={"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_readmes_lines_run_from_another_folder(site: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    named = lines.replace('masked")', f'masked", root={str(ROOT / "checkpoints")!r})')
    assert named != lines
    done = python(site, "-c", f"{named}\nprint(mm.__file__)")
    assert done.returncode == 0, done.stderr
    assert "(4, 3, 32, 32)" in done.stdout
    assert str(site) in done.stdout


def test_configurations_come_along(site: Path) -> None:
    code = (
        "from mmvae_core.experiments.grid import cells, config_of; "
        "print(config_of(cells('bimodal', (), (), 1)[0]).study)"
    )
    done = python(site, "-c", code)
    assert done.stdout == "bimodal\n", done.stderr


def test_the_folder_of_studies_is_asked_for_in_one_sentence(site: Path) -> None:
    for command in (["app"], ["runs"], ["evaluate", "digits/poe-masked"]):
        done = python(site, "-m", "mmvae_core", *command)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "--checkpoints" in done.stderr


def test_the_app_comes_along(site: Path) -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; "
        "from mmvae_core.places import HOME; "
        f"sys.argv = ['app.py', '--checkpoints', {str(ROOT / 'checkpoints')!r}]; "
        "app = AppTest.from_file(HOME / 'app.py', default_timeout=60).run(); "
        "import ui; print(ui.__file__, [one.value for one in app.title], list(app.exception))"
    )
    done = python(site, "-c", f"import sys; sys.path.insert(0, '{site}/mmvae_core/beside'); {code}")
    assert "['Hide a view, and the model dreams it up'] []" in done.stdout, done.stderr
    assert str(site) in done.stdout


def test_the_version_and_what_is_needed_stand_once() -> None:
    assert PROJECT["project"]["dynamic"] == ["version", "dependencies"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "mmvae_core/__init__.py"
    hooks = PROJECT["tool"]["hatch"]["metadata"]["hooks"]
    assert hooks["requirements_txt"]["files"] == ["requirements.txt"]
    version = mmvae_core.__version__
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
