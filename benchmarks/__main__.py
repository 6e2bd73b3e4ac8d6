"""`python -m benchmarks`: measure rows, renew them on the page, and fail if a bound is missed."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .commands import ONE_THREAD, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .bench import Bench
    from .rows import Row

FIGURES, PAGE = ROOT / "benchmarks" / "figures.json", ROOT / "docs" / "explanation" / "speed.md"


def main() -> int:
    """0: all bounds are met; 1: one is missed; 2: a row could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=_pattern, default="", metavar="REGEX", help="the rows with such a name")
    parser.add_argument("--list", action="store_true", help="name the rows, with the seconds that each took")
    parser.add_argument("--tiny", action="store_true", help="try it out: print tables, keep nothing")
    parser.add_argument("--no-peers", action="store_true", help="leave other people's programs out")
    parser.add_argument("--before", type=Path, metavar="PATH", help="a folder with the version before stacks")
    chosen = parser.parse_args()

    # Numerical libraries read their number of threads when they are loaded, which happens from here on.
    os.environ.update({**ONE_THREAD, "OMP_WAIT_POLICY": "passive"})
    import torch

    from . import page
    from .bench import Bench
    from .suites import ROWS

    torch.set_num_threads(1)
    wanted = {name: measure for name, measure in ROWS.items() if re.search(chosen.only, name)}
    if not wanted:
        parser.error(f"--only {chosen.only.pattern}: no row has such a name; there are: {'; '.join(ROWS)}")
    known = page.read(FIGURES)
    if chosen.list:
        for name in wanted:
            took = f"{known[name].took:.0f} s" if name in known else "new"
            print(f"{took:>6}  {name}")
        return 0
    found: dict[str, Row] = {}
    for name, row in measured(wanted, Bench(tiny=chosen.tiny, peers=not chosen.no_peers, before=chosen.before)):
        found[name] = row
        if row.missing and name in known and not known[name].missing:
            print(f"{name}: its reference cannot be measured here, so its figures stay as they were")
        elif not chosen.tiny:
            known[name] = row
            page.keep({name: known[name] for name in ROWS if name in known}, FIGURES, PAGE)
    if chosen.tiny:
        print(page.tables(found.values()))
    missed = sum(len(row.missed) for row in found.values())
    print(f"{len(found)} of {len(wanted)} rows measured, {missed} bounds missed")
    return 2 if len(found) < len(wanted) else 1 if missed else 0


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error


def measured(wanted: Mapping[str, Callable[[Bench], Row]], bench: Bench) -> Iterator[tuple[str, Row]]:
    """Each row as soon as it is measured. One that fails is left out, and says why."""
    from .page import machine

    for name, measure in wanted.items():
        print(f"{name} ...", flush=True)
        began = time.monotonic()
        try:
            row = measure(bench)
        except Exception:  # noqa: BLE001 - whatever another program raises, the other rows are measured
            traceback.print_exc()
            continue
        took = round(time.monotonic() - began, 1)
        for bound in row.missed:
            print(f"FAIL: {row.work}, {row.reference or 'alone'}: {bound.text}, found {bound.found}")
        print(f"{name}: {took:.0f} s", flush=True)
        yield name, replace(row, date=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine(), took=took)


if __name__ == "__main__":
    sys.exit(main())
