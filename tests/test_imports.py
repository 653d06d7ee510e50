"""Imports go one way: pages -> ui -> mmvae_core, and layer by layer inside the core."""

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
    ("errors", "presets", "seeding", "batch", "intervals", "places"),
    ("config", "subsets", "files", "geometry", "projections", "networks"),
    ("probability",),
    ("aggregators", "modalities"),
    ("model", "data"),
    ("objectives",),
    ("build",),
    ("store",),
    ("evaluation",),
    ("training",),
    ("explore", "studies", "progress"),
    ("experiments", "face"),
    ("cli",),
    ("__main__",),
)
PAGES = tuple(path.stem for path in sorted((ROOT / "pages").glob("*.py")))
"""A page and the folder in `ui` that is its own have one name."""
UI = (("draw", "components"), ("kinds",), ("shell",), ("shared",), PAGES)
UPWARD = {
    ("store.study", "evaluation.judge"),
    ("evaluation.report", "training.second_stage"),
}
"""Imports against the layers that are still there; there may be fewer, not more."""


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
    assert upward("mmvae_core", CORE) == UPWARD


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
