"""Trainings of visitors take turns, end and stop."""

import threading
import time

import pytest

from mmvae_core.errors import RunError, UsageError
from mmvae_core.explore.turns import Course, Places

SOON = 20.0


class Counted:
    """Something to play: counts its ticks, and waits in each until it may go on."""

    def __init__(self, last: int = 5) -> None:
        self.count, self.last = 0, last
        self.may = threading.Event()
        self.may.set()

    @property
    def done(self) -> bool:
        return self.count >= self.last

    def advance(self) -> None:
        self.may.wait(SOON)
        self.count += 1


def until(true, seconds: float = SOON) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return False


def test_a_course_ends_with_its_budget() -> None:
    played = Counted(last=5)
    course = Course(lambda: played, Places())
    course.play()
    course.join(SOON)
    assert (played.count, course.over, course.runs, course.left) == (5, True, False, False)
    course.play()
    assert not course.runs


def test_a_step_is_one_tick_and_a_pause_stops() -> None:
    played = Counted(last=1_000)
    course = Course(lambda: played, Places())
    for count in (1, 2):
        course.play(1)
        course.join(SOON)
        assert played.count == count
    course.play()
    assert until(lambda: played.count > 3)
    course.pause()
    course.join(SOON)
    assert not course.runs
    assert 3 < played.count < 1_000


def test_the_time_budget_ends_a_course() -> None:
    played = Counted(last=1_000_000)
    course = Course(lambda: played, Places(), most_seconds=0.0)
    course.play()
    course.join(SOON)
    assert (course.over, played.count) == (True, 0)


def test_who_is_not_seen_has_left() -> None:
    played = Counted(last=1_000_000)
    course = Course(lambda: played, Places(), left_after=0.1)
    course.play()
    course.join(SOON)
    assert course.left
    assert not course.runs
    assert not course.over
    course.left_after, before = SOON, played.count
    course.play(1)  # who comes back goes on
    course.join(SOON)
    assert played.count == before + 1


def test_so_many_at_once_and_the_others_in_order() -> None:
    places = Places(2)
    played = [Counted(last=1) for _ in range(4)]
    for one in played:
        one.may.clear()
    courses = [Course(lambda one=one: one, places) for one in played]
    for course in courses:
        course.play()
        assert until(lambda course=course: course.played is not None or course.waits)
    assert [course.waits for course in courses] == [0, 0, 1, 2]
    assert [course.played is not None for course in courses] == [True, True, False, False]
    played[1].may.set()
    assert until(lambda: courses[2].played is not None)
    assert until(lambda: courses[3].waits == 1)
    for one in played:
        one.may.set()
    for course in courses:
        course.join(SOON)
    assert [one.count for one in played] == [1, 1, 1, 1]


def test_a_paused_course_lets_the_next_in() -> None:
    places = Places(1)
    first, second = Counted(1_000), Counted(1)
    one, other = Course(lambda: first, places), Course(lambda: second, places)
    one.play()
    assert until(lambda: first.count > 0)
    other.play()
    assert until(lambda: other.waits == 1)
    one.pause()
    other.join(SOON)
    assert second.count == 1
    one.join(SOON)


def test_what_fails_says_why() -> None:
    def broken() -> Counted:
        raise RunError("The training diverged.")

    course = Course(broken, Places())
    course.play()
    course.join(SOON)
    assert (course.fault, course.over, course.runs) == ("The training diverged.", True, False)


def test_no_place_at_all_is_an_error() -> None:
    with pytest.raises(UsageError, match="0 trainings at once were asked for, expected 1"):
        Places(0)
