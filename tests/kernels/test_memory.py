"""Peak memory of the kernels, as Linux counts it for a fresh process: tracemalloc does not see torch."""

import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import torch
from alharness.kernels import estimate_mean_distances, k_center, sum_of_distances
torch.set_num_threads(1)
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
def growth(kernel, *args):
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()
    kernel(*args)
    return peak() - before
def distances(X):
    sum_of_distances(X)
def centers(pool, chosen):
    k_center(pool, chosen, 50)
def anchors(X):
    estimate_mean_distances([X, X], torch.arange(0, len(X), len(X) // 500))
distances(torch.randn(700, 512)); anchors(torch.randn(2000, 8))
centers(torch.randn(700, 256), torch.randn(700, 256))
print(growth(distances, torch.randn(12000, 512)))
print(growth(centers, torch.randn(60000, 256), torch.randn(2000, 256)))
print(growth(anchors, torch.randn(60000, 8)))
"""


@pytest.fixture(scope="module")
def growth():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("this system does not let a process reset its peak memory")
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    return dict(
        zip(
            ("sum_of_distances", "k_center", "estimate_mean_distances"),
            map(float, run.stdout.split()),
            strict=True,
        )
    )


def test_sum_of_distances_holds_neither_all_distances_nor_a_copy_of_the_features(growth):
    assert growth["sum_of_distances"] < 20  # MiB; the distances would be 549, a copy of the features 23


def test_k_center_holds_neither_the_distances_to_all_centers_nor_a_copy_of_the_pool(growth):
    assert growth["k_center"] < 30  # MiB; the distances would be 458, a copy of the pool 59


def test_distances_to_anchors_are_never_held_all(growth):
    assert growth["estimate_mean_distances"] < 60  # MiB; all of them would be 229
