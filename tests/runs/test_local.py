"""The local executor with made-up processes, which say what a test has them say."""

import threading
import time
from multiprocessing import Pipe

import pytest

from alharness.api.executor import At, Begun, Done, Finished, Group, Warned
from alharness.api.records import Cell, CycleRecord, Outcome
from alharness.runs.local import LocalExecutor
from alharness.runs.messages import Continue
from alharness.spec.settings import LimitsSettings


def cell(label):
    return Cell(label=label, sampler=label, params={}, distribution="", seed=0, key=label)


A, B, C, D = map(cell, "abcd")
CYCLE = CycleRecord(cycle=0, labeled=3, metrics={})


def names(cells):
    return "".join(cell.label for cell in cells)


def ok(cell):
    return Outcome(cell=cell, status="ok")


def complete(group):
    """What a process says that completes its group."""
    return [Begun(), *map(ok, group.cells), Done()]


class Child:
    """A process that answers a group by these messages, and then dies or waits. Between them it may pause."""

    pid, fate = 2**22, "ended with 3"

    def __init__(self, script, code):
        self.connection, self._far = Pipe()
        self._script, self.exit_code = script, code
        self.got = []

    def say(self, message):
        self.got.append(message)
        if isinstance(message, Group):
            script = self._script(message) if callable(self._script) else self._script
            threading.Thread(target=self._play, args=(script,)).start()

    def _play(self, script):
        for answer in script:
            time.sleep(answer) if isinstance(answer, float) else self._far.send(answer)
        if self.exit_code is not None and not isinstance(script[-1], Done):
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

    def __init__(self, *groups, refuse=None):
        self._groups, self._refuse = [*groups], refuse
        self.got, self.back = [], []

    @property
    def left(self):
        return bool(self._groups)

    def take(self, seeds=()):
        return self._groups.pop(0)

    def receive(self, message):
        self.got.append(message)
        return not (isinstance(message, Finished) and message.cell == self._refuse)

    def put_back(self, cells):
        self.back.append(cells)
        self._groups.insert(0, group(*cells))


@pytest.fixture
def told():
    return []


@pytest.fixture
def run(tmp_path, told):
    def execute(processes, groups, jobs=1, **limits):
        executor = LocalExecutor(processes, tmp_path, LimitsSettings(**limits), jobs, told.append)
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


def test_what_the_end_needs_can_be_prepared_once_a_process_has_nothing_to_do(tmp_path, told):
    def calls(jobs):
        found = []
        many = [Finished(cell=B, cycle=CYCLE)] * 5
        processes = Processes([Begun(), ok(A), Done()], [Begun(), *many, ok(B), Done()])
        executor = LocalExecutor(
            processes, tmp_path, LimitsSettings(), jobs, told.append, lambda: found.append(len(processes.children))
        )
        executor.run("work", Groups(group(A), group(B)))
        return found

    assert calls(jobs=2) == [2]
    assert calls(jobs=1) == []


def test_a_process_in_which_a_cell_failed_is_replaced(run):
    bad = Outcome(cell=A, status="failed")
    processes = Processes([Begun(), bad, ok(B), Done()], [Begun(), ok(A), Done()])
    assert run(processes, Groups(group(A, B), group(A))) == [bad, ok(B), ok(A)]
    assert len(processes.ended) == 2


def test_the_cell_whose_work_a_lost_process_did_fails_and_the_others_continue_in_another(run):
    processes = Processes([Begun(), At(cell=A), ok(A), At(cell=B)], complete, code=3)
    found = run(processes, Groups(group(A, B, C)))
    assert [(outcome.cell, outcome.status) for outcome in found] == [(A, "ok"), (B, "failed"), (C, "ok")]
    assert found[1].error == "b: its process ended with 3 before the cell was finished"


def test_cells_that_trained_together_in_a_lost_process_continue_in_halves_until_one_is_alone(run, told):
    scripts = [
        [Begun(), At(cell=None)],
        [Begun(), At(cell=None)],  # a and b
        [Begun(), At(cell=A)],
        complete,
    ]
    groups = Groups(group(A, B, C, D))
    found = run(Processes(*scripts, code=3), groups)
    assert [names(cells) for cells in groups.back] == ["cd", "ab", "b", "a"]
    assert {outcome.cell.label: outcome.status for outcome in found} == {
        "a": "failed",
        "b": "ok",
        "c": "ok",
        "d": "ok",
    }
    assert told[0] == (
        "a-s0 and 3 more continue in two groups, after their last finished cycles: "
        "its process ended with 3 before the cell was finished"
    )


def test_a_process_that_is_killed_during_a_query_may_have_held_too_much_of_all(run):
    groups = Groups(group(A, B))
    found = run(Processes([Begun(), At(cell=A)], complete, code=-9), groups)
    assert found == [ok(A), ok(B)]
    assert [names(cells) for cells in groups.back] == ["b", "a"]


def test_a_cell_whose_journal_cannot_be_written_is_heard_no_more_and_the_others_go_on(run):
    finished = [Finished(cell=cell, cycle=CYCLE) for cell in (A, B, A)]
    processes = Processes([Begun(), *finished, ok(A), ok(B), Done()])
    found = run(processes, Groups(group(A, B), refuse=A))
    assert found == [finished[0], finished[1], ok(B)]


def test_a_process_all_of_whose_journals_cannot_be_written_is_ended(run):
    finished = Finished(cell=A, cycle=CYCLE)
    processes = Processes([Begun(), finished])
    assert run(processes, Groups(group(A), refuse=A)) == [finished]
    assert processes.ended == processes.children


def test_cells_that_train_together_have_the_time_of_all_of_them_and_end_together(run):
    began = time.monotonic()
    found = run(Processes([Begun(), At(cell=None)]), Groups(group(A, B)), cell_timeout=0.2)
    assert time.monotonic() - began >= 0.4
    assert [(outcome.cell, outcome.status) for outcome in found] == [(A, "timeout"), (B, "timeout")]
    assert "not finished after 0.2 s (limits.cell_timeout)" in found[0].error


def test_a_cell_that_takes_too_long_by_itself_ends_alone(run):
    processes = Processes([Begun(), At(cell=A)], complete)
    found = run(processes, Groups(group(A, B)), cell_timeout=0.2)
    assert [(outcome.cell, outcome.status) for outcome in found] == [(A, "timeout"), (B, "ok")]


def test_what_cells_did_together_counts_for_each(run):
    processes = Processes([Begun(), At(cell=None), 2.0, At(cell=A)], complete)
    began = time.monotonic()
    found = run(processes, Groups(group(A, B)), cell_timeout=2)
    assert found[0].status == "timeout"
    assert 2.9 < time.monotonic() - began < 3.9  # not 2, nor 4


def test_what_handling_a_message_raises_ends_the_processes(run):
    class Interrupted(Groups):
        def receive(self, message):
            raise KeyboardInterrupt

    processes = Processes([Begun(), ok(A)])
    with pytest.raises(KeyboardInterrupt):
        run(processes, Interrupted(group(A)))
    assert processes.ended == processes.children
