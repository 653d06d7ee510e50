"""A visitor's walk: after every step, what is chosen, addressed and drawn is one state."""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from streamlit.testing.v1 import AppTest

from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import Opening
from mmvae_core.store.study import Study
from tests.ui.conftest import html_of
from tests.ui.test_pages import PAGES

STEPS = 34
"""Of each page; 306 on all of them."""
AGAIN = 6
"""After so many steps the address is opened by another visitor."""
Open = Callable[..., AppTest]
OF_PAGE = {
    "compare": ("multiselect", "runs"),
    "conflict": ("number_input", "rival"),
    "traverse": ("button_group", "plane"),
    "generate": ("button_group", "make"),
    "order": ("selectbox", "order"),
    "latent_space": ("selectbox", "colour"),
}
"""The page's own widget whose options depend on the choices of the frame."""


def some(dice: random.Random, options: list[Any]) -> list[Any]:
    return [one for one in options if dice.random() < 0.5]


def text_of(html: str) -> str:
    """What is read: no tags, no pictures."""
    return re.sub(r"<[^>]*>", " ", html)


def widget(app: AppTest, kind: str, key: str) -> Any:
    """The widget, or None where the page does not draw it in this state."""
    try:
        return getattr(app, kind)(key=key)
    except KeyError:
        return None


def step(app: AppTest, page: str, dice: random.Random) -> str:
    """One choice of the visitor's; what it was."""
    kind, key = dice.choice(
        [
            ("selectbox", "study"),
            ("selectbox", "run"),
            ("number_input", "item"),
            ("button_group", "mask"),
            *([OF_PAGE[page]] if page in OF_PAGE else []),
        ]
    )
    found = widget(app, kind, key)
    if found is None:
        return f"{key} is not there"
    if kind == "number_input":
        value: Any = dice.randint(int(found.min), int(found.max))
    elif kind == "multiselect":
        value = dice.sample(found.options, min(len(found.options), dice.randint(2, 4)))
    elif kind == "button_group":
        options = list(found.options)
        several = key in ("mask", "make")
        value = some(dice, options) if several else dice.choice(options)
    else:
        value = dice.choice(found.options)
    found.set_value(value).run()
    return f"{key} = {value}"


def check(app: AppTest, said: str) -> None:
    """State, widgets and what is drawn agree."""
    assert not app.exception, said
    here = app.session_state["_here"]
    assert app.selectbox(key="study").value == here.study.name, said
    assert app.selectbox(key="run").value == here.run.folder.name, said
    assert here.run.folder.parent == here.study.folder, said
    assert app.number_input(key="item").value == here.item, said
    assert tuple(app.button_group(key="mask").value) == here.shown, said
    assert not any("link" in one.value for one in app.warning), said
    assert not re.search(r"(?<![\d.])[-\u2212]0(\.0+)?(?![\d.])", text_of(html_of(app))), said


def link(app: AppTest, page: str) -> dict[str, Any]:
    """What a browser has in its address in this state; without one nothing is written there."""
    here = app.session_state["_here"]
    given: dict[str, Any] = {
        "study": here.study.name,
        "run": here.run.folder.name,
        "item": str(here.item),
        "mask": list(here.shown) or "",
    }
    kind, key = OF_PAGE.get(page, ("", ""))
    found = widget(app, kind, key) if key else None
    return given if found is None else {**given, key: _as_text(found.value)}


def _as_text(value: Any) -> Any:
    return ([str(one) for one in value] or "") if isinstance(value, list) else str(value)


def check_page(app: AppTest, page: str, said: str) -> None:
    """What the page itself lets choose is of this study, and chosen."""
    found = widget(app, *OF_PAGE[page]) if page in OF_PAGE else None
    if found is None:
        return
    here = app.session_state["_here"]
    if page == "compare":
        assert set(found.value) <= set(found.options), said
        assert here.run.folder.name in found.value, said
    elif page == "conflict":
        assert found.value != here.item or said.endswith(f"rival = {here.item}"), said
    elif page == "generate":
        assert set(found.value) <= set(app.session_state["_here"].names), said
    elif page == "traverse":
        assert found.value in found.options, said
    elif page == "order":
        assert set(found.value.split(", ")) == set(app.session_state["_here"].names), said


