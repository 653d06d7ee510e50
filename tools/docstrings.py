"""For `make docs`: docstrings as Markdown, which they nearly are.

A bracket holds axes, `[batch, modality]`, and is no link; an example is code.
"""

import re

import griffe


class AsMarkdown(griffe.Extension):
    """Applied to every docstring before pages are made of it."""

    def on_object(self, *, obj: griffe.Object, **kwargs: object) -> None:
        """Called once for each thing that can have a docstring."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """The docstring with brackets escaped outside of code, and its examples in fences."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        f"```pycon\n{one}\n```" if one.startswith(">>> ") else _escaped(one) for one in paragraphs
    )


def _escaped(text: str) -> str:
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(one if one.startswith("`") else one.replace("[", r"\[") for one in parts)
