"""Commands that make runs and measure them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmvae_core.cli.options import (
    RESULTS,
    DataOption,
    JsonOption,
    RootOption,
    RunArgument,
    ThreadsOption,
    app,
)
from mmvae_core.cli.tables import mean_text, report_table
from mmvae_core.errors import UsageError
from mmvae_core.files import check_writable, check_writable_file
from mmvae_core.store import record_files
from mmvae_core.store.study import SHIPPED, find_run, find_study

if TYPE_CHECKING:
    from mmvae_core.config import RunConfig
    from mmvae_core.store.records import RunReport
    from mmvae_core.store.run import Run

MeasureOption = Annotated[
    bool, typer.Option("--evaluate", help="Evaluate it when it is trained, and save that.")
]
AtOnceOption = Annotated[
    int,
    typer.Option(min=0, max=1024, help="Wait while so many train beside it; 0 waits for nobody."),
]
NO_HALF = (
    "This processor has no bfloat16 of its own: networks compute in float32, as the card says."
)


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="A TOML configuration, see configs/.")],
    out: Annotated[Path, typer.Option(help="The run's folder; goes on if it was interrupted.")],
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the config's.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="Instead of the config's: 32-true or bf16-mixed.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=0, help="End after so many passes that were no better.")
    ] = None,
    threads: ThreadsOption = 2,
    data: DataOption = None,
    measure: MeasureOption = False,
    at_once: AtOnceOption = 0,
    root: RootOption = SHIPPED,
) -> None:
    """Train a model from a configuration into a run's folder."""
    from mmvae_core.config import changed_training
    from mmvae_core.config_files import load_config

    _check_free(out, measure)
    settings = load_config(config)
    wanted = {"epochs": epochs, "precision": precision, "patience": patience}
    settings = changed_training(settings, {k: v for k, v in wanted.items() if v is not None})
    _train(settings, out, Ways(device, threads, data, measure, at_once, root))


@app.command("go-on")
def go_on(
    run_id: RunArgument,
    out: Annotated[Path, typer.Option(help="The new run's folder; goes on if interrupted.")],
    passes: Annotated[int, typer.Option(min=1, help="Further ones over the data.")],
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: ThreadsOption = 2,
    data: DataOption = None,
    measure: MeasureOption = False,
    at_once: AtOnceOption = 0,
    root: RootOption = SHIPPED,
) -> None:
    """Train a finished run for further passes, into a run of its own; the schedule begins anew."""
    run = find_run(run_id, root)
    _check_free(out, measure)
    from mmvae_core.training.runs import go_on as begin

    settings = begin(run, out, passes)
    _train(settings, out, Ways(device, threads, data, measure, at_once, root))


def _check_free(out: Path, measure: bool) -> None:
    """UsageError, before anything is imported, where a training could not write into its folder.

    A run that is done but for being measured, as one that was killed then, is only measured.
    """
    from mmvae_core.store.progress import check_free, is_locked, is_trained
    from mmvae_core.store.run import Run

    check_writable(out)
    if is_locked(out) or not (measure and is_trained(out) and not Run(out).is_measured):
        check_free(out)


@dataclass(frozen=True)
class Ways:
    """How a training is done, whatever is trained."""

    device: str
    threads: int
    data: Path | None
    measure: bool
    at_once: int
    root: Path


def _train(config: "RunConfig", out: Path, ways: Ways) -> None:
    import torch

    from mmvae_core.progress import both, training_bar
    from mmvae_core.sources import build_source
    from mmvae_core.store.history import read_history
    from mmvae_core.store.progress import DONE, STATE, is_trained
    from mmvae_core.store.run import Run
    from mmvae_core.training.runs import make_fabric, train_run
    from mmvae_core.training.telling import telling
    from mmvae_core.training.trainer import is_imitated

    torch.set_num_threads(ways.threads)
    run = Run(out)
    is_done = is_trained(out)
    if is_done and run.config != config:
        raise UsageError(DONE.format(out))
    done = len(read_history(out / "history.csv")) if is_done or (out / STATE).is_file() else 0
    with telling(out, config.training.epochs, done, ways.at_once) as tell:
        if not is_done:
            if is_imitated(config, make_fabric(ways.device).device):
                typer.echo(NO_HALF)
            source = build_source(config, ways.data)
            with training_bar(config, out.name) as (each_step, each_epoch):
                passes, steps = both(each_epoch, tell.each_epoch), both(each_step, tell.each_step)
                run = train_run(config, out, source, ways.device, passes, steps)
        if ways.measure:
            tell.write(state="evaluating")
            _measure(run, ways.root, seed=0, save=True)
    then = "" if ways.measure else f"; `evaluate {run.folder} --save` writes its report"
    typer.echo(f"Trained {run.folder}{then}.")


