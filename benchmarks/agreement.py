"""Results of stacked training next to those of the version before: `python -m benchmarks.agreement FOLDER`.

Both versions run the same settings over the same seeds into FOLDER, and continue what they find there. It takes
about half an hour on two idle cores, most of it the version before.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from alharness.results.statistics import aubc, difference, mean

from . import before
from .commands import ROOT

if TYPE_CHECKING:
    import pandas as pd

SAMPLERS = "samplers=[random, coreset, grace]"
SETTINGS = {
    "digits, `late_fusion`": ("digits_quick", "accuracy", ["seeds=20", SAMPLERS]),
    "SIMSv2 stand-in, `av_mc`": ("simsv2_budget200", "mae", ["seeds=20", SAMPLERS, "reference.full_data=false"]),
    "SIMSv2 stand-in, a tenth of it, `lfmim` (small)": (
        "simsv2_lfmim",
        "mae",
        [
            *("seeds=20", "samplers=[random]", "reference.full_data=false", "dataset.params.stand_in.share=0.1"),
            *("model.params.preset=small", "model.params.width=16", "model.params.heads=2", "training.epochs=5"),
            *("active_learning.initial_pool=40", "active_learning.budget=40", "active_learning.cycles=2"),
        ],
    ),
}
"""What is run: spec, metric, and changes to the spec."""


def cycles(spec: str, changes: list[str], folder: Path, environment: dict[str, str]) -> pd.DataFrame:
    """Run a setting, and read every cycle."""
    alharness = [sys.executable, "-m", "alharness"]
    sets = [word for change in changes for word in ("--set", change)]
    run = [*alharness, "run", f"specs/{spec}.yaml", *sets, "--workdir", str(folder), "--no-tracking"]
    subprocess.run(run, cwd=ROOT, env=environment, check=True)  # noqa: S603 - our own command line
    (found,) = folder.glob(f"{spec}*/")
    table = folder / f"{spec}.csv"
    export = [*alharness, "export", str(found), "--output", str(table)]
    subprocess.run(export, cwd=ROOT, env=environment, check=True)  # noqa: S603 - the same
    import pandas as pd

    return pd.read_csv(table)


def areas(table: pd.DataFrame, metric: str) -> pd.Series[float]:
    """(sampler, seed) -> area under the curve of a metric."""
    curves = table.pivot_table(index=["sampler", "seed"], columns="labeled", values=metric)
    return curves.apply(lambda curve: float(aubc(curves.columns, curve)), axis=1)


def rows(name: str, metric: str, old: pd.DataFrame, new: pd.DataFrame) -> list[str]:
    """A line of the table for each sampler."""
    before, after = areas(old, metric), areas(new, metric)
    found = []
    for sampler in dict.fromkeys(old["sampler"]):
        a, b = before[sampler], after[sampler]
        apart = difference(b, a, lower_is_better=False)
        means = " | ".join(f"{x.value:.4f} ± {x.half:.4f}" for x in (mean(a), mean(b)))
        found.append(f"| {name}, area of {metric} | {sampler} | {means} | {apart.value:+.4f} ± {apart.half:.4f} |")
    return found


def main(folder: Path) -> None:
    """Run everything, and print the table."""
    table = ["| setting | sampler | one by one | stacked | difference |", "| --- | --- | --- | --- | --- |"]
    for name, (spec, metric, changes) in SETTINGS.items():
        old = cycles(spec, changes, folder / "before", before.environment(before.root(None)))
        new = cycles(spec, changes, folder / "now", dict(os.environ))
        table += rows(name, metric, old, new)
    sys.stdout.write("\n".join(table) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
