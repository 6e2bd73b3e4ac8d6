"""`python -m benchmarks`: run the suites, write the page, and fail if a bound is missed."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from . import machine, page

HERE = Path(__file__).parent


def main() -> int:
    """0: all bounds are met; 1: one is missed; 2: a suite could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", type=Path, default=[HERE / "suites"], help="files or folders")
    parser.add_argument(
        "--page", type=Path, default=HERE.parent / "docs" / "explanation" / "speed.md", help="where to write"
    )
    parser.add_argument("--results", type=Path, default=HERE.parent / ".benchmarks" / "results.json")
    parser.add_argument("--tiny", action="store_true", help="try it out in seconds; the figures mean nothing")
    parser.add_argument("--no-peers", action="store_true", help="leave other people's programs out")
    chosen = parser.parse_args()
    chosen.results.parent.mkdir(parents=True, exist_ok=True)
    flags = [name for name in ("--tiny", "--no-peers") if getattr(chosen, name.strip("-").replace("-", "_"))]
    # A process of its own: numerical libraries read their number of threads when they are loaded. It measures, so
    # it is no part of a test run on several cores that may have started it.
    around = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    suites = subprocess.run(  # noqa: S603 - our own command line
        [
            *(sys.executable, "-m", "pytest", "--import-mode=prepend"),
            *("-p", "benchmarks.fixtures", "-p", "no:xdist"),
            *("--benchmark-only", "--benchmark-columns=median,rounds", f"--benchmark-json={chosen.results}"),
            *flags,
            *map(str, chosen.suites),
        ],
        env={**around, **machine.ONE_THREAD, "OMP_WAIT_POLICY": "passive"},
        check=False,
    )
    if suites.returncode != 0:
        print("a suite could not be run; the page is as it was", file=sys.stderr)
        return 2
    rows = page.read(chosen.results)
    page.write(chosen.page, rows)
    missed = list(page.verdict(rows))
    print(*missed, f"{len(rows)} rows in {chosen.page}, {len(missed)} bounds missed", sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
