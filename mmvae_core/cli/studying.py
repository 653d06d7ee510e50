"""Commands that make studies: their data, their test items and judges, what they open with."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mmvae_core.cli.options import DataOption, RootOption, ThreadsOption, app
from mmvae_core.cli.own import own, tell_of_opening
from mmvae_core.errors import UsageError
from mmvae_core.files import check_writable
from mmvae_core.store.study import SHIPPED, find_study


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


@own.command(hidden=True)
def made(
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
        with tell_of_opening(out):
            _made_study(Path(name), out)
        return
    _known_data(name)
    check_writable(out)
    import torch

    from mmvae_core.data.digits.digits import default_folder, load_digits
    from mmvae_core.evaluation.judge import JudgeTraining
    from mmvae_core.studies import make_digits

    torch.set_num_threads(threads)
    pools = load_digits(folder or default_folder(), photo, workers=threads)
    with tell_of_opening(out):
        study = make_digits(pools, photo, out, JudgeTraining(epochs=epochs), _say_epoch)
    for judged, card in study.judge_cards.items():
        typer.echo(f"judge of {judged}: {card.test_accuracy:.2%} of {card.test_count} right")


@app.command()
def opening(
    name: Annotated[str, typer.Argument(help="A study's name.")],
    threads: ThreadsOption = 2,
    root: RootOption = SHIPPED,
) -> None:
    """Choose the run, item and masks that a study opens with, and make the Start page's picture."""
    study = find_study(name, root)
    import torch

    from mmvae_core.explore.opening import make_opening, told

    torch.set_num_threads(threads)
    chosen, path = make_opening(study)
    typer.echo(told(study, chosen))
    if path is not None:
        typer.echo(f"{path}: {path.stat().st_size:,} bytes")


def _say_epoch(name: str, epoch: int, loss: float) -> None:
    typer.echo(f"judge of {name}: pass {epoch + 1}, cross-entropy {loss:.4f} nats", err=True)


def _made_study(path: Path, out: Path) -> None:
    from mmvae_core.config_files import load_config
    from mmvae_core.data.source import TableSource
    from mmvae_core.sources import build_source
    from mmvae_core.studies import make_table_study

    config = load_config(path)
    source = build_source(config)
    if not isinstance(source, TableSource):
        raise UsageError(f"{path} is of {config.data.name}; `study {config.data.name}` makes that.")
    study = make_table_study(source, config, out)
    kept, whole = len(study.samples()), len(source.test)
    told = "all" if kept == whole else f"{kept:,} of {whole:,}"
    typer.echo(f"Made {study.folder} with {told} test items, each class in its share.")


def _known_data(name: str) -> None:
    if name != "digits":
        raise UsageError(f"There is no data set {name!r} here; the data set is digits.")
