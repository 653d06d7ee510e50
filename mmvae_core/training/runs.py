"""From a configuration to a run's folder: train, go on after an interruption, finish."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from lightning_fabric import Fabric
from msgspec.structs import replace

from mmvae_core import __version__
from mmvae_core.config import RunConfig, to_dict
from mmvae_core.config_files import load_config
from mmvae_core.data.own.own_source import study_folder
from mmvae_core.data.source import Source
from mmvae_core.errors import DataError, RunError, UsageError
from mmvae_core.files import write_json
from mmvae_core.modalities.kinds import kind_of
from mmvae_core.model import MultimodalVAE
from mmvae_core.store.history import EpochReport, read_history, write_history
from mmvae_core.store.progress import DONE, STATE
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import Card
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from mmvae_core.store.weights import check_size, file_hash, save_weights
from mmvae_core.training.start import start_model
from mmvae_core.training.state import TrainingState
from mmvae_core.training.trainer import Trainer, is_imitated

FULL = ", in float32"
"""Of a run that asks for bfloat16 where the device has none."""


@dataclass(frozen=True)
class Course:
    """How a training went: where, which pass's weights are kept (0: the last), the data's hash."""

    device: torch.device
    best: int = 0
    content: str = ""


def train_run(
    config: RunConfig,
    folder: Path,
    source: Source,
    device: str = "auto",
    each_epoch: Callable[[EpochReport], None] = lambda report: None,
    each_step: Callable[[int, int], None] = lambda done, total: None,
) -> Run:
    """Train into `folder`, from where an earlier call with the same configuration stopped.

    After every epoch the state and the history are on disk. `device` is auto, cpu or cuda.
    """
    check_size(config)
    check_values(config, source)
    content = getattr(source, "content", "")
    check_content(config, content)
    trainer = Trainer(start_model(config, source), config, source, make_fabric(device))
    reports = _resume(trainer, config, folder)
    for report in trainer.epochs(each_step):
        reports.append(report)
        # In this order: a history that is ahead of the state is cut, the other way round is lost.
        write_history(folder / "history.csv", reports)
        trainer.state().save(folder / STATE)
        each_epoch(report)
    trainer.watch.settle(trainer.model)
    course = Course(trainer.fabric.device, trainer.watch.epoch, content)
    run = finish_run(config, folder, trainer.model, reports, course)
    (folder / STATE).unlink(missing_ok=True)
    return run


def go_on(run: Run, folder: Path, passes: int) -> RunConfig:
    """Begin a copy of a finished run that is to be trained for so many further passes.

    `train_run` into `folder` with the configuration that comes back does them: from the run's
    weights, with an Adam and a schedule that begin anew. Called again it changes nothing.
    """
    before, done = run.config.training, run.card.epochs
    if not done:
        raise UsageError(
            f"{run.folder} was not trained here, so it cannot go on; choose another run."
        )
    training = replace(
        before,
        epochs=done + passes,
        restarts=(*[one for one in before.restarts if one < done], done),
    )
    config = replace(run.config, training=training)
    if (folder / "config.json").is_file():
        return config
    write_history(folder / "history.csv", read_history(run.folder / "history.csv"))
    TrainingState.of_weights(run.model(), done).save(folder / STATE)
    write_json(folder / "config.json", to_dict(config))
    return config


def check_values(config: RunConfig, source: Source) -> None:
    """DataError in one sentence where the first batch is not such as its likelihoods can be of."""
    batch = next(iter(source.batches(config.training.seed, 0, config.training.batch)))
    for index, one in enumerate(config.modalities):
        values = batch.data[one.name][batch.observed[:, index]].numpy()
        if len(values) and (fault := kind_of(one).fault(values)) is not None:
            raise DataError(f"The training data hold {one.name!r} {fault}; mend one of the two.")


def check_content(config: RunConfig, content: str) -> None:
    """UsageError where people's own data are no longer those of which the study was made."""
    study = Study(study_folder(config.data.folder))
    if not content or not (study.folder / "study.json").is_file():
        return
    if study.about.content != content:
        raise UsageError(
            f"The data of {study.folder} have changed since the study was made, from "
            f"{study.about.content} to {content}; `python -m mmvae_core study make {study.folder}`."
        )


def finish_run(
    config: RunConfig,
    folder: Path,
    model: MultimodalVAE,
    reports: list[EpochReport],
    course: Course,
) -> Run:
    """Write what a trained run is; the card comes last."""
    write_json(folder / "config.json", to_dict(config))
    write_history(folder / "history.csv", reports)
    save_weights(model, folder / "weights.safetensors")
    write_record(folder / "card.json", _card(config, folder, model, reports, course))
    return Run(folder)


def make_fabric(device: str) -> Fabric:
    """The device that a training uses; precision is the modalities' own business."""
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"There is no device {device!r}; choose auto, cpu or cuda.")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("The device cuda was asked for but this machine has none; use cpu.")
    return Fabric(accelerator=device, devices=1)


def _resume(trainer: Trainer, config: RunConfig, folder: Path) -> list[EpochReport]:
    """Write the configuration, or check it, and restore what was trained before."""
    if (folder / "weights.safetensors").is_file() and not (folder / STATE).is_file():
        raise UsageError(DONE.format(folder))
    if not (folder / "config.json").is_file():
        write_json(folder / "config.json", to_dict(config))
        return []
    if load_config(folder / "config.json") != config:
        raise UsageError(
            f"{folder} was begun with another configuration; choose another folder or delete it."
        )
    if not (folder / STATE).is_file():
        return []
    state = TrainingState.load(folder / STATE)
    state.check(folder / STATE, trainer.model, config.training.epochs)
    trainer.restore(state)
    reports = read_history(folder / "history.csv")[: trainer.done]
    if len(reports) != trainer.done:
        raise RunError(f"{folder}/history.csv lacks epochs that were trained; delete the folder.")
    return reports


def _card(
    config: RunConfig,
    folder: Path,
    model: MultimodalVAE,
    reports: list[EpochReport],
    course: Course,
) -> Card:
    """How the run came to be; what it is stands in its configuration."""
    weights = folder / "weights.safetensors"
    return Card(
        seed=config.training.seed,
        epochs=len(reports),
        best=course.best,
        device=course.device.type,
        hardware=hardware(course.device) + FULL * is_imitated(config, course.device),
        threads=torch.get_num_threads(),
        seconds=round(sum(report.seconds for report in reports), 1),
        finished=time.strftime("%Y-%m-%d", time.gmtime()),
        parameters=sum(value.numel() for value in model.parameters()),
        bytes=weights.stat().st_size,
        weights=file_hash(weights),
        torch=version("torch"),
        version=__version__,
        study=course.content,
    )


def hardware(device: torch.device) -> str:
    """The name of the processor that trained."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
