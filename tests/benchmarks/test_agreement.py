import pytest

from alharness import registry, spec
from benchmarks.agreement import SETTINGS, rows
from benchmarks.commands import ROOT


def table(offset):
    import pandas as pd

    cells = [(sampler, seed, n) for sampler in ("random", "grace") for seed in range(3) for n in (10, 20, 40)]
    return pd.DataFrame(
        [
            {"sampler": sampler, "seed": seed, "labeled": n, "mae": 0.5 + 0.01 * seed + offset * (seed + 1)}
            for sampler, seed, n in cells
        ]
    )


def test_a_line_has_both_means_and_their_difference_paired_by_seed():
    first, second = rows("toy", "mae", table(0.0), table(0.01))
    assert first == "| toy, area of mae | random | 0.5100 ± 0.0248 | 0.5300 ± 0.0497 | +0.0200 ± 0.0248 |"
    assert second == first.replace("random", "grace")


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_are_right(name):
    path, metric, changes = SETTINGS[name]
    found = spec.load(ROOT / "specs" / f"{path}.yaml", registry.load(), changes)
    assert len(found.seeds) == 20
    assert metric in ("accuracy", "mae")
