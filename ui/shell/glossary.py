"""Words of the field: each is explained where it first stands on a page. Entries: glossary.toml."""

import re
import tomllib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

TAG = re.compile(r"(<[^>]*>)")
SKIPPED = ("code", "kbd", "button", "summary", "a", "style", "title")
"""No word is marked within these, nor within what can be clicked as a whole."""
CLICKED = re.compile(r'\srole="(?:button|tooltip)"')


@dataclass(frozen=True)
class Term:
    """A word, its other forms, two sentences, its formula, and the code that does it."""

    name: str
    says: str
    formula: str
    also: tuple[str, ...] = ()
    code: str = ""


@cache
def terms() -> dict[str, Term]:
    """All terms by name, in an order in which each needs only those before it."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        name: Term(name, one["says"], one["formula"], tuple(one.get("also", ())), one["code"])
        for name, one in table.items()
    }


def explained(html: str, told: set[str]) -> str:
    """The HTML with each term's first use marked and explained; `told` are those done, and grows."""
    inside: list[str] = []
    pieces = TAG.split(html)
    for index, piece in enumerate(pieces):
        if index % 2:
            _walk(piece, inside)
        elif piece.strip() and not inside:
            pieces[index] = _forms().sub(lambda use: _marked(use[0], told), piece)
    return "".join(pieces)


def used_in(text: str) -> list[str]:
    """The names of the terms that a text uses."""
    return list(dict.fromkeys(_name_of(use[0]) for use in _forms().finditer(text)))


def helps(*names: str) -> str:
    """Explanations for a widget's help, whose label can hold no mark."""
    return "\n\n".join(f"**{name}:** {terms()[name].says}" for name in names)


def listed(names: AbstractSet[str]) -> str:
    """These terms' explanations, and of the words in them, as a list in the glossary's order."""
    names = set(names)
    for one in reversed(terms().values()):  # an explanation needs only terms above its own
        if one.name in names:
            names.update(used_in(f"{one.says} {one.formula}"))
    entries = "".join(
        f"<dt>{escape(one.name)}</dt><dd>{_said(one)}</dd>"
        for one in terms().values()
        if one.name in names
    )
    return f'<dl class="glossary">{entries}</dl>'


def _walk(tag: str, inside: list[str]) -> None:
    """Keep account of the elements within which nothing is marked."""
    closing, name = re.match(r"<(/?)\s*([a-zA-Z0-9]*)", tag).groups()  # type: ignore[union-attr]
    name = name.lower()
    if closing:
        if inside and inside[-1] == name:
            inside.pop()
    elif name not in ("img", "br", "hr", "input") and (
        name in SKIPPED or name in inside[-1:] or CLICKED.search(tag)
    ):
        inside.append(name)


@cache
def _forms() -> re.Pattern[str]:
    """Every form of every term as a whole word, the longest first."""
    every = sorted((form for one in terms().values() for form in (one.name, *one.also)), key=len)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(_any_case(one) for one in every[::-1])})(?![\w-])")


def _any_case(form: str) -> str:
    """A form as a pattern; an ordinary word may begin a sentence."""
    first = form[0]
    start = f"[{first}{first.upper()}]" if first.islower() else re.escape(first)
    return start + re.escape(form[1:])


@cache
def _names() -> dict[str, str]:
    return {form: one.name for one in terms().values() for form in (one.name, *one.also)}


def _name_of(form: str) -> str:
    names = _names()
    return names[form] if form in names else names[form[0].lower() + form[1:]]


def _marked(form: str, told: set[str]) -> str:
    name = _name_of(form)
    if name in told:
        return form
    told.add(name)
    return (
        f'<span class="term" role="button" tabindex="0" data-term="{escape(name)}">{form}</span>'
        f'<span class="tip" role="tooltip">{_said(terms()[name])}</span>'
    )


def _said(term: Term) -> str:
    return (
        f"{escape(term.says)} <i>{escape(term.formula)}</i> "
        f"<code>{escape(term.code.replace(':', '.'))}</code>"
    )
