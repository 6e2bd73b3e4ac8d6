"""The local executor with made-up processes, which say what a test has them say."""

from multiprocessing import Pipe

import pytest

from alharness.api.executor import Finished, Group, Warned
from alharness.api.records import Cell, CycleRecord, Outcome
from alharness.runs.local import LocalExecutor
from alharness.runs.messages import Begun, Continue, Done
from alharness.spec.settings import LimitsSettings


def cell(label):
    return Cell(label=label, sampler=label, params={}, distribution="", seed=0, key=label)


A, B = cell("a"), cell("b")
CYCLE = CycleRecord(cycle=0, labeled=3, metrics={})


def ok(cell):
    return Outcome(cell=cell, status="ok")


class Child:
    """A process that answers a group by these messages, and then dies or waits."""

    pid, fate = 2**22, "ended with 3"

    def __init__(self, script, code):
        self.connection, self._far = Pipe()
        self._script, self.exit_code = script, code
        self.got = []

    def say(self, message):
        self.got.append(message)
        if isinstance(message, Group):
            for answer in self._script:
                self._far.send(answer)
            if self.exit_code is not None:
                self._far.close()

    def has_spoken(self):
        return self.connection.poll(0)

    def hear(self):
        try:
            return self.connection.recv()
        except EOFError:
            return None


class Processes:
    def __init__(self, *scripts, code=None):
        self._scripts, self._code = iter(scripts), code
        self.children, self.ended = [], []

    def start(self, *_):
        self.children.append(Child(next(self._scripts), self._code))
        return self.children[-1]

    def end(self, child):
        self.ended.append(child)


class Groups:
    """Hands out these groups, and keeps what comes back."""

    def __init__(self, *groups, refuse=False):
        self._groups, self._refuse = [*groups], refuse
        self.got = []

    @property
    def left(self):
        return bool(self._groups)

    def take(self, seeds=()):
        return self._groups.pop(0)

    def receive(self, message):
        self.got.append(message)
        return not (self._refuse and isinstance(message, Finished))


@pytest.fixture
def run(tmp_path):
    def execute(processes, groups, jobs=1, **limits):
        executor = LocalExecutor(processes, tmp_path, LimitsSettings(**limits), jobs, pytest.fail)
        executor.run("work", groups)
        return groups.got

    return execute


def group(*cells):
    return Group(cells=cells, chosen={})


def test_a_process_computes_one_group_after_another_and_waits_for_each_message_to_be_handled(run):
    script = [Begun(), Warned(text="x"), Finished(cell=A, cycle=CYCLE), ok(A), Done()]
    processes = Processes(script)
    assert run(processes, Groups(group(A), group(A))) == script[1:-1] * 2
    (child,) = processes.children
    assert [type(message) for message in child.got] == [Group, Continue, Continue] * 2
    assert processes.ended == [child]


def test_with_several_jobs_no_process_waits(run):
    processes = Processes([Begun(), Finished(cell=A, cycle=CYCLE), ok(A), Done()])
    run(processes, Groups(group(A)), jobs=2)
    assert [type(message) for message in processes.children[0].got] == [Group]


def test_a_process_in_which_a_cell_failed_is_replaced(run):
    bad = Outcome(cell=A, status="failed")
    processes = Processes([Begun(), bad, ok(B), Done()], [Begun(), ok(A), Done()])
    assert run(processes, Groups(group(A, B), group(A))) == [bad, ok(B), ok(A)]
    assert len(processes.ended) == 2


def test_the_cells_of_a_lost_process_that_have_not_ended_fail(run):
    found = run(Processes([Begun(), ok(A)], code=3), Groups(group(A, B)))
    assert found[0] == ok(A)
    assert (found[1].cell, found[1].status) == (B, "failed")
    assert found[1].error == "b: its process ended with 3 before the cell was finished"
    assert len(found) == 2


def test_a_group_whose_journal_cannot_be_written_is_ended_and_each_cell_ends_once(run):
    processes = Processes([Begun(), Finished(cell=A, cycle=CYCLE)])
    found = run(processes, Groups(group(A, B), refuse=True))
    assert [message.cell for message in found] == [A, B]
    assert "was ended with that of another cell" in found[1].error
    assert processes.ended == processes.children


def test_a_group_has_the_time_of_all_its_cells(run):
    found = run(Processes([Begun()]), Groups(group(A, B)), cell_timeout=0.2)
    assert [(outcome.cell, outcome.status) for outcome in found] == [(A, "timeout"), (B, "timeout")]
    assert "not finished after 0.4 s (limits.cell_timeout)" in found[0].error


def test_what_handling_a_message_raises_ends_the_processes(run):
    class Interrupted(Groups):
        def receive(self, message):
            raise KeyboardInterrupt

    processes = Processes([Begun(), ok(A)])
    with pytest.raises(KeyboardInterrupt):
        run(processes, Interrupted(group(A)))
    assert processes.ended == processes.children
