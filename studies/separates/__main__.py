"""What separates samplers: every data set, samplers over 20 seeds, and the page that says what was shown.

Runs the specs of this folder, and continues what it finds; then writes the tables and the picture of
docs/explanation/what-separates-samplers.md from the journals.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from alharness.errors import RunError
from alharness.interface import load
from alharness.results.statistics import ENOUGH
from benchmarks.page import put

from .page import draw, tables
from .setting import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs/explanation/what-separates-samplers.md"
SPECS = ("real", "theme", "houses", "views", "worlds", "standins", "emotions")
"""Files of this folder, in the order of the page."""
PICTURE = ROOT / "docs/images/what-separates-samplers.png"


def run(folder: Path, jobs: str) -> None:
    """Run all specs, and continue what is there. What fails is named, and does not stop the others."""
    mfeat = ROOT / "data/mfeat"
    if not mfeat.exists():
        _alharness("data", "import", "mfeat", "--download", "--out", str(mfeat))
    for spec in SPECS:
        _alharness("run", str(HERE / f"{spec}.yaml"), "--workdir", str(folder), "--jobs", jobs)


def _alharness(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "alharness", *words], check=False)  # noqa: S603 - our own words
    if done.returncode == 130:
        sys.exit(130)
    if done.returncode:
        print(f"warning: `alharness {' '.join(words)}` ended with {done.returncode}", file=sys.stderr)


def settings(folder: Path) -> Iterator[Setting]:
    """The runs in a folder, in the order of the specs."""
    for spec in SPECS:
        try:
            found = load(HERE / f"{spec}.yaml", workdir=folder)
        except RunError as error:
            print(f"warning: {spec} is left out: {error}", file=sys.stderr)
            continue
        for name, results in found.runs.items():
            if results.random is None or len(results.basis.shared(*results.labels)) < ENOUGH:
                print(f"warning: {name} is left out: fewer than {ENOUGH} seeds are complete", file=sys.stderr)
                continue
            short = name.removeprefix("separates-").removesuffix("-standin")
            yield Setting(name=short.replace("preset-", "worlds-"), results=results)


def main(words: Sequence[str] | None = None) -> None:
    """Run what is not finished, unless the page alone is wanted, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m studies.separates", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "runs/separates", help="of the runs")
    parser.add_argument("--jobs", "-j", default="1", help="as `alharness run` takes it")
    parser.add_argument("--page", action="store_true", help="run nothing, and write what is there")
    chosen = parser.parse_args(words)
    folder = chosen.folder.absolute()
    if not chosen.page:
        run(folder, chosen.jobs)
    found = list(settings(folder))
    if not found:
        parser.error(f"{folder} holds no complete run of the study")
    put(tables(found), PAGE)
    draw(found, PICTURE)


if __name__ == "__main__":
    main()
