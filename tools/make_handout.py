"""The handout of a lesson, one page for print: `python -m tools.make_handout`.

Writes `handout.md` and a picture a card, `handout/NAME.svg`, into docs/, from the cards as the page
Learn has them: `--cards FOLDER` for others, `--out FOLDER` to write elsewhere.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

HOME = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HOME))  # as a script it does not see the packages beside its own folder

from mmvae_core.errors import UsageError  # noqa: E402
from mmvae_core.explore import claims  # noqa: E402
from mmvae_core.files import write_lines  # noqa: E402
from mmvae_core.store.study import SHIPPED as STUDIES  # noqa: E402
from ui.learn.cards import Card, Claim, Said  # noqa: E402
from ui.learn.reading import SHIPPED, read_lesson  # noqa: E402
from ui.learn.stills import alt, still  # noqa: E402

HEAD = (
    "# Handout",
    "",
    "The cards of the page *Learn*, for print. Predict first: what is to be seen stands at the end.",
    "Made by `python -m tools.make_handout`, its numbers computed from the worlds and runs here.",
)


@dataclass(frozen=True)
class Printed:
    """A card with its number and its texts, and where it is written to."""

    number: int
    card: Card
    said: Said
    out: Path
    root: Path

    def picture(self, revealed: bool) -> list[str]:
        """Write the picture, if print can hold it; the line that shows it."""
        drawing = self.drawn(revealed)
        if drawing is None:
            return []
        if revealed and drawing == self.drawn(False):
            return []
        name = f"{self.card.id}{'-seen' if revealed else ''}.svg"
        write_lines(self.out / "handout" / name, [drawing])
        words = alt(self.card, revealed, self.said).replace("]", ")").replace("[", "(")
        return ["", f"![{words}](handout/{name})"]

    def drawn(self, revealed: bool) -> str | None:
        """The picture as SVG; None if print cannot hold it."""
        try:
            return still(self.card, revealed, self.said, self.root)
        except UsageError:
            return None

    def question(self) -> list[str]:
        """Title, text, picture and question."""
        asked = self.card.question
        choices = [f"* ☐ {one}" for one in asked.choices] or ["Your prediction: ____________"]
        return [
            *("", f"### {self.number}. {self.said.text(self.card.title)}"),
            *("", self.said.text(self.card.text), *self.picture(False)),
            *("", f"**{self.said.text(asked.asks)}**", "", *choices),
        ]

    def answer(self) -> list[str]:
        """What is to be seen, with the picture where the reveal changes it."""
        asked = self.card.question
        right = f"*{asked.choices[asked.right - 1]}.* " if asked.choices else ""
        said = f"**{self.number}.** {right}{self.said.text(self.card.shows)}"
        return ["", said, *self.picture(True)]


def main(
    cards: Annotated[Path, typer.Option(help="Folder of cards.")] = SHIPPED,
    out: Annotated[Path, typer.Option(help="Folder to write into.")] = HOME / "docs",
    checkpoints: Annotated[Path, typer.Option(help="Folder of studies.")] = STUDIES,
) -> None:
    """Write the handout."""
    lesson = read_lesson(cards)
    for fault in lesson.faults.values():
        typer.echo(fault, err=True)

    def measured(claim: Claim) -> float:
        return _measured(claim, checkpoints)

    printed = {
        card.id: Printed(number, card, Said(card, measured), out, checkpoints)
        for number, card in enumerate(lesson.cards, 1)
    }
    lines = [*HEAD]
    for chapter, members in lesson.chapters().items():
        lines += ["", f"## {chapter}"]
        for card in members:
            lines += printed[card.id].question()
    lines += ["", "## What you should see"]
    for one in printed.values():
        lines += one.answer()
    write_lines(out / "handout.md", lines)
    typer.echo(f"Wrote {out / 'handout.md'}, {len(printed)} cards.")


_KEPT: dict[tuple[str, str], float] = {}


def _measured(claim: Claim, root: Path) -> float:
    """A claim's value, measured once."""
    key = (claim.quantity, repr(sorted(claim.given.items())))
    if key not in _KEPT:
        _KEPT[key] = claims.measure(claim.quantity, claim.given, root)
    return _KEPT[key]


if __name__ == "__main__":
    typer.run(main)
