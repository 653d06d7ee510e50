"""Runs that are alike in all but one setting find each other."""

import json
import shutil
from pathlib import Path

import pytest

from mmvae_core.config import from_dict, to_dict
from mmvae_core.store.run import Run
from mmvae_core.store.spread import FOLDER, find_series, kept_runs
from mmvae_core.store.study import SHIPPED, Study

SHIPPED_RUNS = Study(SHIPPED / "digits").runs()


def kept(folder: Path, like: str, **changed: tuple[str, float]) -> None:
    """A run without weights that differs from a shipped one in some settings."""
    of = Study(SHIPPED / "digits").folder / like
    for name, (setting, value) in changed.items():
        place = folder / FOLDER / f"{like}-{name}"
        place.mkdir(parents=True)
        config, (table, key) = to_dict(Run(of).config), setting.split(".")
        config[table][key] = value
        from_dict(config)
        (place / "config.json").write_text(json.dumps(config))
        shutil.copy(of / "card.json", place)
        shutil.copy(of / "report.json", place)


def test_only_one_setting_may_differ(tmp_path: Path) -> None:
    seed, beta = "training.seed", "objective.beta"
    kept(tmp_path, "poe-masked", late=(seed, 7), early=(seed, 2), heavy=(beta, 4.0))
    kept(tmp_path, "poe-mixture", light=(beta, 0.5))
    runs = kept_runs(Study(tmp_path))
    assert len(runs) == 4
    (seeds,) = find_series(SHIPPED_RUNS, runs, seed)
    assert seeds.shipped.folder.name == "poe-masked"
    assert seeds.values == (0.0, 2.0, 7.0)
    assert [run.folder.name for run in seeds.runs] == [
        "poe-masked",
        "poe-masked-early",
        "poe-masked-late",
    ]
    masked, mixture = find_series(SHIPPED_RUNS, runs, beta)
    assert (masked.values, mixture.values) == ((1.0, 4.0), (0.5, 1.0))
    assert mixture.runs[0].folder.name == "poe-mixture-light"
    assert find_series(SHIPPED_RUNS, [], beta) == ()


def test_a_folder_without_a_report_is_passed_over(tmp_path: Path) -> None:
    kept(tmp_path, "poe-masked", one=("training.seed", 1), two=("training.seed", 2))
    (tmp_path / FOLDER / "poe-masked-one" / "report.json").unlink()
    assert [run.folder.name for run in kept_runs(Study(tmp_path))] == ["poe-masked-two"]
    assert kept_runs(Study(tmp_path / "elsewhere")) == []


KEPT = kept_runs(Study(SHIPPED / "digits"))


@pytest.mark.parametrize("run", KEPT, ids=[run.folder.name for run in KEPT])
def test_what_is_shipped_belongs_to_a_shipped_run(run: Run) -> None:
    """Its config is the committed one; its report is of its card's weights and the study's items."""
    from mmvae_core.config_files import load_config
    from mmvae_core.places import HOME

    assert run.config == load_config(
        HOME / "configs" / "digits" / FOLDER / f"{run.folder.name}.toml"
    )
    assert run.card.epochs == run.config.training.epochs
    assert run.report.measured is not None
    assert run.card.weights.startswith(run.report.measured.weights)
    run.check_samples(SHIPPED / "digits" / "samples.npz")
    settings = ("training.seed", "objective.beta")
    assert sum(len(find_series(SHIPPED_RUNS, [run], one)) for one in settings) == 1
