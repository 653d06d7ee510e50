"""Each shipped study opens with a run of today, a typical item and a picture that fits both.

Where a run was trained anew: `python -m mmvae_core opening STUDY`.
"""

import numpy as np
import pytest

from mmvae_core.evaluation.digit_judges import study_judges
from mmvae_core.explore.inference import judged_items
from mmvae_core.explore.opening import MOST_MODALITIES, choose_masks, choose_run, is_wished
from mmvae_core.store.opening import FILE, read_picture
from mmvae_core.store.records import Opening
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study, studies

STUDIES = studies()


def opened(study: Study) -> tuple[Opening, Run]:
    opening = study.about.opening
    assert opening is not None
    return opening, Run(study.folder / opening.run)


@pytest.mark.parametrize("study", STUDIES, ids=lambda one: one.name)
def test_a_study_opens_with_its_best_learned_run(study: Study) -> None:
    opening, run = opened(study)
    assert run == choose_run(study)
    assert is_wished(run)
    assert opening.mask == run.config.names
    assert opening.masks == choose_masks(run)


@pytest.mark.parametrize("study", STUDIES, ids=lambda one: one.name)
def test_its_item_is_right_and_no_failure_by_likelihood(study: Study) -> None:
    """Right from everything and from each modality alone, as far as judges tell."""
    opening, run = opened(study)
    latents, label = run.latents(), study.samples().labels[opening.item]
    assert latents.log_likelihood is not None
    below = (latents.log_likelihood[-1] < latents.log_likelihood[-1, opening.item]).mean()
    assert 0.25 < below < 0.75
    judges, model = study_judges(study), run.model()
    for row in (-1, *range(1, 1 + len(run.config.names))):
        mean = latents.mean[row][opening.item][None]
        for name, judge in judges.items():
            assert judged_items(model, judge, name, mean) == label


@pytest.mark.parametrize("study", STUDIES, ids=lambda one: one.name)
def test_its_picture_is_of_these_weights_and_small(study: Study) -> None:
    opening, run = opened(study)
    if len(run.config.names) > MOST_MODALITIES:
        assert not (study.folder / FILE).exists(), "so many would not fit"
        return
    picture = read_picture(study, run, opening.item)
    assert picture is not None, f"python -m mmvae_core opening {study.name}"
    assert (study.folder / FILE).stat().st_size <= 300_000
    assert np.isfinite(picture.lines).all()
