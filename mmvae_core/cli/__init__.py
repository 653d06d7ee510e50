"""The command line: arguments only. Heavy modules are imported by the command that needs them."""

import sys
from collections.abc import Sequence

import typer

from mmvae_core.cli import exporting, studying, sweeping, training, using  # noqa: F401  each adds its commands
from mmvae_core.cli.options import app
from mmvae_core.errors import MMVAEError, StoppedError, UsageError, one_line


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; what a user can mend is one sentence on stderr and exit code 2.

    A command that was stopped says how it goes on, and exits with 130 as a shell expects.
    """
    try:
        app(arguments)
    except StoppedError as error:
        typer.echo(str(error), err=True)
        sys.exit(130)
    except MMVAEError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
    except OSError as error:  # of a place that no command has looked at before
        place, said = error.filename or "A file", error.strerror or one_line(error)
        told = UsageError(f"{place} cannot be used ({said}); name another one, or make room.")
        typer.echo(str(told), err=True)
        sys.exit(2)