def _measure(run: "Run", root: Path, seed: int, save: bool) -> "RunReport":
    """Evaluate a run on its study's items; `save` keeps what was found beside it."""
    from mmvae_core.evaluation.report import evaluate_run, save_evaluation
    from mmvae_core.progress import part_bar

    with part_bar(run.folder.name) as each:
        report, latents = evaluate_run(run, find_study(run, root), seed, each)
    return save_evaluation(run, report, latents) if save else report


@app.command("fit-prior")
def fit_prior(
    run_id: RunArgument,
    components: Annotated[int, typer.Option(min=1, max=1000, help="Of the mixture.")] = 50,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    threads: ThreadsOption = 2,
    data: DataOption = None,
    root: RootOption = SHIPPED,
) -> None:
    """Fit a mixture and a flow to a finished run's posteriors, as further priors beside its own."""
    run = find_run(run_id, root)  # told before seconds of imports
    import torch

    from mmvae_core.progress import part_bar
    from mmvae_core.sources import build_source
    from mmvae_core.store.fitted_priors import Settings, save_priors
    from mmvae_core.training.second_stage import fit_priors

    torch.set_num_threads(threads)
    source = build_source(run.config, data)
    with part_bar(run.folder.name) as each:
        priors, card = fit_priors(
            run.model(), run.config, source, Settings(components=components, seed=seed), each
        )
    save_priors(run, priors, card)
    typer.echo(
        "mean log p(z) of held-out items, nats: "
        + ", ".join(f"{name} {mean_text(one, 2)}" for name, one in card.held_out.items())
    )


@app.command()
def evaluate(
    run_id: RunArgument,
    as_json: JsonOption = False,
    save: Annotated[bool, typer.Option(help="Write report.json and latents.npz.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    threads: ThreadsOption = 2,
    root: RootOption = SHIPPED,
) -> None:
    """Measure a run on its study's fixed test items."""
    run = find_run(run_id, root)
    find_study(run, root)
    import torch

    torch.set_num_threads(threads)
    report = _measure(run, root, seed, save)
    typer.echo(
        json.dumps(record_files.as_json(report), indent=1) if as_json else report_table(report)
    )


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

    if quick and out == RESULTS:
        raise UsageError("--quick needs --out FOLDER, so that it cannot replace shipped results.")
    for folder in (out, keep):  # told before hours of training, not after
        check_writable(folder)
    count = seeds or (2 if quick else 5)
    todo = cells(name, aggregator or (), objective or (), count)
    from mmvae_core.experiments.report import print_claims, write_report
    from mmvae_core.experiments.runner import Order, run_cells
    from mmvae_core.progress import count_bar

    order = Order(quick, device, keep)
    with count_bar(f"experiment {name}", "model") as each:
        rows = run_cells(todo, out / f"{name}.csv", order, workers, each)
    report = write_report(name, rows, order, out / f"{name}.json")
    for line in print_claims(report):
        typer.echo(line)


@app.command("toy")
def train_toy(
    out: Annotated[Path, typer.Option(help="The file of weights.")],
    epochs: Annotated[int, typer.Option(min=1, help="Passes over random worlds.")] = 60,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    threads: ThreadsOption = 2,
) -> None:
    """Train the learned aggregators of the toy worlds that move in the browser."""
    check_writable_file(out)
    import torch

    from mmvae_core.explore.toy_networks import save_networks, train

    torch.set_num_threads(threads)
    weights = train(
        epochs,
        seed,
        lambda name, report: typer.echo(
            f"{name}, epoch {report.epoch} of {epochs}: bound {report.validation_bound:.3f} nats"
        ),
    )
    save_networks(weights, out)
    typer.echo(f"Wrote {out}.")
