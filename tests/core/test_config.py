"""Configurations: what is merged, what is refused, and how a refusal reads."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from mmvae_core import config as module
from mmvae_core.build import AGGREGATORS, build_model, build_objective
from mmvae_core.config import changed_training, from_dict, to_dict, unequal
from mmvae_core.config_files import load_config
from mmvae_core.errors import ConfigError
from mmvae_core.sources import build_source
from tests import small

CONFIGS = Path(module.__file__).parents[1] / "configs"
SHIPPED = sorted(path for path in CONFIGS.glob("digits/*.toml") if path.name != "base.toml")
SPREAD = sorted(CONFIGS.glob("digits/spread/*.toml"))


def refusal(make: Any) -> str:
    """The message of a ConfigError, which must be one plain sentence."""
    with pytest.raises(ConfigError) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert "Traceback" not in message
    assert len(message) < 400
    return message


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small settings with one entry replaced; `path` is like 'modalities.0.shape'."""
    made = small.settings()
    *parents, last = path.split(".")
    table: Any = made
    for key in parents:
        table = table[int(key)] if key.isdigit() else table[key]
    table[last] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("latent", "three", "Expected `int`, got `str` - at `$.latent`"),
        ("latent", 3.0, "$.latent"),
        ("latent", True, "$.latent"),
        ("latent", 0, "$.latent"),
        ("latent", 10**30, "$.latent"),
        ("lattent", 3, "unknown field `lattent`"),
        ("training.epoch", 3, "unknown field `epoch`"),
        ("training.seed", -1, "$.training.seed"),
        ("training.learning_rate", float("nan"), "$.training.learning_rate"),
        ("training.learning_rate", float("inf"), "$.training.learning_rate"),
        ("objective.keep_probability", 1.0, "$.objective.keep_probability"),
        ("objective.beta", 0, "$.objective.beta"),
        ("aggregator.layers", 10_000_000, "$.aggregator.layers"),
        ("modalities", [], "$.modalities"),
        ("modalities.0.shape", [], "$.modalities[0].shape"),
        ("modalities.0.shape", [4, -1], "$.modalities[0].shape"),
        ("modalities.0.shape", [1, 2, 3, 4], "$.modalities[0].shape"),
        ("modalities.0.shape", "4", "$.modalities[0].shape"),
        ("modalities.0.name", "../evil", "$.modalities[0].name"),
        ("modalities.0.name", "numbers\n", "$.modalities[0].name"),
        ("modalities.0.name", "text", "names must differ"),
        ("modalities.0.likelihood.scale", 0.0, "$.modalities[0].likelihood.scale"),
        ("study", "a/b", "$.study"),
        ("format", 2, "format 2 is not known here"),
    ],
)
def test_a_wrong_entry_is_named(path: str, value: Any, said: str) -> None:
    assert said in refusal(lambda: from_dict(changed(path, value), "run.toml"))


@pytest.mark.parametrize("value", [None, 3, "text", []])
def test_something_else_than_a_table_is_refused(value: Any) -> None:
    refusal(lambda: from_dict(value))


@pytest.mark.parametrize("key", ["study", "latent", "modalities", "training"])
def test_a_missing_entry_is_named(key: str) -> None:
    made = small.settings()
    del made[key]
    assert f"`{key}`" in refusal(lambda: from_dict(made))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "modalities.1.shape",
            [12, 12],
            "is a binary vector of shape [12, 12], whose network is mlp or linear or known or relu, got",
        ),
        ("modalities.1.shape", [1, 10, 12], "multiples of 4"),
        ("modalities.2.shape", [3], "needs a shape of 2 numbers"),
        (
            "modalities.2.likelihood.name",
            "normal",
            "is a vector of shape [3, 5], whose network is mlp",
        ),
        ("modalities.2.network", "mlp", "[3, 5], whose network is sequence, got 'mlp'"),
        ("modalities.0.network", "mpl", "There is no network 'mpl'; choose one of mlp, linear"),
        ("modalities.0.likelihood.name", "gauss", "no likelihood 'gauss'; choose one of normal"),
        ("aggregator.name", "mean", "no aggregator 'mean'; choose one of poe"),
        ("prior", {"name": "uniform"}, "no prior 'uniform'; choose one of standard_normal"),
        ("modalities.0.name", "items", "choose another name"),
        ("modalities.0.name", "nothing", "choose another name"),
    ],
)
def test_parts_that_cannot_go_together_are_refused(path: str, value: Any, said: str) -> None:
    made = from_dict(changed(path, value))
    assert said in refusal(lambda: build_model(made))


