"""Imports go one way: pages -> ui -> mmvae_core, and layer by layer inside the core."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Lowest first; a module may import its own layer and those before it.
LAYERS = (
    ("errors", "presets"),
    ("config", "subsets", "batch", "files", "seeding"),
    ("probability", "networks"),
    ("aggregators",),
    ("modality",),
    ("model",),
    ("objectives",),
    ("data",),
    ("build",),
    (
        "training",
        "training_state",
        "prior_fit",
        "second_stage",
        "evaluation",
        "projections",
        "geometry",
        "checkpoints",
        "runs",
        "studies",
        "generation",
        "traversal",
        "exchange",
        "progress",
        "results",
    ),
    ("experiments",),
    ("cli", "__main__"),
)
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}


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


def test_streamlit_stays_in_the_app() -> None:
    outside = sources("mmvae_core/**/*.py", "ui/*plots.py", "tools/*.py")
    assert importers(outside, "streamlit") == []


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


@pytest.mark.parametrize(
    "path", sources("mmvae_core/**/*.py"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_core_is_layered(path: Path) -> None:
    own = path.relative_to(ROOT / "mmvae_core").with_suffix("").parts[0]
    if own == "__init__":
        assert not any(name.startswith("mmvae_core") for name in imported(path))
        return
    assert own in LEVEL, f"{own} is in no layer; add it to LAYERS"
    for name in imported(path):
        package, _, rest = name.partition(".")
        if package == "mmvae_core" and rest and rest != "__version__":
            other = rest.split(".")[0]
            assert LEVEL[other] <= LEVEL[own], f"{own} must not import {other}, which is above it"


@pytest.mark.parametrize(
    "module", ["mmvae_core", "mmvae_core.store.run", "mmvae_core.store.results", "mmvae_core.cli"]
)
def test_light_modules_stay_light(module: str) -> None:
    code = f"import sys, {module}; print([name for name in sys.argv[1:] if name in sys.modules])"
    heavy = ["torch", "streamlit", "umap", "sklearn", "PIL", "ui"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
