"""Peak memory of the seeding, as Linux counts it for a fresh process: tracemalloc does not see torch."""

import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import torch
from alharness.kernels import k_means_plus_plus
torch.set_num_threads(1)
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
def seed(n, d, k):
    q, h, uniforms = torch.randn(n, 7), torch.randn(n, d), torch.rand(n)
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()
    k_means_plus_plus(q, h, k, uniforms)
    return peak() - before
seed(700, 256, 20)
print(seed(60000, 256, 50))
"""


def test_holds_neither_the_embeddings_nor_a_copy_of_the_factors():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("this system does not let a process reset its peak memory")
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 30  # MiB; the embeddings would be 410, a copy of the right factors 59
