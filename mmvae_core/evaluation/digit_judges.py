"""The judges of the study `digits`: CNNs for the pictures, the list of names for the words."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from mmvae_core.data.digits.words import ALPHABET, LENGTH, NAMES, judge_words, score_words
from mmvae_core.evaluation import coherence
from mmvae_core.evaluation.judge import Judge, picture_judges
from mmvae_core.store.study import Study


class PictureJudge:
    """The class that a CNN finds likeliest, in pictures cut to [0, 1], as they are shown."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def __call__(self, means: Tensor) -> Tensor:
        """Labels int64 [n] of pictures [n, channel, height, width]."""
        return self.probabilities(means).argmax(-1)

    def probabilities(self, means: Tensor) -> Tensor:
        """The network's class probabilities [n, class]."""
        device = next(self.judge.parameters()).device
        pictures = means.to(device, torch.float32).clamp(0, 1)
        return self.judge.probabilities(pictures).cpu()


class WordJudge(coherence.SpellingJudge):
    """The digit whose placements are likeliest together; see `judge_words`."""

    def __call__(self, means: Tensor) -> Tensor:
        """Labels int64 [n] of symbol probabilities [n, 8, 27]."""
        return torch.from_numpy(judge_words(_log(means))[0])

    def probabilities(self, means: Tensor) -> Tensor:
        """Of each class [n, class], all ten being equally likely beforehand."""
        return torch.from_numpy(score_words(_log(means))).softmax(-1)

    def spelt(self, means: Tensor) -> Tensor:
        """Whether the likeliest symbols form a digit's name at some offset: bool [n]."""
        return torch.from_numpy(judge_words(_log(means))[1])


def study_judges(study: Study) -> dict[str, coherence.Judge]:
    """Judges by modality: the study's CNNs, and one for the modality that writes digits' names."""
    return digit_judges(picture_judges(study), number_words(study))


def number_words(study: Study) -> list[str]:
    """The modalities that name ten classes as `data.words` writes digits; mostly none."""
    if len(study.about.classes) != len(NAMES):
        return []
    data = study.samples().data
    return [
        name
        for name, alphabet in study.about.alphabets.items()
        if alphabet == ALPHABET and name in data and data[name].shape[1:] == (LENGTH,)
    ]


def digit_judges(
    judges: Mapping[str, Judge], words: Iterable[str] = ("word",)
) -> dict[str, coherence.Judge]:
    """Judges by modality from CNNs, and one for each of the modalities of words."""
    pictures: dict[str, coherence.Judge] = {
        name: PictureJudge(judge) for name, judge in judges.items()
    }
    return pictures | {name: WordJudge() for name in words}


def _log(probabilities: Tensor) -> np.ndarray:
    """Logs of probabilities; an underflow to 0 stays finite, so that no class wins by default."""
    return probabilities.double().clamp_min(torch.finfo(torch.float32).tiny).log().cpu().numpy()
