"""Studies are made of test items alone, and say rightly how good their judges are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mmvae_core import studies
from mmvae_core.config import from_dict
from mmvae_core.data.digits.digits import DigitPools, Pool, SplitPools
from mmvae_core.data.digits.words import NAMES, decode
from mmvae_core.data.worlds.linear import linear
from mmvae_core.evaluation.judge import Judge, JudgeTraining, picture_judges
from mmvae_core.studies import make_digits, make_table_study
from tests import small

ITEMS = 20
MARKS = {"train": 11, "validation": 22, "test": 33}


def pool(split: str, labels: NDArray, shape: tuple[int, int, int]) -> Pool:
    """Noise, of which the first pixel tells the split and the second the label."""
    random = np.random.default_rng(MARKS[split] + shape[0])
    images = random.integers(0, 255, (len(labels), *shape)).astype(np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = MARKS[split], labels
    return Pool(images, labels)


def pools() -> DigitPools:
    """Each split has its own share of each digit."""
    many = {"train": np.arange(70) % 10, "validation": np.arange(30) % 10}
    many["test"] = np.concatenate([np.arange(50) % 10, np.arange(20) % 3])
    return DigitPools(
        **{
            split: SplitPools(pool(split, labels, (1, 28, 28)), pool(split, labels, (3, 32, 32)))
            for split, labels in many.items()
        }
    )


def test_the_items_of_digits_are_test_items_and_its_judges_saw_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "ITEMS", ITEMS)
    seen, given = [], pools()

    def train(images: NDArray, labels: NDArray, config: JudgeTraining, each: object) -> Judge:
        seen.append((images, labels, config.epochs))
        torch.manual_seed(len(seen))
        judge = Judge(images.shape[1:]).eval()
        small.spread(judge, len(seen))
        return judge

    monkeypatch.setattr(studies, "train_judge", train)
    study = make_digits(given, "svhn", tmp_path / "digits", JudgeTraining(epochs=4))
    items = study.samples()
    assert len(items) == ITEMS
    assert study.about.classes == NAMES
    assert any("SVHN" in one for one in study.about.sources)
    for name in ("handwriting", "photo"):
        assert (items.data[name][:, 0, 0, 0] == MARKS["test"]).all(), name
        assert (items.data[name][:, 0, 0, 1] == items.labels).all(), name
    words = [decode(codes) for codes in items.data["word"]]
    assert all(
        NAMES[label] in word.strip() for word, label in zip(words, items.labels, strict=True)
    )
    for (images, labels, epochs), name in zip(seen, ("handwriting", "photo"), strict=True):
        assert (images[:, 0, 0, 0] == MARKS["train"]).all(), name
        assert (images[:, 0, 0, 1] == labels).all()
        card, judge = study.judge_cards[name], picture_judges(study)[name]
        assert card.epochs == epochs == 4
        right = {
            split: _right(judge, getattr(getattr(given, split), name))
            for split in ("train", "test")
        }
        assert right["train"] != right["test"], "else nothing is told apart"
        assert (card.test_accuracy, card.test_count) == (pytest.approx(right["test"]), 70)


def _right(judge: Judge, pool: Pool) -> float:
    pictures = torch.from_numpy(pool.images.astype(np.float32) / 255)
    with torch.no_grad():
        return float(np.mean(judge(pictures).argmax(-1).numpy() == pool.labels))


def test_the_items_of_made_data_are_its_first_test_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "TABLE_ITEMS", ITEMS)
    modalities = [
        {"name": name, "shape": [size], "width": 4, "likelihood": {"name": "normal"}}
        for name, size in (("second", 6), ("first", 7))
    ]
    made = from_dict(
        small.settings(modalities=modalities, data={"name": "linear", "epoch_size": 60})
    )
    source = linear(made)
    study = make_table_study(source, made, tmp_path / "linear")
    items = study.samples()
    for name in ("second", "first"):
        expected = source.test.items.data[name][:ITEMS].numpy()
        np.testing.assert_array_equal(items.data[name], expected)
    np.testing.assert_array_equal(items.labels, source.test.labels[:ITEMS].numpy())
    np.testing.assert_allclose(study.truth(), source.test.latents[:ITEMS].numpy(), rtol=1e-6)
