"""Trainings that visitors start: each in a thread of its own, few at once, the others in a queue.

A `Course` plays, steps and pauses what it is given; it ends when its budget is spent, and leaves
when nobody has looked at it for a while. It holds one of the `Places` only while it computes, so
that a paused one lets the next in.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from mmvae_core.errors import MMVAEError, UsageError

AT_ONCE = 2
LEFT_SECONDS, MOST_SECONDS = 6.0, 300.0
"""Unseen for so long, a visitor has left; and the computing time after which a course is over."""
BREATH_SECONDS, SLOW_SECONDS = 0.02, 0.6
"""Pauses between two ticks, in which others' clicks are answered."""
LOOK_SECONDS = 0.1


class Advancing(Protocol):
    """What a course plays: a `Race`, for example."""

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        ...

    def advance(self) -> object:
        """Do the next tick."""
        ...


Played = TypeVar("Played", bound=Advancing)


class Places:
    """First come, first served: so many may compute at once."""

    def __init__(self, count: int = AT_ONCE) -> None:
        if count < 1:
            raise UsageError(f"{count} trainings at once were asked for, expected 1 or more.")
        self.count = count
        self._line: list[object] = []
        self._lock = threading.Lock()

    def before(self, who: object) -> int:
        """How many wait or compute before one that could begin otherwise; 0 for who may compute.

        Who is not in the line yet joins it.
        """
        with self._lock:
            if not any(one is who for one in self._line):
                self._line.append(who)
            at = next(index for index, one in enumerate(self._line) if one is who)
            return max(0, at - self.count + 1)

    def leave(self, who: object) -> None:
        """Make room for the next."""
        with self._lock:
            self._line = [one for one in self._line if one is not who]


class Course(Generic[Played]):
    """One visitor's training; all methods return at once."""

    def __init__(
        self,
        make: Callable[[], Played],
        places: Places,
        left_after: float = LEFT_SECONDS,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        self._make, self._places = make, places
        self.left_after, self._most = left_after, most_seconds
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._wanted = 0.0
        self._seen = time.monotonic()
        self.played: Played | None = None
        self.seconds, self.slow = 0.0, False
        self.waits, self.left = 0, False
        self.fault = ""

    @property
    def runs(self) -> bool:
        """Whether it computes or waits for its turn."""
        return self._worker is not None and self._worker.is_alive()

    @property
    def over(self) -> bool:
        """Whether its steps or its time are spent, or it failed."""
        spent = self.seconds >= self._most
        return bool(self.fault) or spent or (self.played is not None and self.played.done)

    def see(self) -> None:
        """The visitor is still there."""
        self._seen = time.monotonic()

    def play(self, ticks: float = float("inf")) -> None:
        """Do so many ticks more, all there are if no number is given."""
        self.see()
        with self._lock:
            self._wanted, self.left = ticks, False
            if not self.runs and not self.over:
                self._worker = threading.Thread(target=self._work, daemon=True)
                self._worker.start()

    def pause(self) -> None:
        """Stop after the tick that is being done."""
        self._wanted = 0.0

    def join(self, seconds: float) -> None:
        """Wait until it rests, for so long at most."""
        if self._worker is not None:
            self._worker.join(seconds)

    def _goes_on(self) -> bool:
        self.left = self.left or time.monotonic() - self._seen > self.left_after
        return self._wanted > 0 and not self.left and not self.over

    def _work(self) -> None:
        try:
            while self._goes_on():
                self.waits = self._places.before(self)
                if self.waits:
                    time.sleep(LOOK_SECONDS)
                else:
                    self._tick()
        except MMVAEError as error:
            self.fault = str(error)
        finally:
            self.waits = 0
            self._places.leave(self)

    def _tick(self) -> None:
        started = time.monotonic()
        if self.played is None:
            self.played = self._make()
        else:
            self.played.advance()
            self._wanted -= 1
        self.seconds += time.monotonic() - started
        time.sleep(SLOW_SECONDS if self.slow else BREATH_SECONDS)
