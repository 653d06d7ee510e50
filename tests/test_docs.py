"""The guides in docs/ are true, and the reference leaves no room of the core out.

That the pages can be built, and that no link is broken, is what `make docs` says.
"""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GUIDES = sorted(path for path in DOCS.glob("*.md") if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_the_examples_of_a_guide_are_true(guide: Path) -> None:
    found = doctest.testfile(str(guide), module_relative=False)
    assert found.attempted and not found.failed


def test_every_room_of_the_core_has_its_place_in_the_reference() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.glob("reference/*.md"))
    told = re.findall(r"^::: mmvae_core\.(\w+)$", text, re.M)
    rooms = {path.stem for path in (ROOT / "mmvae_core").iterdir() if path.stem[0] not in "_."}
    assert sorted(told) == sorted(rooms)


def test_every_page_is_in_the_navigation() -> None:
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    told = re.findall(r": ([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    assert sorted(told) == sorted(pages)


def test_what_the_pages_need_is_pinned_with_a_reason() -> None:
    lines = (ROOT / "requirements-docs.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert wanted and all(re.fullmatch(r"[\w-]+==[\d.]+  # .+", line) for line in wanted)
