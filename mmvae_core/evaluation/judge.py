"""The judge: a small CNN per image modality, trained on real training data only.

It names the digit of a picture, so that generations can be counted as right or wrong. It never
sees a generated picture in training.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from mmvae_core.files import write_atomically
from mmvae_core.modalities.kind import unit
from mmvae_core.seeding import seeded
from mmvae_core.store.held import check_named
from mmvae_core.store.study import Study
from mmvae_core.store.weights import read_tensors

CLASSES = 10
CHANNELS = (16, 32, 64)
CHUNK = 1_000
DROPPED = 0.3
"""Features set to zero at random in training, and the others raised by as much (dropout)."""


@dataclass(frozen=True)
class JudgeTraining:
    """The judge's budget."""

    epochs: int = 6
    batch: int = 128
    learning_rate: float = 2e-3
    seed: int = 0
    shift: int = 2
    """Training pictures are moved by up to so many pixels each way."""


class Judge(nn.Module):
    """Three convolutions with pooling and one linear layer: [n, c, h, w] in [0, 1] to logits."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        channels, height, width = shape
        layers: list[nn.Module] = []
        for outputs in CHANNELS:
            layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2)]
            channels, height, width = outputs, height // 2, width // 2
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.out = nn.Linear(channels * height * width, CLASSES)

    def forward(self, pictures: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits [n, 10]; in training a generator drops three features in ten."""
        features = self.body(pictures)
        if generator is not None:
            features = _thinned(features, generator)
        return self.out(features)

    @torch.no_grad()
    def probabilities(self, pictures: Tensor) -> Tensor:
        """Class probabilities [n, 10], in evaluation mode and in chunks."""
        self.eval()
        layout = torch.channels_last
        parts = [
            self(part.contiguous(memory_format=layout)).softmax(-1)
            for part in pictures.split(CHUNK)
        ]
        return torch.cat(parts) if parts else torch.zeros(0, CLASSES)


def train_judge(
    images: np.ndarray,
    labels: np.ndarray,
    config: JudgeTraining,
    each_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Judge:
    """Train a judge on real pictures uint8 [n, c, h, w] with labels [n]."""
    with seeded(config.seed):
        judge = Judge(images.shape[1:])
        generator = torch.Generator()
        generator.set_state(torch.get_rng_state())  # what follows goes on from the weights' draws
    _quick(judge)
    optimizer = torch.optim.Adam(judge.parameters(), lr=config.learning_rate)
    steps = config.epochs * -(-len(images) // config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, steps)
    for epoch in range(config.epochs):
        losses = []
        for pictures, targets in _batches(images, labels, config, generator):
            loss = functional.cross_entropy(judge(pictures, generator), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
        each_epoch(epoch, float(torch.stack(losses).mean()))
    return judge.eval()


def accuracy(judge: Judge, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of real pictures named rightly."""
    right = 0
    for start in range(0, len(images), CHUNK):
        part = torch.from_numpy(unit(images[start : start + CHUNK]))
        named = judge.probabilities(part).argmax(-1).numpy()
        right += int((named == labels[start : start + CHUNK]).sum())
    return right / len(images)


def save_judge(judge: Judge, path: Path) -> None:
    """Write weights as safetensors, atomically."""
    with write_atomically(path) as temporary:
        save_file({k: v.contiguous() for k, v in judge.state_dict().items()}, temporary)


def load_judge(path: Path, shape: tuple[int, ...], remedy: str = "make the study anew") -> Judge:
    """Read a judge for pictures of this shape; RunError, which ends in `remedy`, if it is damaged."""
    with seeded(0):  # weights that are replaced at once still come from the process's generator
        judge = Judge(shape)
    expected = {name: list(value.shape) for name, value in judge.state_dict().items()}
    judge.load_state_dict(read_tensors(path, expected, beside="card.json", remedy=remedy))
    return _quick(judge).eval()


def picture_judges(study: Study) -> dict[str, Judge]:
    """The study's judges, one per modality that has one."""
    judges = {}
    for name, card in study.judge_cards.items():
        path = study.folder / "judge" / f"{name}.safetensors"
        judges[name] = load_judge(path, card.shape, study.anew)
        check_named(path, card.weights, "card.json", study.anew)
    return judges


def _quick(judge: Judge) -> Judge:
    """The same with channels last in memory, in which a CPU takes half the time."""
    # torch's stubs lack the overload of `to` that changes the memory layout alone.
    return judge.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _thinned(features: Tensor, generator: torch.Generator) -> Tensor:
    """Dropout by a generator, which the library's own does not take."""
    kept = torch.empty_like(features, requires_grad=False)
    return features * kept.bernoulli_(1 - DROPPED, generator=generator).div_(1 - DROPPED)


def _batches(
    images: np.ndarray, labels: np.ndarray, config: JudgeTraining, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One shuffled pass; each batch is moved as one by a random shift."""
    order = torch.randperm(len(images), generator=generator).numpy()
    for start in range(0, len(order), config.batch):
        rows = order[start : start + config.batch]
        pictures = torch.from_numpy(unit(images[rows]))
        shift = torch.randint(-config.shift, config.shift + 1, (2,), generator=generator)
        down, right = shift.tolist()
        yield _shifted(pictures, down, right), torch.from_numpy(labels[rows])


def _shifted(pictures: Tensor, down: int, right: int) -> Tensor:
    height, width = pictures.shape[-2:]
    padded = functional.pad(pictures, (width, width, height, height), mode="replicate")
    return padded[..., height - down : 2 * height - down, width - right : 2 * width - right]
