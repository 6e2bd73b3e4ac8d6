"""The conformance matrix: what each strategy keeps to, and what it takes.

    python -m alharness_skactiveml.matrix docs/reference/skactiveml.md

writes it for the installed version of scikit-activeml into the page, next to those of other versions, strategy by
strategy. With `--part checks` or `--part costs` the other columns stay as they are.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from alharness import Task

from . import params as of
from .cases import case_of, probable
from .checks import CHECKS, SECOND, SPECIAL, examine
from .laws import LAWS
from .plugin import STRATEGIES
from .sampler import Case, choose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .checks import Fault
    from .params import StrategyParams

    Array = NDArray[np.float64]

LARGE, WIDE, BATCH, LABELS = 17_000, 768, 50, 200
"""Samples, features, picks and labels of what is measured."""
PATIENCE, MEMORY = 60, 8
"""Seconds, and GiB beyond what is there before, at which a measurement is given up."""


def cost(name: str, unlabeled: int = LARGE, width: int = WIDE) -> tuple[str, str]:
    """Seconds and MiB beyond the data, in a process of its own; why not, if it does not end."""
    module = f"{__package__}.matrix"
    command = [sys.executable, "-m", module, "--measure", name, "--size", str(unlabeled), str(width)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE + 20, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"> {PATIENCE}", UNKNOWN
    if "MemoryError" in done.stderr:
        return UNKNOWN, f"> {MEMORY * 1024:,}"
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:60], UNKNOWN
    seconds, mib = json.loads(done.stdout.splitlines()[-1])
    return (f"> {PATIENCE}" if seconds > PATIENCE else f"{seconds:.2g}"), f"{mib:,.0f}"


def _measured(name: str, unlabeled: int, width: int) -> tuple[float, float]:
    tasks, *_ = STRATEGIES[name]
    made: StrategyParams = getattr(of, name)()
    rng = np.random.default_rng(0)
    task = min(tasks)
    classes = 3 if task == Task.CLASSIFICATION else 0
    small = case_of(made, task, 12, 4, 3)
    choose(made, small, 2, 0)  # imports, and what is made once
    x = rng.normal(size=(unlabeled + LABELS, width))
    members = 10 if made.model == "ensemble" else 1
    draws = rng.normal(size=(members, len(x), classes or 1))
    draws = probable(draws) if classes else draws
    case = Case(
        x=x,
        targets=rng.integers(3, size=LABELS).astype(np.float64),
        classes=classes,
        predictions=None if small.predictions is None else draws[:, LABELS:] if members > 1 else draws[0],
        predict=small.predict,
    )
    if LINUX:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY * 2**30,) * 2)
    before, began = _peak(), time.perf_counter()
    choose(made, case, BATCH, 0)
    return time.perf_counter() - began, _peak() - before


LINUX = sys.platform == "linux"


def _peak() -> float:
    """Largest resident memory until now, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**10 if LINUX else 2**20)


# The page

COLUMNS = ("strategy", *CHECKS, "seconds", "MiB")
UNKNOWN = "–"
START, END = "<!-- matrix -->", "<!-- end of matrix -->"


@dataclass
class Line:
    """A strategy in the matrix: what its cells say, and what its faults are, as Markdown."""

    cells: list[str]
    faults: list[str]

    @classmethod
    def of(cls, name: str) -> Line:
        """Nothing is known of it."""
        return cls([name, *[UNKNOWN] * (len(COLUMNS) - 1)], [])

    def check(self, params: type[StrategyParams]) -> None:
        """Examine it."""
        self.faults = []
        for column, check in enumerate(CHECKS, 1):
            if check == SECOND and params.strategy not in LAWS:
                continue
            made = params(**(SPECIAL.get(params, {}) if check == SECOND else {}))
            fault = examine(made, check)
            self.cells[column] = "no" if fault else "yes"
            if fault:
                self.faults.append(shown(made, check, fault))


