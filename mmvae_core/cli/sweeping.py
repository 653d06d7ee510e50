"""The command that trains and measures a grid of runs."""

from pathlib import Path
from typing import Annotated

import typer

from mmvae_core.cli.options import DataOption, RootOption, ThreadsOption, app
from mmvae_core.cli.tables import table
from mmvae_core.files import check_writable
from mmvae_core.store.study import SHIPPED


@app.command()
def sweep(
    grid: Annotated[Path, typer.Argument(help="A TOML file: configs, and what to vary.")],
    out: Annotated[Path, typer.Option(help="Folder for the runs; a stopped sweep goes on there.")],
    workers: Annotated[int, typer.Option(min=1, max=1024, help="Runs at once, here.")] = 2,
    retries: Annotated[int, typer.Option(min=0, max=100, help="Of a process that died.")] = 2,
    threads: ThreadsOption = 1,
    data: DataOption = None,
    ray: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster whose machines share the folder.")
    ] = None,
    root: RootOption = SHIPPED,
) -> None:
    """Train and measure every run of a grid; what is finished is not made again."""
    check_writable(out)
    from mmvae_core.progress import count_bar
    from mmvae_core.training.pools import Here, OnRay
    from mmvae_core.training.sweep import read_grid, write_table
    from mmvae_core.training.sweep import sweep as begin

    jobs = read_grid(grid)
    options = ["--threads", str(threads), "--checkpoints", str(root.resolve())]
    options += [] if data is None else ["--data", str(data.resolve())]
    pool = Here(workers) if ray is None else OnRay(ray, threads)
    with count_bar(f"sweep {grid.stem}", "run") as each:
        outcomes = begin(jobs, out.resolve(), pool, options, retries, each)
    path, rows = write_table(outcomes, out)
    columns = list(dict.fromkeys(key for row in rows for key in row if key != "fault"))
    typer.echo(table(columns, [[row.get(column, "") for column in columns] for row in rows]))
    typer.echo(f"Wrote {path}.")
    failed = [one for one in outcomes if one.fault]
    for one in failed:
        typer.echo(f"{one.job.name} {one.fault}; its folder's training.log has more.", err=True)
    if failed:
        raise typer.Exit(1)
