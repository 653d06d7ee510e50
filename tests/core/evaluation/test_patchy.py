"""Items that lack modalities, entries and labels: evaluation counts what there is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mmvae_core.cli import main
from mmvae_core.evaluation.all_subsets import all_posteriors, complete
from mmvae_core.evaluation.rates import kl
from mmvae_core.evaluation.report import evaluate, sample_batch
from mmvae_core.explore.lattice import make_lattice, masks_near
from mmvae_core.store.run import Run
from mmvae_core.store.samples import Samples
from mmvae_core.store.study import find_study
from mmvae_core.subsets import subset_name
from tests import patchy


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return patchy.write_study(tmp_path_factory.mktemp("studies"))


def test_samples_come_back_as_they_were_written(run: Run) -> None:
    before, after = patchy.samples(), find_study(run).samples_of(run.config)
    for part in ("data", "observed", "notes", "units"):
        one, other = getattr(before, part), getattr(after, part)
        assert one.keys() == other.keys()
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])
    assert (before.labels == after.labels).all() and (after.labels == -1).any()
    assert after.ids == before.ids
    assert after.item(1).keys() == {name for name in patchy.NAMES if before.observed[name][1]}


def test_figures_are_means_over_the_items_that_have_the_subset(run: Run) -> None:
    samples, model = find_study(run).samples_of(run.config), run.model()
    report, latents = evaluate(model, samples, {})
    posterior = all_posteriors(model, sample_batch(model, samples))
    rate = kl(posterior, model.prior(), 2, 0).value
    for row, mask in enumerate(latents.masks):
        name = subset_name(mask.tolist(), patchy.NAMES)
        have = (samples.mask(patchy.NAMES) | ~mask).all(1)
        assert report.observed[name] == have.sum()
        kept = torch.from_numpy(have if have.any() else np.ones_like(have))
        assert report.rate[name].mean == pytest.approx(float(rate[row][kept].double().mean()), 1e-5)
    full, none = "+".join(patchy.NAMES), "nothing"
    assert 0 < report.observed[full] < report.observed[none] == patchy.ITEMS
    assert np.isfinite(latents.log_likelihood).all()


def test_what_stands_where_nothing_is_observed_has_no_effect(run: Run) -> None:
    samples, model = find_study(run).samples_of(run.config), run.model()
    data = {name: values.copy() for name, values in samples.data.items()}
    for name, has in samples.observed.items():
        data[name][~has] = 1
    other = Samples(data, samples.labels, samples.observed)
    one, two = (evaluate(model, found, {})[1] for found in (samples, other))
    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.distortion, two.distortion)


def test_of_a_subset_that_no_item_has_all_count() -> None:
    observed = torch.tensor([[True, False], [False, True]])
    assert complete(observed).tolist() == [[True] * 2, [True, False], [False, True], [True] * 2]


@pytest.mark.parametrize("labels", ["all", "some", "none"])
def test_the_command_measures_it_whatever_is_labelled(labels: str, tmp_path: Path) -> None:
    run = patchy.write_study(tmp_path, labels)
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(run.folder), "--save", "--checkpoints", str(tmp_path)])
    assert ended.value.code == 0
    fresh = Run(run.folder)
    assert fresh.latents(patchy.ITEMS).mean.shape == (16, patchy.ITEMS, 3)
    assert (len(fresh.report.probe) > 0) == (labels != "none")


def test_the_lattice_knows_what_an_item_lacks(run: Run) -> None:
    samples, model = find_study(run).samples_of(run.config), run.model()
    item = samples.item(2)
    assert "genes" not in item and "lab" in item
    found = make_lattice(model, item, np.array(masks_near((True,) * 4)), 2, 0)
    lacks = [index for index, name in enumerate(patchy.NAMES) if name not in item]
    assert list(found.lacks) == lacks
    with_genes, without = found.row((True, True, False, False)), found.row((True,) + (False,) * 3)
    assert float(found.rate.value[with_genes]) == pytest.approx(float(found.rate.value[without]))
    assert found.share is not None
    assert float(found.share.value[1]) == pytest.approx(0, abs=1e-4)
