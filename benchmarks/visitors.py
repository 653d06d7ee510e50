"""What many visitors cost the server in memory and time: `python -m benchmarks.visitors`.

Opens sessions of the app over the shipped runs, as a browser does but without one, spread over the
pages, and clicks in turn: a modality is switched, and every fourth time another item is chosen. The
server's memory and processor time are read from /proc, so this needs Linux. What is compared are
Streamlit's own collection of garbage after every script run (`collected`) and Python's alone
(`left to Python`), of which `.streamlit/config.toml` has the second:

    python -m benchmarks.visitors --pages masks             # one page
    python -m benchmarks.visitors --clicks 2000             # all pages
    python -m benchmarks.visitors --clicks 100 --sessions 5 # smaller
    python -m benchmarks.visitors --each --clicks 5         # what one session costs

Prints memory on the way; at the end all of it, the first after a round that fills the caches, the
processor time of one click, and the click's time by the clock, its median and 95th percentile.

With `--each` visitors come in waves instead, click so often each, and leave. One of each page came
before and stays, and all of a page click on the same, so that caches are full: what memory grows by
in a wave is the sessions'. Streamlit keeps a session for two minutes after its tab has closed; the
wave after that tells what stayed, as freed memory need not go back to the system.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

from benchmarks.browser import HOME, percentiles, started

PAGES = ("", "masks", "compare", "traverse", "generate", "fusion", "order", "conflict")
WAYS = {"collected": "true", "left to Python": "false"}
MODALITIES = ("handwriting", "photo", "word")
ITEMS = 2_000
MARKS = 8
"""How often memory is printed."""
WAIT_SECONDS = 120
WAVES = 3
KEPT_SECONDS = 130
"""A little more than Streamlit keeps a session whose tab has closed."""


@dataclass
class Visitor:
    """A session on one page: the mask and the item are its own."""

    socket: ClientConnection
    page: str
    random: Random
    script: str = ""
    names: dict[str, str] = field(default_factory=dict)
    mask: set[str] = field(default_factory=lambda: set(MODALITIES))
    item: int = 7

    def click(self, turn: int) -> None:
        """Another item every fourth time, else one modality switched; then wait for the page."""
        if turn % 4 == 3:
            self.item = self.random.randrange(ITEMS)
        else:
            self.mask ^= {self.random.choice(MODALITIES)}
        self.ask()

    def ask(self) -> None:
        """Have the script run with what is chosen, and wait until it has finished."""
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.page_script_hash = self.script
        for own, found in self.names.items():
            state = message.rerun_script.widget_states.widgets.add(id=found)
            self._choose(own, state)
        self.socket.send(message.SerializeToString())
        while self._read() != ForwardMsg.FINISHED_SUCCESSFULLY:
            pass

    def _choose(self, own: str, state: WidgetState) -> None:
        if own == "item":
            state.double_value = self.item
        else:
            state.string_array_value.data.extend(sorted(self.mask))

    def _read(self) -> int | None:
        """Take one message; how the script has finished, if it tells that."""
        message = ForwardMsg.FromString(self.socket.recv(WAIT_SECONDS))
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.script = message.new_session.page_script_hash
        elif kind == "delta":
            element = message.delta.new_element
            inside = getattr(element, element.WhichOneof("type") or "", None)
            name = getattr(inside, "id", "")
            own = name.rpartition("-")[2]
            if own in ("mask", "item"):
                self.names[own] = name
        return message.script_finished if kind == "script_finished" else None


@dataclass(frozen=True)
class Server:
    """What the system says of a process."""

    process: int

    def megabytes(self) -> float:
        """Memory that is its own and in use."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def seconds(self) -> float:
        """Processor time up to now."""
        figures = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(figures[11]) + int(figures[12])) / os.sysconf("SC_CLK_TCK")


def measure(collect: str, pages: Sequence[str], sessions: int, clicks: int) -> str:
    """One line of figures of a fresh server with this value of `runner.postScriptGC`."""
    options = ("--runner.postScriptGC", collect)
    with (
        started(HOME / "app.py", options=options) as (address, process),
        ExitStack() as open_sockets,
    ):
        server = Server(process)
        visitors = [
            enter(open_sockets, address, pages[one % len(pages)], one) for one in range(sessions)
        ]
        memory, took = [], []
        for visitor in visitors:
            visitor.click(0)
        memory.append(server.megabytes())
        before = server.seconds()
        for turn in range(clicks):
            visitor = visitors[turn % sessions]
            took.append(timed(lambda: visitor.click(turn // sessions)))  # noqa: B023
            if (turn + 1) % max(1, clicks // MARKS) == 0:
                memory.append(server.megabytes())
                print(f"{turn + 1:>14,} clicks: {memory[-1]:.0f} MiB", flush=True)
        used = 1_000 * (server.seconds() - before) / clicks
    marks = " ".join(f"{one:.0f}" for one in memory)
    return f"memory {marks} MiB; {used:.0f} ms of processor a click; clicks {percentiles(took)}"


def each(collect: str, pages: Sequence[str], sessions: int, clicks: int) -> str:
    """What one session costs, and what is left of it, of a fresh server."""
    options = ("--runner.postScriptGC", collect)
    with (
        started(HOME / "app.py", options=options) as (address, process),
        ExitStack() as staying,
    ):
        server, memory = Server(process), []

        def come(count: int, stack: ExitStack) -> None:
            for one in range(count):
                page = one % len(pages)
                visitor = enter(stack, address, pages[page], page)
                for turn in range(clicks):
                    visitor.click(turn)

        def mark(what: str) -> None:
            memory.append(server.megabytes())
            print(f"{what:>14}: {memory[-1]:.0f} MiB", flush=True)

        for _ in range(2):
            come(len(pages), staying)
        mark("before")
        for wave in range(WAVES):
            with ExitStack() as leaving:
                come(sessions, leaving)
                mark(f"wave {wave + 1}")
            time.sleep(KEPT_SECONDS)
            come(1, staying)  # Streamlit forgets old sessions when a new one comes
            mark("they left")
    before, first, _, *later = memory
    stays = (later[-1] - memory[2]) / ((WAVES - 1) * sessions)
    return (
        f"{(first - before) / sessions:.1f} MiB a session while it is open; of each further one "
        f"{stays:.2f} MiB stay when it has left"
    )


def enter(open_sockets: ExitStack, address: str, page: str, seed: int) -> Visitor:
    """A visitor whose page is there."""
    stream = f"{address.replace('http', 'ws')}/_stcore/stream"
    socket = connect(stream, subprotocols=[Subprotocol("streamlit")], max_size=None)
    visitor = Visitor(open_sockets.enter_context(socket), page, Random(seed))
    visitor.ask()
    return visitor


def timed(act: Callable[[], None]) -> float:
    """Milliseconds of the clock that it takes."""
    start = time.perf_counter()
    act()
    return 1_000 * (time.perf_counter() - start)


def main() -> None:
    """Measure each way on a fresh server, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=2_000)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--pages", nargs="+", default=list(PAGES), choices=PAGES)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--each", action="store_true", help="What one session costs.")
    chosen = parser.parse_args()
    print(f"{chosen.clicks} clicks of {chosen.sessions} sessions; load {os.getloadavg()[0]:.1f}")
    for way in chosen.ways:
        ask = each if chosen.each else measure
        figures = ask(WAYS[way], chosen.pages, chosen.sessions, chosen.clicks)
        print(f"{way:>14}: {figures}", flush=True)


if __name__ == "__main__":
    main()
