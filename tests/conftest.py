"""Fixtures of many tests. One thread each, as the tests run in as many workers as there are cores.

Threads that wait for each other on cores that are taken cost up to half of the processor time again.
"""

import os
import sys
from collections.abc import Iterator

os.environ["OMP_NUM_THREADS"] = (
    "1"  # before torch is imported; the servers of the tests take it too
)

import pytest
import torch

from mmvae_core.model import MultimodalVAE
from tests.oracles.linear_gaussian import LinearGaussian


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked `long` runs only where `-m` names it, and as long as it takes."""
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(0))
    if "long" not in config.getoption("-m"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Also after a test of a command that took two."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """A page that a test runs in this process takes the place of `__main__`: give that back.

    Else processes that a later test starts would run the app first.
    """
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def exact() -> LinearGaussian:
    """A linear-Gaussian model of three modalities."""
    return LinearGaussian.random()


@pytest.fixture
def exact_model(exact: LinearGaussian) -> MultimodalVAE:
    """Its model, whose posterior of every subset is exact."""
    return exact.model()
