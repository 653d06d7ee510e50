"""The command line: arguments only. Heavy modules are imported by the command that needs them."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mmvae_core.errors import MMVAEError, UsageError
from mmvae_core.places import HOME
from mmvae_core.store import record_files
from mmvae_core.store.records import Mean, RunReport
from mmvae_core.store.study import SHIPPED, find_run, find_study, studies

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Train, evaluate and use multi-modal variational auto-encoders.",
)
RunArgument = Annotated[str, typer.Argument(help="A run's id as `runs` prints it, or its folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of downloaded data (default: user cache).")
]
RootOption = Annotated[Path, typer.Option("--checkpoints", help="Folder of studies.")]
RESULTS = SHIPPED / "results"
ThreadsOption = Annotated[int, typer.Option(min=1, max=256, help="CPU threads.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; what a user can mend is one sentence on stderr and exit code 2."""
    try:
        app(arguments)
    except MMVAEError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)


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
    options += ("--runs", str(own.resolve()))
    if host:
        options = (*_let_in(host), *options)
    command = (sys.executable, "-m", "streamlit", "run", str(HOME / "app.py"), *options)
    raise typer.Exit(subprocess.run(command, check=False).returncode)


def _let_in(host: str) -> tuple[str, ...]:
    """Streamlit's options to be reached by others under one name, and under no other."""
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", host):
        raise UsageError(
            f"--host {host!r} is no name or address; give this machine's, as 192.168.1.20."
        )
    names = (part for name in (host, "localhost") for part in ("--server.allowedHosts", name))
    return ("--server.address", "::" if ":" in host else "0.0.0.0", *names)


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="A TOML configuration, see configs/.")],
    out: Annotated[Path, typer.Option(help="The run's folder; goes on if it was interrupted.")],
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the config's.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="Instead of the config's: 32-true or bf16-mixed.")
    ] = None,
    threads: ThreadsOption = 2,
    data: DataOption = None,
) -> None:
    """Train a model from a configuration into a run's folder."""
    import torch

    from mmvae_core.build import build_source
    from mmvae_core.config import changed_training, load_config
    from mmvae_core.progress import training_bar
    from mmvae_core.training.runs import train_run

    settings = load_config(config)
    wanted = {"epochs": epochs, "precision": precision}
    settings = changed_training(settings, {k: v for k, v in wanted.items() if v is not None})
    torch.set_num_threads(threads)
    source = build_source(settings, data)
    with training_bar(settings, f"{config.stem}") as (each_step, each_epoch):
        run = train_run(settings, out, source, device, each_epoch, each_step)
    typer.echo(f"Trained {run.folder}; `evaluate {run.folder} --save` writes its report.")


@app.command("fit-prior")
def fit_prior(
    run: RunArgument,
    components: Annotated[int, typer.Option(min=1, max=1000, help="Of the mixture.")] = 50,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    threads: ThreadsOption = 2,
    data: DataOption = None,
    root: RootOption = SHIPPED,
) -> None:
    """Fit a mixture and a flow to a finished run's posteriors, as further priors beside its own."""
    import torch

    from mmvae_core.build import build_source
    from mmvae_core.progress import part_bar
    from mmvae_core.training.second_stage import Settings, fit_priors, save_priors

    torch.set_num_threads(threads)
    found = find_run(run, root)
    source = build_source(found.config, data)
    with part_bar(found.folder.name) as each:
        priors, card = fit_priors(
            found.model(), found.config, source, Settings(components=components, seed=seed), each
        )
    save_priors(found, priors, card)
    typer.echo(
        "mean log p(z) of held-out items, nats: "
        + ", ".join(f"{name} {_mean(one, 2)}" for name, one in card.held_out.items())
    )


