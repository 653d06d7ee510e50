"""Which models an experiment has, how they are configured, and when results are stale."""

from typing import Any

import pytest
from msgspec.structs import replace

from mmvae_core.build import AGGREGATORS, OBJECTIVES, PRIORS
from mmvae_core.config import RunConfig
from mmvae_core.config_files import load_config
from mmvae_core.errors import ConfigError, UsageError
from mmvae_core.experiments import grid
from mmvae_core.experiments.grid import CONFIGS, EXPERIMENTS, KEPT, Cell, cells, config_of
from mmvae_core.experiments.grid import fingerprint as mark
from mmvae_core.sources import DATA

VARIANTS = [variant for variants in EXPERIMENTS.values() for variant in variants]
POE = Cell("linear", "poe", "masked", 0)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_model_is_there_once_and_its_seeds_together(name: str) -> None:
    found = cells(name, (), (), 3)
    assert len(found) == len(set(found))
    assert [cell.seed for cell in found] == [0, 1, 2] * (len(found) // 3)
    assert {cell.variant for cell in found} == set(EXPERIMENTS[name])
    for variant in EXPERIMENTS[name]:
        for seed in range(3):
            own = {
                (cell.aggregator, cell.objective)
                for cell in found
                if (cell.variant, cell.seed) == (variant, seed)
            }
            truth = set() if variant in grid.SAME_ITEMS else {(grid.TRUTH, grid.TRUTH)}
            assert own == truth | {
                (one, other)
                for one in grid.default_aggregators(variant)
                for other in grid.default_objectives(variant)
            }


@pytest.mark.parametrize("variant", ["linear", "linear_sparse", "linear_private", "bimodal"])
def test_main_worlds_have_all_rules_under_all_three_objectives(variant: str) -> None:
    assert set(grid.default_aggregators(variant)) >= {*grid.FIXED, *grid.LEARNED}
    assert grid.default_objectives(variant) == ("masked", "mixture", "mixture_not_empty")


@pytest.mark.parametrize("variant", VARIANTS)
def test_compared_posteriors_are_of_one_family(variant: str) -> None:
    """As many components for a product of experts as for the learned rules without heads."""
    made = [config_of(Cell(variant, name, "masked", 0)) for name in ("poe", *grid.LEARNED)]
    if variant == "missing_laplace":
        assert "poe" not in grid.default_aggregators(variant)
        return
    for one in made:
        assert one.aggregator.components == 1
        assert one.aggregator.prior_product or one.prior.name == "standard_normal"
    heads = config_of(Cell("missing", "sum_pooling_mixture", "masked", 0))
    assert (heads.aggregator.components, heads.aggregator.prior_product) == (5, False)


@pytest.mark.parametrize("variant", grid.SAME_ITEMS)
def test_worlds_that_share_a_truth_share_their_data(variant: str) -> None:
    one, other = (
        load_config(CONFIGS / f"{name}.toml") for name in (variant, grid.SAME_ITEMS[variant])
    )
    assert one.data == other.data
    assert [part.shape for part in one.modalities] == [part.shape for part in other.modalities]


def test_an_objective_that_is_never_empty_differs_in_its_subsets_alone() -> None:
    plain, other = (config_of(Cell("linear", "poe", name, 0)) for name in grid.OBJECTIVES[1:])
    assert other.objective.subsets == "not_empty"
    assert replace(other, objective=replace(other.objective, subsets="independent")) == plain


def test_asked_models_alone_and_each_once() -> None:
    found = cells("missing", ("poe", "moe", "poe"), ("masked",), 2)
    trained = [cell for cell in found if cell.aggregator != grid.TRUTH]
    assert trained == [
        Cell(variant, name, "masked", seed)
        for variant in EXPERIMENTS["missing"]
        for name in ("poe", "moe")
        if (variant, name) != ("missing_laplace", "poe")
        for seed in range(2)
    ]
    last = cells("bimodal", ("sum_pooling_mixture",), ("masked",), 1)[-1]
    assert last.name == "sum_pooling_mixture-masked"


@pytest.mark.parametrize(
    ("name", "aggregator", "objective", "said"),
    [
        (
            "letters",
            "poe",
            "masked",
            "no experiment 'letters'; choose one of linear, bimodal, missing",
        ),
        ("linear", "mean", "masked", "no aggregator 'mean'; choose one of"),
        ("linear", "mean_mixture", "masked", "no aggregator 'mean'; choose one of"),
        ("linear", "poe_mixture", "masked", "'poe' was given components = 5"),
        ("linear", "poe", "elbo", "no objective 'elbo'; choose one of"),
    ],
)
def test_unknown_names_are_refused_before_anything_is_trained(
    name: str, aggregator: str, objective: str, said: str
) -> None:
    with pytest.raises((UsageError, ConfigError)) as caught:
        cells(name, ("moe", aggregator), (objective,), 1)
    assert said in str(caught.value)


@pytest.mark.parametrize("variant", VARIANTS)
def test_committed_configurations_are_those_of_their_experiments(variant: str) -> None:
    made = load_config(CONFIGS / f"{variant}.toml")
    assert made.study == variant
    assert made.data.name in DATA
    assert made.prior.name in PRIORS
    assert {path.stem for path in CONFIGS.glob("*.toml")} == set(VARIANTS)
    assert set(KEPT) <= set(VARIANTS)
    assert set(grid.FIXED + grid.LEARNED) <= set(AGGREGATORS)
    assert {name.removesuffix("_not_empty") for name in grid.OBJECTIVES} <= set(OBJECTIVES)


def test_a_cell_changes_its_parts_and_seeds_alone() -> None:
    made = config_of(Cell("bimodal", "self_attention_mixture", "mixture", 4))
    base = load_config(CONFIGS / "bimodal.toml")
    assert (made.aggregator.name, made.aggregator.components) == ("self_attention", 5)
    assert made.aggregator.width == 48
    assert made.objective.name == "mixture"
    assert made.data.seed == made.training.seed == 4
    assert (
        replace(
            made,
            aggregator=base.aggregator,
            objective=base.objective,
            data=base.data,
            training=base.training,
        )
        == base
    )
    assert replace(made.training, seed=base.training.seed) == base.training
    assert replace(made.data, seed=base.data.seed) == base.data
    plain = config_of(POE).aggregator
    assert (plain.name, plain.components) == ("poe", 1)


def test_quick_trains_a_tenth_of_the_passes_and_is_another_result() -> None:
    made, quick = config_of(POE), config_of(POE, quick=True)
    assert quick.training.epochs == made.training.epochs // 10 >= 1
    assert replace(quick, training=made.training) == made
    assert mark(quick) != mark(made)


CHANGES: dict[str, dict[str, Any]] = {
    "latent": {"latent": 6},
    "private": {"private": 1},
    "objective": {"objective": {"beta": 2.0}},
    "aggregator": {"aggregator": {"components": 2}},
    "prior": {"prior": {"name": "mixture"}},
    "data": {"data": {"seed": 1}},
    "epochs": {"training": {"epochs": 99}},
    "batch": {"training": {"batch": 1}},
}


def changed(made: RunConfig, change: dict[str, Any]) -> RunConfig:
    return replace(
        made,
        **{
            key: replace(getattr(made, key), **value) if isinstance(value, dict) else value
            for key, value in change.items()
        },
    )


def test_a_fingerprint_changes_with_every_setting() -> None:
    made = config_of(POE)
    marks = [mark(made), *(mark(changed(made, change)) for change in CHANGES.values())]
    first, *rest = made.modalities
    marks.append(mark(replace(made, modalities=(replace(first, weight=2.0), *rest))))
    marks.append(mark(replace(made, modalities=(*rest, first))))
    likelihood = replace(first.likelihood, learn_scale=True)
    marks.append(mark(replace(made, modalities=(replace(first, likelihood=likelihood), *rest))))
    assert len(set(marks)) == len(marks)
    assert all(len(one) == 12 and set(one) <= set("0123456789abcdef") for one in marks)
    assert mark(config_of(POE)) == marks[0]


def test_a_default_written_out_is_no_change() -> None:
    """So results stay good when an option is added, as long as its default is what was done."""
    made = config_of(POE)
    settings = grid._settings(made)
    assert "beta" not in settings["objective"]
    assert "private" not in settings
    assert settings["objective"] == {"name": "masked"}
    assert mark(changed(made, {"objective": {"beta": 1.0}, "private": 0})) == mark(made)
