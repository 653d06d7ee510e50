"""Progress bars with the time left, on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec

from tqdm import tqdm

from mmvae_core.config import RunConfig

if TYPE_CHECKING:
    from mmvae_core.store.history import EpochReport

Given = ParamSpec("Given")
EachStep = Callable[[int, int], None]


def both(first: Callable[Given, None], second: Callable[Given, None]) -> Callable[Given, None]:
    """One callback that calls two."""

    def call(*args: Given.args, **kwargs: Given.kwargs) -> None:
        first(*args, **kwargs)
        second(*args, **kwargs)

    return call


@contextmanager
def training_bar(
    config: RunConfig, title: str
) -> Iterator[tuple[EachStep, Callable[["EpochReport"], None]]]:
    """Callbacks for `train_run`: a bar over all batches, and the bounds after every epoch."""
    steps = 0
    with tqdm(desc=title, mininterval=1, unit="batch") as bar:

        def each_step(done: int, total: int) -> None:
            nonlocal steps
            steps, bar.total = total, total * config.training.epochs
            bar.update(1)

        def each_epoch(report: "EpochReport") -> None:
            bar.n = report.epoch * steps
            bar.set_postfix_str(
                f"epoch {report.epoch}, validation bound {report.validation_bound:.1f}"
            )

        yield each_step, each_epoch


@contextmanager
def part_bar(title: str) -> Iterator[Callable[[str, float], None]]:
    """A callback (part, fraction done of it) for an evaluation; the bar starts anew per part."""
    with tqdm(total=100, desc=title, bar_format="{l_bar}{bar}| {elapsed}") as bar:

        def each(part: str, fraction: float) -> None:
            bar.n = round(100 * fraction)
            bar.set_description(f"{title}: {part}")

        yield each


@contextmanager
def count_bar(title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, total) for work in equal pieces."""
    with tqdm(desc=title, unit=unit) as bar:

        def each(done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.refresh()

        yield each
