"""The coordinating process is killed, or meets a full disk, at every pass of every point; then it runs again.

Workers are made up here, so that nothing is trained; `tests/integration/test_kills.py` kills the whole command.
"""

import json
import os
from itertools import count

import pytest

from alharness import faults
from alharness.api.executor import Finished, FirstFit
from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.engine.pool import Pool
from alharness.runs import saved
from alharness.runs.claims import Claims
from alharness.runs.coordinator import Coordinator
from alharness.runs.directory import RunDirectory
from alharness.runs.files import write
from alharness.runs.messages import SeedFacts

CELLS = tuple(
    Cell(label=label, sampler=label, params={}, distribution="d==1", seed=0, key=label * 8) for label in "ab"
)
POOL = Pool(("x0", "x1", "y0", "y1", "y2"), (2, 3, 4))
FACTS = {0: SeedFacts(context={"data": "d"}, initial=POOL, fits={False: "first"})}


def cycle(number):
    chosen = (f"x{number}",) if number < 2 else ()
    return CycleRecord(cycle=number, labeled=3 + number, metrics={"f1": 0.5}, chosen=chosen)


def run(folder):
    """What a run writes, in the order of a run."""
    schedule = Schedule(initial_pool=3, sizes=(1, 1))
    plan = Plan(name="x", experiment="x-1", folder=folder, schedule=schedule, pool=9, cells=CELLS)
    groups = [[CELLS]]
    with Claims(RunDirectory(folder), print) as claims:
        claims.claim(CELLS)
        coordinator = Coordinator(
            plan,
            claims,
            lambda: groups.pop() if groups else (),
            seeds=FACTS,
            action="run",
            restart=False,
            exclusive=True,
            emit=lambda *_, **__: None,
            warn=lambda _: None,
        )
        with claims.writing():
            write(folder / "spec.yaml", "name: x\n")
            saved.begin(plan, CELLS)
        coordinator.proceed()
        while (group := coordinator.take()) is not None:
            if (0, False) not in group.fits:
                coordinator.receive(FirstFit(seed=0, everything=False, content=b"model"))
            for number in range(3):
                for cell in group.cells:
                    if number >= len(group.chosen[cell.name]) and cell not in coordinator.outcomes:
                        coordinator.receive(Finished(cell=cell, cycle=cycle(number)))
            for cell in group.cells:
                if cell not in coordinator.outcomes:
                    coordinator.receive(Outcome(cell=cell, status="ok"))
        with claims.writing():
            saved.conclude(plan, list(coordinator.outcomes.values()))
    assert all(outcome.status == "ok" for outcome in coordinator.outcomes.values())


def run_in_child(folder, fault):
    """Exit code of a process that runs; minus the number of the signal that ended it."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        os.environ[faults.VARIABLE] = fault
        faults._passed.clear()
        run(folder)
        code = 0
    finally:
        os._exit(code)


def journals(folder):
    """Journals without what was measured; of a last line that is torn, nothing."""
    found = {}
    for path in folder.glob("cells/*/journal.jsonl"):
        *lines, _ = path.read_bytes().split(b"\n")
        found[path.parent.name] = [{**json.loads(line), "measured": None} for line in lines]
    return found


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing happened to; what children need is imported with it."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("point", ["write", "rename", "append", "appended", "fit"])
def test_case_03_and_case_11_whenever_a_run_is_lost_the_next_one_completes_it(whole, tmp_path, point):
    """Case 3: it is killed. Case 11: the disk is full."""
    for number in count(1):
        for kind in ("kill", "full"):
            folder = tmp_path / f"{number}-{kind}"
            code = run_in_child(folder, f"{point}:{number}:{kind}")
            if kind == "kill" and code != -9:
                assert (code, number > 1) == (0, True)
                return
            assert all(lines == journals(whole)[cell][: len(lines)] for cell, lines in journals(folder).items())
            run(folder)
            assert (journals(folder), names(folder)) == (journals(whole), names(whole))
