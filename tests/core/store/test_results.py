"""Reports of experiments come back as they were written, and nothing damaged is believed."""

import json
from pathlib import Path
from typing import Any

import pytest

from mmvae_core.errors import RunError
from mmvae_core.store.results import MAX_TABLE_BYTES, read_report, read_table, report_files
from tests.experiments import DIFFERENCES, VERDICTS, write_results


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_results(tmp_path)


def test_a_report_comes_back_with_its_claims_and_means(path: Path, tmp_path: Path) -> None:
    report = read_report(path)
    assert report_files(tmp_path) == [path]
    assert report.measured() == ["linear", "linear_sparse"]
    assert report.seeds == (0, 1, 2)
    found = {(one.better, one.worse): one for one in report.claims_of("linear")}
    for pair, (mean, verdict) in DIFFERENCES.items():
        assert found[pair].mean == pytest.approx(mean)
        assert found[pair].verdict == verdict
    said = {one.claim: (one.against, one.mean, one.verdict) for one in report.verdicts_of("linear")}
    assert said == {
        name: (against, pytest.approx(mean), word)
        for name, (against, mean, word) in VERDICTS.items()
    }
    (course,) = [
        one
        for one in report.curves_of("linear")
        if (one.aggregator, one.objective) == ("poe", "masked")
    ]
    assert course.passes == (1, 5, 10)
    assert course.bounds == pytest.approx((-105.0, -101.0, -100.5))
    assert course.late_gain == pytest.approx(0.5), "from pass 5, the last below nine tenths"
    (own,) = [
        one
        for one in report.summary_of("linear")
        if (one.aggregator, one.objective, one.figure) == ("poe", "masked", "log_likelihood")
    ]
    assert own.mean == pytest.approx(-100.0)
    assert own.seeds == 3


def test_the_table_lies_beside_it(path: Path) -> None:
    table = read_table(path)
    assert table is not None
    assert table.startswith(b"variant,aggregator,objective,seed")
    path.with_suffix(".csv").unlink()
    assert read_table(path) is None


def test_a_table_too_large_is_not_read(path: Path) -> None:
    with path.with_suffix(".csv").open("r+b") as file:
        file.truncate(MAX_TABLE_BYTES + 1)
    assert read_table(path) is None


def changed(key: str, value: Any) -> Any:
    def change(data: dict[str, Any]) -> None:
        data[key] = value

    return change


def without(key: str) -> Any:
    return lambda data: data.pop(key)


def in_first(part: str, key: str, value: Any) -> Any:
    return lambda data: data[part][0].update({key: value})


def in_claim(key: str, value: Any) -> Any:
    return lambda data: data["claims"][0].update({key: value})


@pytest.mark.parametrize(
    "damage",
    [
        without("claims"),
        without("seeds"),
        changed("summary", {}),
        changed("models", "many"),
        changed("hardware", "x" * 1_001),
        in_claim("verdict", "maybe"),
        in_claim("mean", None),
        in_claim("low", float("nan")),
        in_claim("high", float("inf")),
        in_first("verdicts", "verdict", "reversed"),
        in_first("verdicts", "mean", float("nan")),
        in_first("curves", "bounds", []),
        in_first("curves", "bounds", [1.0]),
        in_first("curves", "late_gain", "much"),
    ],
)
def test_a_report_of_another_kind_is_one_sentence(path: Path, damage: Any) -> None:
    data = json.loads(path.read_text())
    damage(data)
    path.write_text(json.dumps(data))
    with pytest.raises(RunError) as caught:
        read_report(path)
    said = str(caught.value)
    assert str(path) in said
    assert "make it anew" in said
    assert "\n" not in said


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "[" * 100_000])
def test_damaged_json_is_one_sentence(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(RunError, match=r"again|anew"):
        read_report(path)
