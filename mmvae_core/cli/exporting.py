"""Commands that take a run to where there is no Python: plain arrays, a page in one file."""

from pathlib import Path
from typing import Annotated

import typer

from mmvae_core.cli.options import RootOption, RunArgument, app
from mmvae_core.files import check_writable, check_writable_file
from mmvae_core.store.bringing import pack
from mmvae_core.store.study import SHIPPED, find_run, find_study


@app.command()
def export(
    run_id: RunArgument,
    out: Annotated[
        Path, typer.Option(help="Folder for manifest.json and weights.bin; or FILE.zip, see below.")
    ],
    root: RootOption = SHIPPED,
) -> None:
    """Write a run as plain arrays, which need no torch, no Python and no pickle.

    Into FILE.zip: the run's own files, which the app opens when they are dropped on it.
    """
    run = find_run(run_id, root)
    if out.suffix == ".zip":
        check_writable_file(out)
        path = pack(run, out)
        typer.echo(f"{path}: {path.stat().st_size:,} bytes")
        return
    check_writable(out)
    from mmvae_core.export.arrays import of_run, write

    for path in write(of_run(run, find_study(run, root)), out):
        typer.echo(f"{path}: {path.stat().st_size:,} bytes")


@app.command()
def page(
    run_id: RunArgument,
    out: Annotated[Path, typer.Option(help="The page's file, as one.html.")],
    root: RootOption = SHIPPED,
) -> None:
    """Write a run as one page that opens by a double click: no Python, server or network."""
    run = find_run(run_id, root)
    check_writable_file(out)
    from mmvae_core.export import page as pages

    path = pages.write_page(pages.page(run, find_study(run, root)), out)
    typer.echo(f"{path}: {path.stat().st_size:,} bytes")