def shown(params: StrategyParams, check: str, fault: Fault) -> str:
    """A fault and the smallest input that shows it, as Markdown; the code prints the fault."""
    case, name = fault.case, type(params).__name__
    given = [f"x={_code(case.x)}", f"targets={_code(case.targets)}", f"classes={case.classes}"]
    if case.predictions is not None:
        given.append(f"predictions={_code(case.predictions)}")
    if case.predict is not None:
        given.append("predict=cases.plain")
    settings = ", ".join(f"{key}={value!r}" for key, value in params.model_dump(exclude_defaults=True).items())
    body = "".join(f"    {argument},\n" for argument in given)
    return (
        f"**`{name.lower()}`, {check}**: {fault.text}\n\n```python\ncase = Case(\n{body})\n"
        f'print(checks.CHECKS["{check}"](params.{name}({settings}), case))\n```'
    )


def _code(values: Array) -> str:
    return f"np.array({values.tolist()})"


def read(page: str) -> dict[str, Line]:
    """Strategy -> its line in the section of the installed version; empty if there is none."""
    for section in _sections(page):
        if section.startswith(_title() + "\n"):
            rows = [[cell.strip() for cell in row.split("|")] for row in re.findall(r"(?m)^\| (`.*) \|$", section)]
            faults = re.split(r"(?m)^(?=\*\*`)", section)[1:]
            return {
                row[0]: Line(row, [fault.strip() for fault in faults if fault.startswith(f"**{row[0]},")])
                for row in rows
            }
    return {}


def written(page: str, lines: Iterable[Line]) -> str:
    """The page with these lines as the section of the installed version, before those of others."""
    table = [f"| {' | '.join(cells)} |" for cells in (COLUMNS, ["---"] * len(COLUMNS))]
    faults = []
    for line in lines:
        table.append(f"| {' | '.join(line.cells)} |")
        faults += line.faults
    made = "\n\n".join([_title(), "\n".join(table), *faults])
    others = [section for section in _sections(page) if not section.startswith(_title() + "\n")]
    before, after = page.partition(START)[0], page.partition(END)[2]
    return f"{before}{START}\n\n" + "\n\n".join([made, *others]) + f"\n\n{END}{after}"


def _title() -> str:
    return f"### scikit-activeml {version('scikit-activeml')}"


def _sections(page: str) -> list[str]:
    inside = page.partition(START)[2].partition(END)[0]
    return [part.strip() for part in re.split(r"(?m)^(?=### )", inside) if part.strip()]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m alharness_skactiveml.matrix", description=__doc__)
    parser.add_argument("page", nargs="?", type=Path, help="the page that holds it; without one it is printed")
    parser.add_argument(
        "--only", action="append", default=[], metavar="CLASS", help="only this strategy; repeatable"
    )
    parser.add_argument("--part", choices=("checks", "costs"), help="only the checks, or only time and memory")
    parser.add_argument("--measure", metavar="CLASS", help=argparse.SUPPRESS)
    parser.add_argument("--size", nargs=2, type=int, default=(LARGE, WIDE), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        warnings.simplefilter("ignore")
        with threadpool_limits(1):
            sys.stdout.write(json.dumps(_measured(given.measure, *given.size)) + "\n")
        return
    text = given.page.read_text(encoding="utf-8") if given.page else ""
    known = read(text)
    names = {strategy: f"`{strategy.lower()}`" for strategy in STRATEGIES}
    lines = {strategy: known.get(name) or Line.of(name) for strategy, name in names.items()}
    for strategy, line in lines.items():
        if given.only and strategy not in given.only:
            continue
        if given.part != "costs":
            line.check(getattr(of, strategy))
        if given.part != "checks":
            line.cells[-2:] = cost(strategy)
        sys.stderr.write(" ".join(line.cells) + "\n")
        if given.page:
            given.page.write_text(written(text, lines.values()), encoding="utf-8")
    if not given.page:
        sys.stdout.write(written("", lines.values()) + "\n")


if __name__ == "__main__":
    main()
