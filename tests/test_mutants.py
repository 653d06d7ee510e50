"""The faults that `make mutants` plants can be planted; whether they are noticed it tells itself."""

import ast

import pytest

from tools.mutants import HOME, Mutant, mutants


@pytest.mark.parametrize("one", mutants(), ids=lambda one: one.id)
def test_a_fault_applies_and_names_tests_that_exist(one: Mutant) -> None:
    before = (HOME / one.file).read_text(encoding="utf-8")
    faulty = one.applied(before)
    assert ast.dump(ast.parse(faulty)) != ast.dump(ast.parse(before))
    assert one.why and one.tests
    assert all((HOME / test).exists() for test in one.tests)


def test_there_are_faults_of_every_room() -> None:
    assert len(mutants()) >= 100
    rooms = {one.room for one in mutants()}
    assert {"probability", "objectives", "store", "cli", "ui/draw", "ui/shell"} <= rooms


def test_what_is_not_there_once_is_refused() -> None:
    one = mutants()[0]
    with pytest.raises(ValueError, match=f"{one.id}: .* holds `old` 2 times, expected once"):
        one.applied(one.old * 2)
