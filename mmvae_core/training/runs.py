"""From a configuration to a run's folder: train, go on after an interruption, finish."""

import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from lightning_fabric import Fabric

from mmvae_core import __version__
from mmvae_core.build import start_model
from mmvae_core.config import RunConfig, load_config, to_dict
from mmvae_core.data.source import Source
from mmvae_core.errors import RunError, UsageError
from mmvae_core.files import write_json
from mmvae_core.model import MultimodalVAE
from mmvae_core.store.history import EpochReport, read_history, write_history
from mmvae_core.store.record_files import write_record
from mmvae_core.store.records import Card
from mmvae_core.store.run import Run
from mmvae_core.store.weights import check_size, file_hash, save_weights
from mmvae_core.training.state import TrainingState
from mmvae_core.training.trainer import Trainer

STATE = "training.safetensors"


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
    trainer = Trainer(start_model(config, source), config, source, make_fabric(device))
    reports = _resume(trainer, config, folder)
    for report in trainer.epochs(each_step):
        reports.append(report)
        # In this order: a history that is ahead of the state is cut, the other way round is lost.
        write_history(folder / "history.csv", reports)
        trainer.state().save(folder / STATE)
        each_epoch(report)
    run = finish_run(config, folder, trainer.model, reports, trainer.fabric.device)
    (folder / STATE).unlink(missing_ok=True)
    return run


def finish_run(
    config: RunConfig,
    folder: Path,
    model: MultimodalVAE,
    reports: list[EpochReport],
    device: torch.device,
) -> Run:
    """Write what a trained run is; the card comes last."""
    write_json(folder / "config.json", to_dict(config))
    write_history(folder / "history.csv", reports)
    save_weights(model, folder / "weights.safetensors")
    write_record(folder / "card.json", _card(config, folder, model, reports, device))
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
    if (folder / "weights.safetensors").is_file():
        raise UsageError(f"{folder} holds a finished run; choose another folder or delete it.")
    if not (folder / "config.json").is_file():
        write_json(folder / "config.json", to_dict(config))
        return []
    if load_config(folder / "config.json") != config:
        raise UsageError(
            f"{folder} was begun with another configuration; choose another folder or delete it."
        )
    if not (folder / STATE).is_file():
        return []
    trainer.restore(TrainingState.load(folder / STATE))
    reports = read_history(folder / "history.csv")[: trainer.done]
    if len(reports) != trainer.done:
        raise RunError(f"{folder}/history.csv lacks epochs that were trained; delete the folder.")
    return reports


def _card(
    config: RunConfig,
    folder: Path,
    model: MultimodalVAE,
    reports: list[EpochReport],
    device: torch.device,
) -> Card:
    """How the run came to be; what it is stands in its configuration."""
    weights = folder / "weights.safetensors"
    return Card(
        seed=config.training.seed,
        epochs=len(reports),
        device=device.type,
        hardware=hardware(device),
        threads=torch.get_num_threads(),
        seconds=round(sum(report.seconds for report in reports), 1),
        finished=time.strftime("%Y-%m-%d", time.gmtime()),
        parameters=sum(value.numel() for value in model.parameters()),
        bytes=weights.stat().st_size,
        weights=file_hash(weights),
        torch=version("torch"),
        version=__version__,
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
