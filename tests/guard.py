"""One case in a process of its own: how it ends, within limits of time and memory, doing no harm.

The process is forked, so that all is imported already; what it may use is limited by the system,
and an audit hook notes every program started, connection made and file written elsewhere.
"""

import json
import os
import resource
import select
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from mmvae_core.errors import MMVAEError

SECONDS = 3
"""Of processor time; the system ends a process that takes more."""
WAIT = 60
"""Seconds of the clock after which a case counts as waiting for ever: the machine may be busy."""
MEGABYTES = 300
"""Of memory beyond what there was; the system refuses five times as much."""
LONGEST = 2_000
STARTS = {
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty",
    "socket.connect", "socket.bind", "pickle.find_class", "ctypes.dlopen", "webbrowser.open",
}  # fmt: skip
CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Ended:
    """How a case ended: `opened`, `refused`, or in a fault; what was said, what it took."""

    how: str
    said: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def is_fault(self) -> bool:
        return self.how not in ("opened", "refused")


@dataclass
class Tally:
    """How all cases of a kind ended."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    megabytes: float = 0.0

    def add(self, case: object, ended: Ended) -> None:
        self.counts[ended.how if not ended.is_fault else "fault"] += 1
        self.seconds = max(self.seconds, ended.seconds)
        self.megabytes = max(self.megabytes, ended.megabytes)
        if ended.is_fault:
            self.faults.append(f"{case}: {ended.how}: {ended.said}")

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {how}" for how, count in sorted(self.counts.items()))
        return (
            f"{sum(self.counts.values()):,} cases: {counts}; at most {self.seconds:.1f} s of "
            f"processor time and {self.megabytes:.0f} MB"
        )


def ask(
    count: int,
    strategy: SearchStrategy[Any],
    case: Callable[[Any], Ended],
    what: str,
    request: pytest.FixtureRequest,
) -> None:
    """Have so many cases, the same every time; none may end in a fault. The counts are printed."""
    tally = Tally()

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def each(drawn: Any) -> None:
        tally.add(f"{drawn!r:.200}", case(drawn))

    each()
    tell(f"{what}: {tally}", request)
    assert not tally.faults, "\n".join(tally.faults)


def tell(said: str, request: pytest.FixtureRequest) -> None:
    """Print a line, also where pytest holds back what tests print."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{said}")


def guarded(act: Callable[[], Any], inside: Path) -> Ended:
    """Have something done by a process of its own, which may write below `inside` alone."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        told: dict[str, Any] = {"how": "died", "said": ""}
        try:
            os.close(reading)
            told = _done(act, inside)
        finally:
            os.write(writing, json.dumps(told).encode())
            os._exit(0)
    os.close(writing)
    is_there = bool(select.select([reading], [], [], WAIT)[0])
    if not is_there:
        os.kill(process, signal.SIGKILL)
    told = os.read(reading, 1 << 16) if is_there else b""
    os.close(reading)
    _, status, used = os.wait4(process, 0)
    seconds = used.ru_utime + used.ru_stime
    if not told:
        number = os.waitstatus_to_exitcode(status)
        return Ended(f"ended by signal {-number}" if is_there else "waits", seconds=seconds)
    return Ended(**json.loads(told), seconds=seconds)


def _done(act: Callable[[], Any], inside: Path) -> dict[str, Any]:
    sys.dont_write_bytecode = True
    before = _memory("VmRSS")
    space = int(_memory("VmSize") + 5 * MEGABYTES) << 20
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    harm: list[str] = []
    sys.addaudithook(lambda event, given: _note(event, given, inside, harm))
    try:
        act()
        how, said = "opened", ""
    except MMVAEError as error:
        said = str(error)
        is_sentence = said.endswith(".") and len(said) <= LONGEST and said.isprintable()
        how = "refused" if is_sentence else "no sentence"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        how, said = f"{type(error).__name__} at {place}", str(error)
    used = _memory("VmHWM") - before
    if harm:
        how, said = "harm", "; ".join(harm)
    elif used > MEGABYTES:
        how = f"{how}, {used:.0f} MB"
    return {"how": how, "said": said[:LONGEST], "megabytes": used}


def _note(event: str, given: tuple[Any, ...], inside: Path, harm: list[str]) -> None:
    if event in STARTS:
        harm.append(f"{event} {given!r:.200}")
    writes = event == "open" and isinstance(given[0], str | bytes) and bool(given[2] & WRITING)
    if writes or event in CHANGES:
        path = os.path.abspath(os.fsdecode(given[0]))  # noqa: PTH100 (Path audits itself)
        if not path.startswith(str(inside)):
            harm.append(f"{event} {path}")


def _memory(what: str) -> float:
    """Megabytes, as the system tells of this process."""
    line = Path("/proc/self/status").read_text().split(f"{what}:")[1]
    return int(line.split()[0]) / 1024
