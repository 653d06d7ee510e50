"""The application that commands join, and the options that several of them have."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mmvae_core.errors import StoppedError
from mmvae_core.store.study import SHIPPED
from mmvae_core.tied import tie_to_input

BEGINS = "Stopped; nothing half done was written, and the same command begins anew."
PASSES = "Stopped; the same command begins, or goes on after the last whole pass."
GOES_ON = {
    "app": "The app is closed.",
    "train": PASSES,
    "go-on": PASSES,
    "experiment": "Stopped; the same command goes on with the models that the table lacks.",
    "sweep": "Stopped; the same command goes on: runs that are finished are not made again.",
}
"""What commands say that are stopped, where it is not BEGINS."""


class Commands(TyperGroup):
    """All commands: stopped by Ctrl-C, each says how it goes on."""

    def invoke(self, ctx: Any) -> Any:
        """Run what was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise StoppedError(GOES_ON.get(ctx.invoked_subcommand or "", BEGINS)) from None


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Train, evaluate and use multi-modal variational auto-encoders.",
)


@app.callback()
def begin(tied: Annotated[bool, typer.Option("--tied", hidden=True)] = False) -> None:
    """Tied, the command ends with the one that started it, as those of a sweep do."""
    if tied:
        tie_to_input()


RunArgument = Annotated[
    str, typer.Argument(metavar="run", help="A run's id as `runs` prints it, or its folder.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of downloaded data (default: user cache).")
]
RootOption = Annotated[Path, typer.Option("--checkpoints", help="Folder of studies.")]
ThreadsOption = Annotated[int, typer.Option(min=1, max=256, help="CPU threads.")]
RESULTS = SHIPPED / "results"
