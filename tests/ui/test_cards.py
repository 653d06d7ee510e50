"""Cards as files: a folder of one's own, and every way in which a card can be broken, by its name."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mmvae_core.errors import ConfigError
from tests.ui.conftest import APP, html_of
from ui.learn.cards import Claim, as_said, as_shown, holds
from ui.learn.reading import SHIPPED, read_card, read_lesson
from ui.shell import lesson

MIXTURE = (SHIPPED / "04_mixture.toml").read_text(encoding="utf-8")
POSTERIOR = (SHIPPED / "02_posterior.toml").read_text(encoding="utf-8")
BROKEN = {
    "no TOML": ("id =", "cannot be read"),
    "a field too few": (MIXTURE.replace('title = "', 'tilte = "'), "holds tilte, which no card has"),
    "no title": (MIXTURE.replace('title = "A mixture of experts: why it hedges"', ""), "lacks title"),
    "a wrong type": (MIXTURE.replace("right = 2", 'right = "two"'), "as question.right"),
    "a choice too far": (MIXTURE.replace("right = 2", "right = 4"), "4 as question.right of 3"),
    "a number of no claim": (MIXTURE.replace("{mixture}", "{mixtrue}"), "holds {mixtrue} in shows"),
    "no quantity": (MIXTURE.replace("toy.width", "toy.with"), "no quantity 'toy.with'"),
    "an argument too few": (MIXTURE.replace('mask = "01"', 'musk = "01"'), "was given 'musk'"),
    "a relation of none": (MIXTURE.replace('than = "surest"', 'than = "sure"'), "sure as"),
    "an unknown relation": (MIXTURE.replace('"above"', '"over"'), "as claims.0.relation"),
    "a field too many": (MIXTURE.replace('unit = ""', "") + "unti = 1\n", "holds claims.4.unti"),
    "another kind": (MIXTURE.replace('kind = "toy"', 'kind = "film"'), "as picture.kind"),
    "a state of another kind": (MIXTURE.replace('kind = "toy"', 'kind = "blur"'), "which no card has"),
    "two ways to ask": (
        MIXTURE.replace("right = 2", 'right = 2\nscale = { claim = "product", low = 0, high = 1, '
                        "step = 0.1, near = 0.1 }"),
        "asks in no way or in several",
    ),
    "no range": (
        MIXTURE.replace("right = 2", "").replace(
            'choices = ["Narrower than both of them", "About as wide as one of them", '
            '"As wide as both together"]',
            'scale = { claim = "product", low = 1, high = 1, step = 0.1, near = 0.1 }',
        ),
        "from 1 to 1",
    ),
    "an ellipse that nobody draws": (POSTERIOR.replace(", prediction = {", ", predictoin = {"), "pred"),
    "two claims of a name": (MIXTURE.replace('name = "near"', 'name = "other"'), "a name for each"),
    "code of no form": (MIXTURE.replace("aggregators.fixed:equal", "aggregators.fixed"), "formula.code"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(BROKEN))
def test_a_broken_card_is_one_sentence_and_takes_no_other_one_down(
    tmp_path: Path, what: str
) -> None:
    text, told = BROKEN[what]
    (tmp_path / "1_broken.toml").write_text(text, encoding="utf-8")
    shutil.copy(SHIPPED / "05_conflict.toml", tmp_path / "2_whole.toml")
    found = read_lesson(tmp_path)
    assert [card.id for card in found.cards] == ["conflict"]
    (fault,) = found.faults.values()
    assert told in fault, fault
    assert "1_broken.toml" in fault and "\n" not in fault and fault.endswith(".")


def test_a_card_that_is_there_already_is_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(MIXTURE, encoding="utf-8")
    found = read_lesson(tmp_path)
    assert len(found.cards) == 1
    assert "holds mixture as id" in found.faults["b.toml"]


def test_too_large_a_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_text("#" * 100_001, encoding="utf-8")
    with pytest.raises(ConfigError, match="too many for a card"):
        read_card(tmp_path / "large.toml")


def test_a_folder_without_cards_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--cards FOLDER"):
        read_lesson(tmp_path)


@pytest.fixture
def own(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], AppTest]:
    """The page Learn over a teacher's own folder."""

    def opened() -> AppTest:
        options = ["--checkpoints", str(checkpoints), "--cards", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", ["app.py", *options])
        return AppTest.from_file(APP, default_timeout=60).switch_page("pages/learn.py").run()

    return opened


def test_a_teachers_own_cards_are_opened_and_a_broken_one_is_told(
    own: Callable[[], AppTest], tmp_path: Path
) -> None:
    mine = MIXTURE.replace("A mixture of experts: why it hedges", "My <b>own</b> ![x](http://x)")
    (tmp_path / "1.toml").write_text(mine, encoding="utf-8")
    (tmp_path / "2.toml").write_text("id = 3", encoding="utf-8")
    app = own()
    assert not app.exception
    assert "My &lt;b&gt;own&lt;/b&gt; ![x](http://x)" in html_of(app)
    assert len(app.error) == 1 and "2.toml" in app.error[0].value
    assert "0 of 1 cards answered" in html_of(app)
    (tmp_path / "2.toml").unlink()
    assert not own().error


def test_a_run_that_is_not_there_is_told_and_the_question_stays(
    own: Callable[[], AppTest], tmp_path: Path
) -> None:
    shutil.copy(SHIPPED / "12_maps.toml", tmp_path / "maps.toml")
    shutil.copy(SHIPPED / "04_mixture.toml", tmp_path / "mixture.toml")
    gone = (tmp_path / "maps.toml").read_text().replace("digits/sum_pooling", "digits/gone")
    (tmp_path / "maps.toml").write_text(gone)
    app = own()
    assert not app.exception and not app.error
    assert "There is no run 'digits/gone-masked'" in app.info[0].value.replace("\\", "")
    app.slider(key="learn_number_maps").set_value(50.0)
    app.button(key="learn_keep").click().run()
    assert not app.exception
    assert "What this card shows cannot be had here" in app.info[0].value
    app.button(key="learn_next").click().run()
    assert not app.info


@pytest.mark.parametrize(
    ("relation", "by", "value", "than", "so"),
    [
        ("above", 0, 1.0, 1.0, False),
        ("above", 0, 1.1, 1.0, True),
        ("above", 0.2, 1.1, 1.0, False),
        ("below", 0, 0.9, 1.0, True),
        ("below", 0.2, 0.9, 1.0, False),
        ("equal", 0, 1.0 + 1e-10, 1.0, True),
        ("equal", 0, 1.0 + 1e-8, 1.0, False),
        ("equal", 0.1, 1.05, 1.0, True),
        ("", 0, 3.0, 1.0, True),
    ],
)
def test_a_relation_holds_or_not(
    relation: str, by: float, value: float, than: float, so: bool
) -> None:
    claim = Claim(name="a", says="a", quantity="toy.width", relation=relation, by=by)  # type: ignore[arg-type]
    assert holds(claim, value, than) == so


def test_a_number_is_written_as_its_claim_says() -> None:
    claim = Claim(name="a", says="a", quantity="toy.width", digits=1)
    assert as_said(claim, -0.01) == "0.0"
    assert as_said(claim, -1234.56) == "\u22121,234.6"
    share = Claim(name="a", says="a", quantity="toy.width", digits=0, percent=True)
    assert as_said(share, as_shown(share, 0.2755)) == "28"


def test_answers_come_back_from_the_address() -> None:
    valid = {"a": lambda answer: answer[0] < 3, "b": lambda answer: len(answer) == 5}
    found = {"a": (2.0,), "b": (0.25, -1.0, 1.0, 0.5, 30.0)}
    assert lesson.to_text(found) == "a:2,b:0.25;-1;1;0.5;30"
    assert lesson.from_text(lesson.to_text(found), valid) == found
    assert lesson.from_text("a:4,b:1,c:1,a:x,,a", valid) == {}
