import sys
from pathlib import Path

import pytest

from benchmarks.bench import Kernel
from benchmarks.memory import peak_memory
from benchmarks.problems import Pool

ALLOCATING = """
import numpy as np

def prepare(problem):
    inputs = np.ones(problem.N * 125_000)  # 8 bytes a number: 1 MB for each N
    def call():
        return np.ones(problem.N * 125_000).sum() + inputs.sum()
    return call
"""


@pytest.fixture
def allocating(tmp_path, monkeypatch):
    (tmp_path / "allocating.py").write_text(ALLOCATING)
    monkeypatch.syspath_prepend(tmp_path)
    import allocating

    yield Kernel(name="allocating", prepare=allocating.prepare)
    sys.modules.pop("allocating")


def test_memory_is_what_a_call_takes_beyond_its_inputs(allocating):
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("this system does not let a process reset its peak memory")
    assert 58 < peak_memory(allocating, Pool(N=60, D=1)) < 65  # MB
