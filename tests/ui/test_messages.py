"""Messages show text from links and files as it is: nothing is fetched, linked or formatted."""

import ast
import re
from itertools import product
from pathlib import Path

from ui.shell.messages import literal

HOME = Path(__file__).resolve().parents[2]
MARKDOWN = {
    "caption", "error", "header", "info", "markdown", "subheader", "success", "title", "warning",
    "write",
}  # fmt: skip
PLAIN = "messages.literal"
PARTS = ("`", "``", "![a](http://b)", "<b>", "x", "\\", " ", "$y$", ":red[z]")


def active(text: str) -> str:
    """What Markdown acts on of a text that has single backticks only: no code, no escaped sign."""
    kept, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == "`" and "`" in text[at + 1 :]:
            at = text.index("`", at + 1) + 1
        else:
            kept, at = kept + text[at], at + 1
    return kept


def test_nothing_in_a_text_is_active() -> None:
    for parts in product(PARTS, repeat=4):
        text = "".join(parts)
        assert not re.search(r"[!\[\]<>$:]", active(literal(text))), text
        assert "``" not in literal(text)


def test_our_own_code_stays_code() -> None:
    said = "There is no run; `python -m mmvae_core train` makes one (a_b), 0.5 of [1, 2]."
    assert literal(said) == (
        "There is no run; `python -m mmvae_core train` makes one (a_b), 0.5 of \\[1, 2\\]."
    )


def test_every_text_with_a_value_in_it_is_literal() -> None:
    """Every call that draws Markdown, over all of the app: a fixed text, or a literal one."""
    wrong = []
    for path in [*HOME.glob("ui/**/*.py"), *HOME.glob("pages/*.py"), HOME / "app.py"]:
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if ast.unparse(call.func.value) == "st" and call.func.attr in MARKDOWN:
                (first, *_) = call.args
                is_safe = isinstance(first, ast.Call) and ast.unparse(first.func) in (
                    PLAIN, "literal",
                )  # fmt: skip
                if not isinstance(first, ast.Constant) and not is_safe:
                    wrong.append(f"{path.name}:{call.lineno}: {ast.unparse(first)}")
    assert not [one for one in wrong if "frame.py" not in one or "title" not in one]
