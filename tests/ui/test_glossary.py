"""The glossary: complete, in order, true to the code; every word of it explained on every page."""

import re
from collections.abc import Callable
from html import unescape
from importlib import import_module

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import html_of, marked_of
from tests.ui.test_pages import PAGES
from ui.shell import glossary

TERMS = glossary.terms()


@pytest.mark.parametrize("name", list(TERMS))
def test_an_entry_is_two_sentences_a_formula_and_code_that_is_there(name: str) -> None:
    one = TERMS[name]
    assert len(re.findall(r"[.](?:\s|$)", one.says)) == 2, one.says
    assert len(one.says) <= 260
    assert one.formula
    module, symbol = one.code.split(":")
    assert hasattr(import_module(module), symbol), one.code


def test_an_explanation_needs_only_words_that_were_explained_before() -> None:
    seen: set[str] = set()
    for name, one in TERMS.items():
        needed = set(glossary.used_in(one.says)) - {name}
        assert needed <= seen, f"{name} is explained by {needed - seen}, which come later"
        seen.add(name)


def test_no_form_belongs_to_two_terms() -> None:
    forms = [form for one in TERMS.values() for form in (one.name, *one.also)]
    assert len(set(forms)) == len(forms)


def test_the_first_use_is_marked_and_no_other() -> None:
    told: set[str] = set()
    html = glossary.explained('<p title="rate">The Rate and rates of a posterior.</p>', told)
    assert html.count('class="term"') == 2
    assert html.startswith('<p title="rate">The <span class="term" ')
    assert ">Rate</span>" in html
    assert told == {"rate", "posterior"}
    assert glossary.explained("<p>rate</p>", told) == "<p>rate</p>"


@pytest.mark.parametrize(
    "html",
    [
        "<code>rate</code>",
        '<div role="button" tabindex="0"><div>a <b>rate</b></div> rate</div>',
        "<button>rate</button>",
        '<img alt="rate">',
        "overrated",
        "rate-limit",
    ],
)
def test_nothing_is_marked_in_code_in_what_is_clicked_or_in_other_words(html: str) -> None:
    assert glossary.explained(html, set()) == html


def test_marking_goes_on_after_what_is_skipped() -> None:
    html = '<div role="button"><div>rate</div></div><p>rate</p>'
    assert glossary.explained(html, set()).startswith(
        '<div role="button"><div>rate</div></div><p><s'
    )


def labels_of(app: AppTest) -> str:
    """What widgets are called and offer, and what messages say."""
    widgets = [
        *app.selectbox, *app.number_input, *app.button_group, *app.multiselect, *app.toggle,
        *app.slider, *app.button,
    ]  # fmt: skip
    said = [one.value for one in (*app.info, *app.warning, *app.subheader, *app.title)]
    options = [str(option) for one in widgets for option in getattr(one, "options", [])]
    return " | ".join([*(one.label for one in widgets), *options, *said])


@pytest.mark.parametrize("mask", ["word", ""])
@pytest.mark.parametrize("page", PAGES)
def test_every_word_of_a_page_is_explained_on_it(
    open_app: Callable[..., AppTest], page: str, mask: str
) -> None:
    app = open_app(page, study="digits", mask=mask)
    text = unescape(re.sub(r"<(style|code)\b.*?</\1>|<[^>]*>", " ", html_of(app), flags=re.S))
    used = set(glossary.used_in(f"{text} | {labels_of(app)}"))
    marked = set(re.findall(r'data-term="([^"]+)"', marked_of(app)))
    at_end = marked_of(app).split('<dl class="glossary">')[-1].split("</dl>")[0]
    listed = set(re.findall("<dt>(.*?)</dt>", at_end))
    assert marked <= listed
    helped = {
        name
        for one in (*app.selectbox, *app.number_input, *app.button_group, *app.slider)
        if one.proto.help
        for name in (*glossary.used_in(one.label), *TERMS)
        if name in glossary.used_in(one.label) or TERMS[name].says in one.proto.help
    }
    assert used - listed - helped == set()