def test_an_unknown_objective_or_data_set_is_refused() -> None:
    made = from_dict(changed("objective.name", "elbo"))
    assert "no objective 'elbo'; choose one of masked" in refusal(lambda: build_objective(made))
    made = from_dict(changed("data", {"name": "faces"}))
    assert "no data set 'faces'; choose one of digits" in refusal(lambda: build_source(made))


def test_heads_must_share_the_width() -> None:
    heads = changed("aggregator", {"name": "self_attention", "width": 8, "heads": 3})
    assert "8 cannot be shared by 3 heads" in refusal(lambda: from_dict(heads))
    assert from_dict(changed("aggregator", {"name": "poe", "width": 8, "heads": 3}))


def test_configurations_survive_json(tmp_path: Path) -> None:
    made = small.config()
    (tmp_path / "config.json").write_text(json.dumps(to_dict(made)))
    assert load_config(tmp_path / "config.json") == made


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)


BASE = """
study = "a"
latent = 2
features = 3
[[modalities]]
name = "x"
shape = [4]
likelihood = { name = "normal" }
[aggregator]
name = "poe"
[objective]
name = "masked"
warmup_epochs = 2
[data]
[training]
epochs = 5
seed = 7
"""


def test_extending_merges_tables_key_by_key(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=BASE,
        middle='extends = "base.toml"\nlatent = 9\n[training]\nepochs = 6\n',
        top='extends = "middle.toml"\n[objective]\nname = "mixture"\n[training]\nepochs = 8\n',
    )
    made = load_config(tmp_path / "top.toml")
    base = load_config(tmp_path / "base.toml")
    assert made == msgspec.structs.replace(
        base,
        latent=9,
        objective=msgspec.structs.replace(base.objective, name="mixture"),
        training=msgspec.structs.replace(base.training, epochs=8),
    )
    assert (made.objective.warmup_epochs, made.training.seed) == (2, 7)


def test_extending_replaces_lists(tmp_path: Path) -> None:
    other = '[[modalities]]\nname = "y"\nshape = [2]\nlikelihood = { name = "laplace" }\n'
    write(tmp_path, base=BASE, top=f'extends = "base.toml"\n{other}')
    assert load_config(tmp_path / "top.toml").names == ("y",)


def test_extending_in_a_circle_ends(tmp_path: Path) -> None:
    write(tmp_path, a='extends = "b.toml"', b='extends = "a.toml"', own='extends = "own.toml"')
    for name in ("a", "own"):
        assert "extends" in refusal(lambda name=name: load_config(tmp_path / f"{name}.toml"))


@pytest.mark.parametrize("value", ["3", "[1]", '"missing.toml"', '""', '"."'])
def test_extending_needs_a_file(tmp_path: Path, value: str) -> None:
    write(tmp_path, top=f"extends = {value}")
    refusal(lambda: load_config(tmp_path / "top.toml"))


