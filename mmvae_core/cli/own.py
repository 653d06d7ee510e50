"""`study new`, `make`, `check` and `show`: people's own data by one door; and `study` as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mmvae_core.cli.options import DataOption, app

FolderArgument = Annotated[Path, typer.Argument(help="The study's folder, with its study.toml.")]


class StudyGroup(TyperGroup):
    """A group whose first word may also be what to make: digits, or a configuration of made data."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is no command of the group is an argument of `made`."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["made", *args]
        return super().parse_args(ctx, args)


own = typer.Typer(
    cls=StudyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Make a study: `new DIR --from FILE` of your own data; `digits --out DIR`, or "
    "`CONFIG.toml --out DIR` of made data.",
)
app.add_typer(own, name="study")


@own.command()
def new(
    folder: Annotated[Path, typer.Argument(help="The study's folder, to be made.")],
    files: Annotated[
        list[Path], typer.Option("--from", help="Tables, arrays, folders of pictures; one each.")
    ],
) -> None:
    """Look at files of your own, write a commented study.toml, and make the study."""
    from mmvae_core.own_studies import new_study

    study, findings = new_study(folder, files)
    _told(findings)
    typer.echo(
        f"Wrote {study.folder}/study.toml; look at it, and `study make {study.folder}` again."
    )
    _how_to_train(study.folder)


@own.command()
def embed(
    folder: Annotated[Path, typer.Argument(help="The study's folder, to be made.")],
    files: Annotated[
        list[Path], typer.Option("--from", help="npz files of the same items, one a run.")
    ],
) -> None:
    """Make a study of embeddings that were made elsewhere, without any model."""
    from mmvae_core.explore.embeddings import embed as make_study

    study = make_study(folder, files)
    typer.echo(f"Wrote {study.folder} with {', '.join(run.folder.name for run in study.runs())}.")


@own.command()
def make(folder: FolderArgument, data: DataOption = None) -> None:
    """Make the study again after its study.toml or its data have changed."""
    from mmvae_core.own_studies import make_study

    with tell_of_opening(folder):
        study, findings = make_study(folder, data)
    _told(findings)
    _how_to_train(study.folder)


@own.command()
def check(folder: FolderArgument, data: DataOption = None) -> None:
    """Say what is wrong with the data, where, and what to do."""
    from mmvae_core.own_studies import check_study

    findings = check_study(folder, data)
    _told(findings)
    if any(one.error for one in findings):
        raise typer.Exit(2)


@own.command()
def show(
    folder: Annotated[Path, typer.Argument(help="The study's folder, or its name in checkpoints.")],
) -> None:
    """Draw some test items: a page that any browser opens."""
    from mmvae_core.explore.contact_sheet import write_sheet
    from mmvae_core.store.study import Study, find_study

    is_folder = (folder / "study.json").is_file()
    typer.echo(str(write_sheet(Study(folder) if is_folder else find_study(str(folder)))))


@contextmanager
def tell_of_opening(folder: Path) -> Iterator[None]:
    """Say so where the study that is made here anew opens no longer with what was chosen."""
    from mmvae_core.store.opening import opening_before
    from mmvae_core.store.study import Study

    before = opening_before(Study(folder))
    yield
    if before is not None and opening_before(Study(folder)) is None:
        typer.echo(
            f"The study opened with item {before.item} of {before.run}, and its test items are others "
            f"now; once runs are measured anew, `python -m mmvae_core opening {folder.resolve().name} "
            f"--checkpoints {folder.parent}` chooses again."
        )


def _told(findings: list) -> None:
    for one in findings:
        typer.echo(str(one))


def _how_to_train(folder: Path) -> None:
    typer.echo(
        f"Train: python -m mmvae_core train {folder}/configs/sum_pooling-masked.toml --out "
        f"{folder}/sum_pooling-masked"
    )
