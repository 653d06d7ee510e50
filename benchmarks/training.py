"""What trainings in the page cost: `python -m benchmarks.training`.

Trains aggregators side by side on a toy world, 200 steps of each, as a visitor's Play does but
without pauses, and prints seconds by the clock and of the processor, and of steps a second:

    python -m benchmarks.training                        # PoE, MoE, SumPooling, SelfAttention
    python -m benchmarks.training --rules poe mopoe      # others
    python -m benchmarks.training --world clusters       # on the world of clusters

With `--beside` a second training runs in another thread, and it prints how long a thread that only
wants a thousandth of a second waits for it, as the thread of another visitor's click would.
"""

import argparse
import threading
import time

import torch

from mmvae_core.explore.toy_grounds import AGGREGATORS, STEPS, Plan
from mmvae_core.explore.toy_training import Race
from mmvae_core.explore.turns import Course, Places

FOUR = ("poe", "moe", "sum_pooling", "self_attention")
WANTED_STEPS = 200
CLICK_SECONDS, BETWEEN_SECONDS = 0.001, 0.05


def trained(plan: Plan) -> None:
    """Time so many steps."""
    race = Race(plan)
    race.advance()  # what is only done once is not timed
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(WANTED_STEPS // STEPS):
        race.advance()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{WANTED_STEPS} steps of {', '.join(plan.aggregators)}: {wall:.1f} s by the clock, "
        f"{cpu:.1f} s of the processor, {WANTED_STEPS / cpu:.0f} steps of all a second of it"
    )


def beside(plan: Plan) -> None:
    """Time a click's little work while two trainings play."""
    places = Places()
    courses = [Course(lambda: Race(plan), places, left_after=1e9) for _ in range(2)]
    waits = [_waits(40)]
    for course in courses:
        course.play()
    while any(course.played is None for course in courses):
        time.sleep(0.1)
    waits.append(_waits(100))
    for course in courses:
        course.pause()
        course.join(60)
    for name, found in zip(("alone", "beside two trainings"), waits, strict=True):
        print(
            f"a click's thread, {name}: median {found[len(found) // 2]:.1f} ms, highest {found[-1]:.1f} ms"
        )


def _waits(count: int) -> list[float]:
    """Milliseconds that so much work takes, in order of size."""
    found = []
    for _ in range(count):
        started = time.perf_counter()
        worker = threading.Thread(target=_click)
        worker.start()
        worker.join()
        found.append(1e3 * (time.perf_counter() - started))
        time.sleep(BETWEEN_SECONDS)
    return sorted(found)


def _click() -> None:
    end = time.thread_time() + CLICK_SECONDS
    while time.thread_time() < end:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="two")
    parser.add_argument("--rules", nargs="+", default=FOUR, choices=AGGREGATORS)
    parser.add_argument("--beside", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    plan = Plan(world=given.world, aggregators=tuple(given.rules))
    if given.beside:
        beside(plan)
    else:
        trained(plan)


if __name__ == "__main__":
    main()
