"""The handout in docs/ is the one that the command makes of the cards."""

import re
from pathlib import Path

import pytest

from tools import make_handout
from ui.learn.reading import read_lesson

DOCS = Path(__file__).resolve().parents[2] / "docs"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
NEAR = 1.01
"""Places in a picture are rounded to a unit or a tenth of one."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs")
    make_handout.main(out=out)
    return out


def test_the_handout_is_fresh(made: Path) -> None:
    told = (made / "handout.md").read_text(encoding="utf-8")
    assert (DOCS / "handout.md").read_text(encoding="utf-8") == told, (
        "make_handout.py makes it anew"
    )
    for card in read_lesson().cards:
        assert card.title in told
    shown = set(re.findall(r"\(handout/([\w-]+\.svg)\)", told))
    assert shown == {path.name for path in (DOCS / "handout").iterdir()}


def test_its_pictures_are_fresh(made: Path) -> None:
    for path in sorted((made / "handout").iterdir()):
        new, old = (
            (folder / "handout" / path.name).read_text(encoding="utf-8") for folder in (made, DOCS)
        )
        assert NUMBER.sub("", new) == NUMBER.sub("", old), path.name
        pairs = zip(NUMBER.findall(new), NUMBER.findall(old), strict=True)
        assert all(abs(float(one) - float(other)) < NEAR for one, other in pairs), path.name
