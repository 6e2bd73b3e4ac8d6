"""The pytest plugin that suites are run with."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from .bench import Bench


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much is measured."""
    group = parser.getgroup("benchmarks")
    group.addoption("--tiny", action="store_true", help="try suites out on tiny problems")
    group.addoption("--no-peers", action="store_true", help="leave other people's programs out")


@pytest.fixture
def bench(benchmark: Any, request: pytest.FixtureRequest) -> Bench:
    """What to measure with, on one thread."""
    torch.set_num_threads(1)
    options = request.config
    return Bench(benchmark, tiny=options.getoption("--tiny"), peers=not options.getoption("--no-peers"))