@app.command()
def evaluate(
    run: RunArgument,
    as_json: JsonOption = False,
    save: Annotated[bool, typer.Option(help="Write report.json and latents.npz.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    threads: ThreadsOption = 2,
    root: RootOption = SHIPPED,
) -> None:
    """Measure a run on its study's fixed test items."""
    import torch

    from mmvae_core.evaluation.report import evaluate_run, save_evaluation
    from mmvae_core.progress import part_bar

    torch.set_num_threads(threads)
    found = find_run(run, root)
    with part_bar(found.folder.name) as each:
        report, latents = evaluate_run(found, find_study(found, root), seed, each)
    if save:
        save_evaluation(found, report, latents)
    typer.echo(
        json.dumps(record_files.as_json(report), indent=1) if as_json else _report_table(report)
    )


@app.command()
def runs(as_json: JsonOption = False, root: RootOption = SHIPPED) -> None:
    """List the runs with how they were trained and their headline figures."""
    found, rows = [run for study in studies(root) for run in study.runs()], []
    for run in found:
        try:
            rows.append(_run_row(run))
        except MMVAEError as error:  # one damaged run must not hide the others
            typer.echo(str(error), err=True)
    if found and not rows:
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
    typer.echo(_table(columns, [[row.get(column) for column in columns] for row in flat]))


@app.command()
def generate(
    run: RunArgument,
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
    import torch

    from mmvae_core.explore.exchange import read_given, write_generated
    from mmvae_core.explore.inference import generate as draw

    found = find_run(run, root)
    study = find_study(found, root)
    kinds = study.kinds(found.config)
    items = {name: value.numpy() for name, value in read_given(given or [], kinds).items()}
    model = found.model()
    means = draw(model, items, samples, seed, temperature, model.prior()).at_draws
    missing = {name: torch.from_numpy(one) for name, one in means.items() if name not in items}
    if not missing:
        raise UsageError("Every modality was given, so nothing is missing; leave one out.")
    for path in write_generated(missing, kinds, out):
        typer.echo(str(path))


@app.command()
def data(
    name: Annotated[str, typer.Argument(help="digits")],
    download: Annotated[bool, typer.Option(help="Fetch the files that can be had.")] = False,
    svhn: Annotated[bool, typer.Option(help='Also SVHN, for `photo = "svhn"`.')] = False,
    folder: DataOption = None,
) -> None:
    """Say where a data set's files are, or download them (hash checked)."""
    from mmvae_core.data.digits.digits import default_folder
    from mmvae_core.data.digits.mnist import download_mnist, load_mnist
    from mmvae_core.data.digits.svhn import download_svhn

    _known_data(name)
    place = folder or default_folder()
    if download:
        download_mnist(place / "mnist")
        if svhn:
            download_svhn(place / "svhn")
    counts = {split: len(labels) for split, (_, labels) in load_mnist(place / "mnist").items()}
    typer.echo(f"{place}: MNIST with {counts['train']} training and {counts['test']} test images.")


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="digits, or a TOML configuration of made data.")],
    out: Annotated[Path, typer.Option(help="The study's folder.")],
    photo: Annotated[
        Literal["rendered", "svhn"], typer.Option(help="Where photos come from.")
    ] = "rendered",
    epochs: Annotated[int, typer.Option(min=1, help="Passes of the judges.")] = 6,
    threads: ThreadsOption = 2,
    folder: DataOption = None,
) -> None:
    """Make a study's folder: fixed test items, and judges trained on real training data."""
    if name.endswith(".toml"):
        _made_study(Path(name), out)
        return
    import torch

    from mmvae_core.data.digits.digits import default_folder, load_digits
    from mmvae_core.evaluation.judge import JudgeTraining
    from mmvae_core.studies import make_digits

    _known_data(name)
    torch.set_num_threads(threads)
    pools = load_digits(folder or default_folder(), photo, workers=threads)
    made = make_digits(pools, photo, out, JudgeTraining(epochs=epochs), _say_epoch)
    for judged, card in made.judge_cards.items():
        typer.echo(f"judge of {judged}: {card.test_accuracy:.2%} of {card.test_count} right")


@app.command()
def opening(
    name: Annotated[str, typer.Argument(help="A study's name.")],
    threads: ThreadsOption = 2,
    root: RootOption = SHIPPED,
) -> None:
    """Choose the run, item and masks that a study opens with, and make the Start page's picture."""
    import torch

    from mmvae_core.explore.opening import make_opening, told

    torch.set_num_threads(threads)
    found = find_study(name, root)
    chosen, path = make_opening(found)
    typer.echo(told(found, chosen))
    if path is not None:
        typer.echo(f"{path}: {path.stat().st_size:,} bytes")


