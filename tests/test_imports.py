"""Imports go one way, layer by layer, and files are short."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Rooms of the core, lowest layer first: a room may import from layers before its own, and nothing
# from another room of its own layer.
CORE = (
    ("errors", "presets", "seeding", "batch", "intervals", "places", "tied"),
    ("config", "subsets", "files", "geometry", "projections", "networks"),
    ("config_files", "probability", "npz"),
    ("aggregators", "modalities"),
    ("model", "data"),
    ("objectives",),
    ("build",),
    ("sources",),
    ("store",),
    ("evaluation", "export"),
    ("training",),
    ("explore", "studies", "own_studies", "progress"),
    ("experiments", "face"),
    ("cli",),
    ("__main__",),
)
PAGES = tuple(path.stem for path in sorted((ROOT / "pages").glob("*.py")))
"""A page and the folder in `ui` that is its own have one name."""
LONGEST = 300
UI = (("draw", "components"), ("kinds",), ("shell",), ("shared",), PAGES)


def sources(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def imported(path: Path) -> Iterator[str]:
    """Modules named by the import statements of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} is relative; name the whole module"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(paths: list[Path], *roots: str) -> list[str]:
    """Which of the files import a package of that name."""
    return [
        str(path.relative_to(ROOT))
        for path in paths
        if any(name.split(".")[0] in roots for name in imported(path))
    ]


def loaded_by(*modules: str, also: Sequence[str] = ()) -> list[str]:
    """Which of torch, Streamlit and others a fresh interpreter has after importing the modules."""
    code = (
        f"import sys, {', '.join(modules)}\n"
        "print(*[name for name in sys.argv[1:] if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, "torch", "streamlit", *also]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.split()


def test_files_have_at_most_300_lines() -> None:
    every = sources("mmvae_core/**/*.py", "ui/**/*.py", "pages/*.py", "tools/*.py")
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in every
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_a_value_is_called_what_it_is_not_that_it_was_found_or_made() -> None:
    vague = {
        str(path.relative_to(ROOT))
        for path in sources("mmvae_core/**/*.py", "ui/**/*.py", "pages/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if getattr(node, "id", getattr(node, "arg", None)) in ("found", "made")
    }
    assert vague <= {"mmvae_core/explore/claims_of_runs.py"}, "there cards ask for a `run` by name"


def test_streamlit_stays_in_the_app() -> None:
    outside = sources("mmvae_core/**/*.py", "ui/draw/**/*.py", "ui/kinds/**/*.py", "tools/*.py")
    assert importers(outside, "streamlit") == []


def test_figures_and_kinds_need_no_torch() -> None:
    pure = sources("ui/draw/*.py", "ui/kinds/*.py")
    of_core = {
        name
        for path in sources("ui/draw/*.py")
        for name in imported(path)
        if name.split(".")[0] in ("mmvae_core", "torch") and name.count(".") == 1
    }
    assert of_core <= {"mmvae_core.intervals"}, "figures take arrays; what 95 % is stands once"
    modules = [str(path.relative_to(ROOT).with_suffix("")).replace("/", ".") for path in pure]
    assert loaded_by(*modules) == []


def test_the_core_knows_nothing_of_the_app_and_ui_nothing_of_pages() -> None:
    assert importers(sources("mmvae_core/**/*.py"), "ui", "pages", "app") == []
    assert importers(sources("ui/**/*.py"), "pages", "app") == []
    assert (
        importers(
            sources("mmvae_core/**/*.py", "ui/**/*.py", "pages/*.py", "app.py"),
            "tests",
            "tools",
            "benchmarks",
        )
        == []
    )


def level(room: str, layers: Sequence[Sequence[str]]) -> int:
    """Which layer a room is in."""
    found = [index for index, layer in enumerate(layers) if room in layer]
    assert len(found) == 1, f"{room} is in {len(found)} layers, expected one; put it in its own"
    return found[0]


def upward(package: str, layers: Sequence[Sequence[str]]) -> set[tuple[str, str]]:
    """Imports of a package's modules, as (module, module), that do not go down a layer."""
    found = set()
    for path in sources(f"{package}/**/*.py"):
        own = path.relative_to(ROOT / package).with_suffix("").parts
        if own == ("__init__",):
            continue
        for name in imported(path):
            root, *other = name.split(".")
            if root != package or not other or other[0] in {own[0], "__version__"}:
                continue
            if level(other[0], layers) >= level(own[0], layers):
                found.add((".".join(own), ".".join(other[:2])))
    return found


def test_the_core_is_layered() -> None:
    assert upward("mmvae_core", CORE) == set()


def test_the_app_is_layered_and_its_pages_are_independent() -> None:
    assert upward("ui", UI) == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_uses_no_other_page(page: str) -> None:
    rooms = {
        name.split(".")[1]
        for name in imported(ROOT / "pages" / f"{page}.py")
        if name.startswith("ui.")
    }
    assert rooms <= {page, "shared", "shell", "components"}


def test_the_face_imports_nothing_before_it_is_asked() -> None:
    rooms = [f"mmvae_core.{room}" for layer in CORE for room in layer]
    assert loaded_by("mmvae_core", also=["numpy", *rooms]) == []


@pytest.mark.parametrize(
    "module",
    [
        "mmvae_core",
        "mmvae_core.modalities.kinds",
        "mmvae_core.store.study",
        "mmvae_core.store.results",
        "mmvae_core.cli",
    ],
)
def test_light_modules_stay_light(module: str) -> None:
    assert loaded_by(module, also=["umap", "sklearn", "PIL", "ui"]) == []