@pytest.mark.parametrize("page", PAGES)
def test_a_walk_stays_one_state(open_app: Open, with_openings: Path, page: str) -> None:
    dice = random.Random(f"walk on {page}")
    app, walked = open_app(page, with_openings, study="digits"), []
    for number in range(STEPS):
        walked.append(step(app, page, dice))
        said = " | ".join(walked[-6:])
        check(app, said)
        check_page(app, page, said)
        if number % AGAIN == AGAIN - 1:
            other = open_app(page, with_openings, **link(app, page))
            check(other, f"by the link of: {said}")
            assert other.session_state["_here"] == app.session_state["_here"], said
            assert html_of(other) == html_of(app), said


def opening_of(root: Path, study: str, page: str) -> tuple[str, int, tuple[str, ...]]:
    """The run, item and mask that a page opens with in a study."""
    opening = Study(root / study).about.opening
    if opening is None:
        run = "sum_pooling-masked"
        names = {"small": ("numbers", "picture", "text")}[study]
        return run, 0, names
    return opening.run, opening.item, opening.shown(page)


@pytest.mark.parametrize("page", PAGES)
def test_another_study_starts_anew(open_app: Open, with_openings: Path, page: str) -> None:
    """With its opening, or its first item and all modalities; nothing stays of the one before."""
    app = open_app(page, with_openings, study="digits", run="moe-masked", item="9", mask="word")
    for study in ("five", "small", "digits"):
        app.selectbox(key="study").set_value(study).run()
        check(app, study)
        here = app.session_state["_here"]
        found = (here.run.folder.name, here.item, here.shown)
        assert found == opening_of(with_openings, study, page)


def test_a_page_opens_with_its_own_mask_until_one_is_chosen(
    open_app: Open, with_openings: Path
) -> None:
    app = open_app("masks", with_openings)

    def shown(page: str) -> tuple[str, ...]:
        app.switch_page(f"pages/{page}.py").run()
        check(app, page)
        return app.session_state["_here"].shown

    every = ("handwriting", "photo", "word")
    for page, mask in (
        ("generate", (every[0], every[2])),
        ("compare", every[2:]),
        ("order", every),
    ):
        assert shown(page) == mask
        assert app.session_state["_here"].shown == mask
    assert "_mask_before" not in app.session_state
    app.button_group(key="mask").set_value(["photo"]).run()
    assert [shown(page) for page in ("generate", "compare", "start", "masks")] == [("photo",)] * 4
    app.button_group(key="mask").set_value(list(every)).run()
    assert [shown(page) for page in ("generate", "compare")] == [every] * 2


def test_a_mask_of_the_link_is_chosen(open_app: Open, with_openings: Path) -> None:
    app = open_app("masks", with_openings, mask=["photo", "word"])
    app.switch_page("pages/generate.py").run()
    assert app.session_state["_here"].shown == ("photo", "word")


@pytest.mark.parametrize(
    ("run", "item", "masks"),
    [
        ("gone", 17, {"masks": ("photo",)}),
        ("moe-masked", 4_000, {"masks": ("photo",)}),
        ("moe-masked", 17, {"masks": ("smell",)}),
        ("moe-masked", 17, {"masks": ()}),
    ],
)
def test_an_opening_that_does_not_fit_falls_back(
    open_app: Open, with_openings: Path, tmp_path: Path, run: str, item: int, masks: Any
) -> None:
    shutil.copytree(with_openings / "digits", tmp_path / "digits")
    about = Study(tmp_path / "digits").about
    opening = Opening(run=run, item=item, mask=("handwriting", "photo", "word"), masks=masks)
    write_record(tmp_path / "digits" / "study.json", structs.replace(about, opening=opening))
    for page in ("masks", "start"):
        app = open_app(page, tmp_path)
        check(app, page)
    here = open_app("masks", tmp_path).session_state["_here"]
    assert here.run.folder.name == ("moe-masked" if run == "moe-masked" else "sum_pooling-masked")
    assert here.item == (item if item == 17 else 0)
    assert here.shown == (("photo",) if masks["masks"] == ("photo",) else opening.mask)
