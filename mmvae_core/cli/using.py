"""Commands for what is there: open the app, list runs, generate."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mmvae_core.cli.options import JsonOption, RootOption, RunArgument, app
from mmvae_core.cli.tables import table
from mmvae_core.errors import MMVAEError, UsageError
from mmvae_core.files import check_writable
from mmvae_core.places import HOME
from mmvae_core.store.study import SHIPPED, find_run, find_study, misnamed, studies

MOST_UPLOADED = 500
"""Megabytes of a zip or an npz file that is dropped on one's own app."""


@app.command("app")
def open_app(
    root: RootOption = SHIPPED,
    own: Annotated[
        Path, typer.Option("--runs", help="Folder of your own runs, shown with their studies.")
    ] = Path("runs"),
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Of the app's address.")] = 8501,
    host: Annotated[
        str, typer.Option(help="This machine's name or address in the network, to let others in.")
    ] = "",
    cards: Annotated[
        Path | None, typer.Option(help="Folder of your own cards for the page Learn.")
    ] = None,
    collect: Annotated[
        bool,
        typer.Option("--collect", help="Count what visitors predict on cards, for all to see."),
    ] = False,
    decode: Annotated[
        Literal["browser", "server"], typer.Option(help="Where pictures are made when you click.")
    ] = "browser",
) -> None:
    """Open the app in a browser, on the runs of a folder of studies and on your own."""
    if not any(study.runs() for study in studies(root)):
        raise UsageError(
            f"There are no runs in the folder {str(root)!r}; name a folder of studies with "
            "--checkpoints FOLDER."
        )
    headless = "true" if host else "false"
    options: tuple[str, ...] = ("--server.port", str(port), "--server.headless", headless)
    options += ("--server.showEmailPrompt", "false", "--", "--checkpoints", str(root.resolve()))
    options += ("--runs", str(own.resolve()), "--decode", decode)
    options += _of_lessons(cards, collect)
    if not host:  # what one drops on one's own app may be larger than what others send
        options = ("--server.maxUploadSize", str(MOST_UPLOADED), *options)
    if host:
        options = (*_let_in(host), *options, "--no-training")
    command = (sys.executable, "-m", "streamlit", "run", str(HOME / "app.py"), *options)
    raise typer.Exit(subprocess.run(command, check=False).returncode)


def _of_lessons(cards: Path | None, collect: bool) -> tuple[str, ...]:
    """The app's options for the page Learn."""
    if cards is not None and not any(cards.glob("*.toml")):
        raise UsageError(
            f"There are no cards in the folder {str(cards)!r}; name a folder of files NAME.toml, as "
            "CONTRIBUTING tells."
        )
    named = () if cards is None else ("--cards", str(cards.resolve()))
    return (*named, *(("--collect",) if collect else ()))


def _let_in(host: str) -> tuple[str, ...]:
    """Streamlit's options to be reached by others under one name, and under no other."""
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", host):
        raise UsageError(
            f"--host {host!r} is no name or address; give this machine's, as 192.168.1.20."
        )
    names = (part for name in (host, "localhost") for part in ("--server.allowedHosts", name))
    return ("--server.address", "::" if ":" in host else "0.0.0.0", *names)


@app.command()
def adopt(
    source: Annotated[Path, typer.Argument(help="A folder in which MultiVae saved a model.")],
    study: Annotated[str, typer.Option(help="The study with the model's modalities, by name.")],
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    root: RootOption = SHIPPED,
) -> None:
    """Make a run of a model of the library MultiVae: MVAE or MMVAE with its default networks."""
    home = find_study(study, root)
    check_writable(out)
    from mmvae_core.explore.multivae import adopt as make_run

    run = make_run(source, home, out)
    typer.echo(
        f"Wrote {run.folder}; `python -m mmvae_core evaluate {run.folder} --save --checkpoints "
        f"{root}` measures it."
    )


@app.command()
def runs(as_json: JsonOption = False, root: RootOption = SHIPPED) -> None:
    """List the runs with how they were trained and their headline figures."""
    every, rows = [run for study in studies(root) for run in study.runs()], []
    for said in [
        *misnamed(root),
        *(one for study in studies(root) for one in misnamed(study.folder)),
    ]:
        typer.echo(said, err=True)
    for run in every:
        try:
            rows.append(_run_row(run))
        except MMVAEError as error:  # one damaged run must not hide the others
            typer.echo(str(error), err=True)
    if every and not rows:
        raise typer.Exit(2)
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    if not rows:
        raise UsageError(f"There are no runs under {root}; train one, or pass --checkpoints.")
    columns = [
        "id",
        "aggregator",
        "objective",
        "seed",
        "epochs",
        "device",
        "seconds",
        "parameters",
        "bytes",
        *dict.fromkeys(key for row in rows for key in row["metrics"]),
    ]
    flat = [row | row["metrics"] for row in rows]
    typer.echo(table(columns, [[row.get(column) for column in columns] for row in flat]))


@app.command()
def generate(
    run_id: RunArgument,
    out: Annotated[Path, typer.Option(help="Folder for the pictures and texts.")],
    given: Annotated[
        list[str] | None, typer.Option(help="MODALITY=FILE for pictures, MODALITY=TEXT for words.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, max=1024)] = 16,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    temperature: Annotated[
        float, typer.Option(min=0, max=10, help="Scales the draws around the posterior's mean.")
    ] = 1.0,
    root: RootOption = SHIPPED,
) -> None:
    """Generate every modality that is not given (all of them, if none is)."""
    run = find_run(run_id, root)  # told before seconds of imports
    study = find_study(run, root)
    check_writable(out)
    import torch

    from mmvae_core.explore.exchange import read_given, write_generated
    from mmvae_core.explore.inference import generate as draw

    kinds = study.kinds(run.config)
    items = {name: value.numpy() for name, value in read_given(given or [], kinds).items()}
    model = run.model()
    means = draw(model, items, samples, seed, temperature, model.prior()).at_draws
    missing = {name: torch.from_numpy(one) for name, one in means.items() if name not in items}
    if not missing:
        raise UsageError("Every modality was given, so nothing is missing; leave one out.")
    for path in write_generated(missing, kinds, out):
        typer.echo(str(path))


def _run_row(run: Any) -> dict[str, Any]:
    from mmvae_core.store.results import headline

    config = run.config
    settings = {
        "study": config.study,
        "aggregator": config.aggregator.name,
        "objective": config.objective.name,
        "seed": config.training.seed,
    }
    keys = ("epochs", "device", "hardware", "threads", "seconds", "parameters", "bytes", "weights")
    card = {key: getattr(run.card, key) for key in keys}
    return {"id": run.id} | settings | card | {"metrics": headline(run)}