@app.command()
def experiment(
    name: Annotated[str, typer.Argument(help="linear, bimodal or missing")],
    out: Annotated[Path, typer.Option(help="Folder for the table and the report.")] = RESULTS,
    aggregator: Annotated[
        list[str] | None, typer.Option(help="Only these aggregators; NAME_mixture for a mixture.")
    ] = None,
    objective: Annotated[list[str] | None, typer.Option(help="Only these objectives.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Default 5; 2 with --quick.")] = None,
    quick: Annotated[bool, typer.Option(help="A tenth of the passes, to see it work.")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Folder of studies: keep the runs of seed 0 there.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Models trained at once.")] = 2,
) -> None:
    """Train and measure the models of one of the paper's experiments over several seeds."""
    from mmvae_core.experiments.grid import cells
    from mmvae_core.experiments.report import print_claims, write_report
    from mmvae_core.experiments.runner import Order, run_cells
    from mmvae_core.progress import count_bar

    if quick and out == RESULTS:
        raise UsageError("--quick needs --out FOLDER, so that it cannot replace shipped results.")
    count = seeds or (2 if quick else 5)
    todo = cells(name, aggregator or (), objective or (), count)
    order = Order(quick, device, keep)
    with count_bar(f"experiment {name}", "model") as each:
        rows = run_cells(todo, out / f"{name}.csv", order, workers, each)
    report = write_report(name, rows, order, out / f"{name}.json")
    for line in print_claims(report):
        typer.echo(line)


def _say_epoch(name: str, epoch: int, loss: float) -> None:
    typer.echo(f"judge of {name}: pass {epoch + 1}, cross-entropy {loss:.4f} nats", err=True)


def _made_study(path: Path, out: Path) -> None:
    from mmvae_core.build import build_source
    from mmvae_core.config import load_config
    from mmvae_core.data.source import TableSource
    from mmvae_core.studies import make_table_study

    config = load_config(path)
    source = build_source(config)
    if not isinstance(source, TableSource):
        raise UsageError(f"{path} is of {config.data.name}; `study {config.data.name}` makes that.")
    typer.echo(f"Made {make_table_study(source, config, out).folder}.")


def _known_data(name: str) -> None:
    if name != "digits":
        raise UsageError(f"There is no data set {name!r} here; the data set is digits.")


def _run_row(run: Any) -> dict[str, Any]:
    from mmvae_core.store.results import headline

    config = run.config
    made = {
        "study": config.study,
        "aggregator": config.aggregator.name,
        "objective": config.objective.name,
        "seed": config.training.seed,
    }
    keys = ("epochs", "device", "hardware", "threads", "seconds", "parameters", "bytes", "weights")
    card = {key: getattr(run.card, key) for key in keys}
    return {"id": run.id} | made | card | {"metrics": headline(run)}


def _report_table(report: RunReport) -> str:
    """What judges say of generations; where a study has none, what is known of each subset."""
    likelihood, joint = report.log_likelihood, report.joint_coherence
    head = f"joint log-likelihood >= {_mean(likelihood.joint)} nats"
    if joint is None:
        rows = [
            [subset, mean.mean, report.rate[subset].mean, report.probe.get(subset)]
            for subset, mean in likelihood.marginal.items()
        ]
        return f"{head}\n" + _table(["given", "log-likelihood", "rate", "probe"], rows)
    rows = [
        [
            subset,
            target,
            f"{value.share:.3f}",
            f"{value.low:.3f}-{value.high:.3f}",
            value.count,
        ]
        for subset, targets in report.coherence.items()
        for target, value in targets.items()
    ]
    return f"{head}, joint coherence {joint.share:.3f}\n" + _table(
        ["given", "generated", "right", "95 %", "items"], rows
    )


def _mean(found: Mean, digits: int = 1) -> str:
    """A mean with its standard error, where more than one item has one."""
    error = "" if found.error is None else f" +- {found.error:.{digits}f}"
    return f"{found.mean:.{digits}f}{error}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    cells = [list(columns), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
