"""Make a study's folder: what its symbols mean, fixed test items, and judges."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from mmvae_core.config import RunConfig
from mmvae_core.data.digits.digits import DigitPools, Pool, fixed_triples, triples
from mmvae_core.data.digits.words import ALPHABET, NAMES
from mmvae_core.data.source import TableSource
from mmvae_core.evaluation.judge import JudgeTraining, accuracy, save_judge, train_judge
from mmvae_core.store.arrays import write_arrays
from mmvae_core.store.held import SAMPLES
from mmvae_core.store.opening import write_about
from mmvae_core.store.record_files import as_record, write_records
from mmvae_core.store.records import About, JudgeCard
from mmvae_core.store.samples import Samples, write_samples
from mmvae_core.store.study import Study
from mmvae_core.store.weights import file_hash

ITEMS = 2_000
TABLE_ITEMS = 500
JUDGED = ("handwriting", "photo")
SOURCES = {
    "handwriting": "MNIST, Y. LeCun, C. Cortes, C. Burges, CC BY-SA 3.0",
    "rendered": "House numbers rendered by mmvae_core.data.digits.house_numbers, seeded",
    "svhn": "SVHN, Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Ng, 2011",
    "word": "English names of the digits at a random offset in eight characters",
}


def make_digits(
    pools: DigitPools,
    photo: str,
    folder: Path,
    training: JudgeTraining,
    each_epoch: Callable[[str, int, float], None] = lambda name, epoch, loss: None,
) -> Study:
    """Write `study.json`, `samples.npz` and the judges of the study `digits`."""
    items = triples(pools, fixed_triples(pools, "test", ITEMS))
    items["word"] = items["word"].astype(np.uint8)
    items["labels"] = items["labels"].astype(np.uint8)
    write_arrays(folder / SAMPLES, items)
    cards: dict[str, JudgeCard] = {}
    for name in JUDGED:
        pool: Pool = getattr(pools.train, name)
        judge = train_judge(
            pool.images,
            pool.labels,
            training,
            lambda epoch, loss, name=name: each_epoch(name, epoch, loss),
        )
        path = folder / "judge" / f"{name}.safetensors"
        save_judge(judge, path)
        test: Pool = getattr(pools.test, name)
        cards[name] = JudgeCard(
            shape=tuple(pool.images.shape[1:]),
            trained_on=f"{len(pool)} training pictures, no generated ones",
            test_accuracy=accuracy(judge, test.images, test.labels),
            test_count=len(test),
            parameters=sum(value.numel() for value in judge.parameters()),
            weights=file_hash(path),
            **asdict(training),
        )
    write_records(folder / "judge" / "card.json", cards)
    write_about(Study(folder), _about(photo))
    return Study(folder)


def make_table_study(source: TableSource, config: RunConfig, folder: Path) -> Study:
    """Write `study.json`, `samples.npz` and `truth.npz` (true latents) of made data.

    The samples are all test items, or TABLE_ITEMS of them, each class in its share.
    """
    rows = torch.from_numpy(spread(source.test.labels.numpy(), TABLE_ITEMS))
    place = str(folder / "study.json")
    about = as_record(dict(source.about), About, place, "mend `about` of the data set")
    items = source.test.items.rows(rows)
    observed = {name: items.observed[:, row].numpy() for row, name in enumerate(config.names)}
    data = {name: _blank(items.data[name].numpy(), observed[name]) for name in config.names}
    samples = Samples(data, source.test.labels[rows].numpy(), observed)
    write_samples(folder / SAMPLES, samples)
    write_arrays(folder / "truth.npz", {"latents": source.test.latents[rows].float().numpy()})
    write_about(Study(folder), about)
    return Study(folder)


def spread(labels: np.ndarray, most: int) -> np.ndarray:
    """Rows in their order: all, or `most` of them with each label of labels [item] in its share.

    Made worlds come in no order, of which the first are as good as any; they stay the first.
    """
    rows = np.arange(len(labels))
    counts = np.bincount(labels[:most] + 1, minlength=labels.max(initial=-1) + 2)
    shares = np.bincount(labels + 1, minlength=len(counts)) * most / max(len(labels), 1)
    if len(rows) <= most or (np.abs(counts - shares) <= 4 * np.sqrt(shares) + 1).all():
        return rows[:most]
    order = np.argsort(labels, kind="stable")
    return np.sort(order[np.linspace(0, len(rows) - 1, most).round().astype(int)])


def _blank(values: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Zeros where an item does not have the modality."""
    return np.where(has.reshape(-1, *[1] * (values.ndim - 1)), values, 0).astype(values.dtype)


def _about(photo: str) -> About:
    return About(
        title="Digits: handwriting, house-number photo, word",
        classes=NAMES,
        alphabets={"word": ALPHABET},
        sources=(SOURCES["handwriting"], SOURCES[photo], SOURCES["word"]),
    )