@pytest.mark.parametrize("name", ["config.json", "config.toml"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1, 2]",
        b"null",
        b"{",
        b"= 3",
        b"\xff\xfe\x00",
        b"a" * 2_000_000,
        b"[" * 400_000,
        b'{"a":' * 100_000,
        b"a = " + b"[" * 100_000,
        b"latent = " + b"9" * 5_000,
        b"a.a = 1\na = 2",
    ],
    ids=[
        "empty",
        "list",
        "null",
        "open",
        "no key",
        "no text",
        "huge",
        "deep list",
        "deep object",
        "deep toml",
        "long number",
        "twice",
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert name in refusal(lambda: load_config(tmp_path / name))


def test_deep_dotted_tables_are_refused(tmp_path: Path) -> None:
    deep = "a." * 1_500 + "a = 1\n"
    write(tmp_path, base=deep, top=f'extends = "base.toml"\n{deep}')
    refusal(lambda: load_config(tmp_path / "top.toml"))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        assert "There is no configuration file" in refusal(lambda path=path: load_config(path))


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        small.config().latent = 5


VARIANTS = {
    "residual": {"aggregator.residual"},
    "paper": {"aggregator.prior_product", "prior.name", "prior.refit"},
    "private": {"latent", "private"},
    "heads": {"aggregator.components", "aggregator.prior_product"},
}
"""What the configurations of the study change on purpose, by the word in their name."""


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_runs_of_the_study_differ_in_what_their_name_tells_only(path: Path) -> None:
    made, base = load_config(path), load_config(CONFIGS / "digits" / "sum_pooling-masked.toml")
    name, objective = path.stem.split("-")
    variant = next((word for word in VARIANTS if name.endswith(f"_{word}")), "")
    assert made.aggregator.name == name.removesuffix(f"_{variant}")
    assert made.objective.name == objective
    assert set(unequal([base, made])) == VARIANTS.get(variant, set())


@pytest.mark.parametrize("path", SPREAD, ids=lambda path: path.stem)
def test_runs_of_the_spread_differ_in_the_seed_or_in_beta_alone(path: Path) -> None:
    """`<rule>-<objective>-seed<n>` or `-beta<b>`, beside the run of the gallery."""
    name, objective, change = path.stem.split("-")
    made, base = load_config(path), load_config(path.parents[1] / f"{name}-{objective}.toml")
    if change.startswith("seed"):
        expected = replace(base, training=replace(base.training, seed=int(change[4:])))
    else:
        beta = float(change.removeprefix("beta"))
        expected = replace(base, objective=replace(base.objective, beta=beta))
    assert made == expected
    assert made != base


def test_the_study_has_every_rule_under_both_objectives() -> None:
    found = {path.stem for path in SHIPPED}
    rules = ("poe", "moe", "mopoe", "sum_pooling", "self_attention")
    assert found >= {f"{one}-{other}" for one in rules for other in ("masked", "mixture")}
    assert found >= {
        "concatenation-masked",
        "poe-total_correlation",
        "sum_pooling-total_correlation",
    }
    assert set(rules) <= set(AGGREGATORS)


def test_runs_are_told_apart_by_what_is_not_compared() -> None:
    one = small.config("poe")
    other = small.config("sum_pooling", training={"seed": 3}, objective={"name": "mixture"})
    assert unequal([one, other]) == {}
    third = small.config(
        "poe",
        training={"epochs": 7},
        latent=4,
        modalities=[
            small.SETTINGS["modalities"][0] | {"weight": 2.0},
            *small.SETTINGS["modalities"][1:],
        ],
    )
    assert unequal([one, third, other]) == {
        "latent": ["3", "4", "3"],
        "modalities.numbers.weight": ["1.0", "2.0", "1.0"],
        "training.epochs": ["2", "7", "2"],
    }


def test_another_precision_is_a_change_of_training_alone_and_still_compared() -> None:
    base = from_dict(small.settings())
    made = changed_training(base, {"precision": "bf16-mixed", "epochs": 7})
    assert made.training == replace(base.training, precision="bf16-mixed", epochs=7)
    assert replace(made, training=base.training) == base
    assert unequal([base, changed_training(base, {"precision": "bf16-mixed"})]) == {}
    assert "precision" in refusal(lambda: changed_training(base, {"precision": "16"}))
