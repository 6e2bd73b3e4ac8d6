"""The crew with made-up workers, which say what a test has them say."""

import threading
import time
from multiprocessing import Pipe, connection

import pytest

from alharness import Executor, Worker
from alharness.api.executor import At, Begun, Done, Finished, Group, Loss, Refused, Warned
from alharness.api.records import Cell, CycleRecord, Outcome
from alharness.errors import PluginError, RunError
from alharness.runs.crew import Crew
from alharness.runs.executors import SafeExecutor
from alharness.spec.settings import LimitsSettings


def cell(label):
    return Cell(label=label, sampler=label, params={}, distribution="", seed=0, key=label)


A, B, C, D = map(cell, "abcd")
DIED = Loss(text="its process ended with 3")
KILLED = Loss(text="its process was ended by SIGKILL", reason="perhaps memory ran out", cause="killed")
GONE = Loss(text="its node was lost", cause="machine")
CYCLE = CycleRecord(cycle=0, labeled=3, metrics={})


def names(cells):
    return "".join(cell.label for cell in cells)


def ok(cell):
    return Outcome(cell=cell, status="ok")


def complete(group):
    """What a process says that completes its group."""
    return [Begun(), *map(ok, group.cells), Done()]


class Scripted(Worker):
    """A worker that answers a group by these messages, and then is lost or waits. Between them it may pause."""

    def __init__(self, script, loss):
        self.connection, self._far = Pipe()
        self._script, self._loss = script, loss
        self.got, self.ended = [], False

    def send(self, group):
        self.got.append(group)
        script = self._script(group) if callable(self._script) else self._script
        threading.Thread(target=self._play, args=(script,)).start()

    def _play(self, script):
        for answer in script:
            time.sleep(answer) if isinstance(answer, float) else self._far.send(answer)
        if self._loss is not None and not isinstance(script[-1], Done):
            self._far.close()

    def receive(self):
        try:
            return self.connection.recv()
        except EOFError:
            return None

    def proceed(self):
        self.got.append("proceed")

    def loss(self):
        return self._loss or DIED

    def end(self):
        self.ended = True


class Workers(Executor):
    def __init__(self, *scripts, loss=None):
        self._scripts, self._loss = iter(scripts), loss
        self.started = []

    def start(self):
        self.started.append(Scripted(next(self._scripts), self._loss))
        return self.started[-1]

    def wait(self, workers, seconds):
        ready = connection.wait([worker.connection for worker in workers], seconds)
        return [worker for worker in workers if worker.connection in ready]


class Groups:
    """Hands out these groups, and keeps what comes back."""

    stopping = False

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
    def execute(workers, groups, width=1, leisure=lambda: None, **limits):
        workers.width, workers.exclusive = width, width == 1
        executor = SafeExecutor(workers, "the executor 'x'", told.append)
        Crew(executor, tmp_path, LimitsSettings(**limits), told.append, leisure).compute(groups)
        return groups.got

    return execute


def group(*cells):
    return Group(cells=cells, chosen={})


def test_a_process_computes_one_group_after_another_and_waits_for_each_message_to_be_handled(run):
    script = [Begun(), Warned(text="x"), Finished(cell=A, cycle=CYCLE), ok(A), Done()]
    workers = Workers(script)
    assert run(workers, Groups(group(A), group(A))) == script[1:-1] * 2
    (worker,) = workers.started
    assert [isinstance(message, Group) for message in worker.got] == [True, False, False, False] * 2
    assert worker.ended


def test_with_several_jobs_no_process_waits(run):
    workers = Workers([Begun(), Finished(cell=A, cycle=CYCLE), ok(A), Done()])
    run(workers, Groups(group(A)), width=2)
    assert [type(message) for message in workers.started[0].got] == [Group]


def test_what_the_end_needs_can_be_prepared_once_a_process_has_nothing_to_do(run):
    def calls(width):
        found = []
        many = [Finished(cell=B, cycle=CYCLE)] * 5
        workers = Workers([Begun(), ok(A), Done()], [Begun(), *many, ok(B), Done()])
        groups = Groups(group(A), group(B))
        run(workers, groups, width, leisure=lambda: found.append(len(workers.started)))
        return found

    assert calls(width=2) == [2]
    assert calls(width=1) == []


def test_a_process_in_which_a_cell_failed_is_replaced(run):
    bad = Outcome(cell=A, status="failed")
    workers = Workers([Begun(), bad, ok(B), Done()], [Begun(), ok(A), Done()])
    assert run(workers, Groups(group(A, B), group(A))) == [bad, ok(B), ok(A)]
    assert [worker.ended for worker in workers.started] == [True, True]


def test_the_cell_whose_work_a_lost_process_did_fails_and_the_others_continue_in_another(run):
    workers = Workers([Begun(), At(cell=A), ok(A), At(cell=B)], complete, loss=DIED)
    found = run(workers, Groups(group(A, B, C)))
    assert [(outcome.cell, outcome.status) for outcome in found] == [(A, "ok"), (B, "failed"), (C, "ok")]
    assert found[1].error == "b: its process ended with 3 before the cell was finished"


def test_case_01_cells_that_trained_together_in_a_lost_process_continue_in_halves_until_one_is_alone(run, told):
    scripts = [
        [Begun(), At(cell=None)],
        [Begun(), At(cell=None)],  # a and b
        [Begun(), At(cell=A)],
        complete,
    ]
    groups = Groups(group(A, B, C, D))
    found = run(Workers(*scripts, loss=DIED), groups)
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
    found = run(Workers([Begun(), At(cell=A)], complete, loss=KILLED), groups)
    assert found == [ok(A), ok(B)]
    assert [names(cells) for cells in groups.back] == ["b", "a"]


def test_a_cell_whose_journal_cannot_be_written_is_heard_no_more_and_the_others_go_on(run):
    finished = [Finished(cell=cell, cycle=CYCLE) for cell in (A, B, A)]
    workers = Workers([Begun(), *finished, ok(A), ok(B), Done()])
    found = run(workers, Groups(group(A, B), refuse=A))
    assert found == [finished[0], finished[1], ok(B)]


def test_a_process_all_of_whose_journals_cannot_be_written_is_ended(run):
    finished = Finished(cell=A, cycle=CYCLE)
    workers = Workers([Begun(), finished])
    assert run(workers, Groups(group(A), refuse=A)) == [finished]
    assert workers.started[0].ended


def test_cells_that_train_together_have_the_time_of_all_of_them_and_end_together(run):
    began = time.monotonic()
    found = run(Workers([Begun(), At(cell=None)]), Groups(group(A, B)), cell_timeout=0.2)
    assert time.monotonic() - began >= 0.4
    assert [(outcome.cell, outcome.status) for outcome in found] == [(A, "timeout"), (B, "timeout")]
    assert "not finished after 0.2 s (limits.cell_timeout)" in found[0].error


def test_case_08_a_cell_that_takes_too_long_by_itself_ends_alone(run):
    workers = Workers([Begun(), At(cell=A)], complete)
    found = run(workers, Groups(group(A, B)), cell_timeout=0.2)
    assert [(outcome.cell, outcome.status) for outcome in found] == [(A, "timeout"), (B, "ok")]


def test_what_cells_did_together_counts_for_each(run):
    workers = Workers([Begun(), At(cell=None), 2.0, At(cell=A)], complete)
    began = time.monotonic()
    found = run(workers, Groups(group(A, B)), cell_timeout=2)
    assert found[0].status == "timeout"
    assert 2.9 < time.monotonic() - began < 3.9  # not 2, nor 4


def test_what_handling_a_message_raises_ends_the_processes(run):
    class Interrupted(Groups):
        def receive(self, message):
            raise KeyboardInterrupt

    workers = Workers([Begun(), ok(A)])
    with pytest.raises(KeyboardInterrupt):
        run(workers, Interrupted(group(A)))
    assert workers.started[0].ended


def test_if_a_machine_is_lost_no_cell_is_to_blame_and_all_are_tried_again(run, told):
    groups = Groups(group(A, B, C))
    found = run(Workers([Begun(), At(cell=A), ok(A), At(cell=B)], complete, loss=GONE), groups)
    assert found == [ok(A), ok(B), ok(C)]
    assert [names(cells) for cells in groups.back] == ["bc"]
    assert told == ["a-s0 and 2 more: its node was lost; tried again after the last finished cycles"]


def test_a_cell_that_was_computed_when_three_machines_were_lost_fails(run):
    found = run(Workers(*[[Begun(), At(cell=A)]] * 3, loss=GONE), Groups(group(A)))
    assert [(outcome.status, outcome.error) for outcome in found] == [
        ("failed", "a: its node was lost before the cell was finished")
    ]


def test_a_worker_that_refuses_is_done_without_as_long_as_there_is_another(run, told):
    refuses = [Refused(text="node-7 has torch 2.8.0")]
    groups = Groups(group(A), group(B))
    workers = Workers(lambda group: [0.3, *complete(group)], refuses)
    assert {outcome.cell.label for outcome in run(workers, groups, width=2)} == {"a", "b"}
    assert told == ["a worker computes nothing, and the others continue: node-7 has torch 2.8.0"]
    assert len(workers.started) == 2  # none in the place of the one that refused
    with pytest.raises(RunError, match=r"no worker can compute: node-7 has torch 2\.8\.0"):
        run(Workers(refuses), Groups(group(A)))


def test_what_an_executor_raises_names_it(run):
    class Broken(Workers):
        def wait(self, workers, seconds):
            raise OSError("no route to host")

    workers = Broken([Begun()])
    with pytest.raises(PluginError, match="the executor 'x': OSError: no route to host"):
        run(workers, Groups(group(A)))
    assert workers.started[0].ended


def test_a_limit_of_memory_that_nobody_can_watch_is_said_once(run, told):
    run(Workers(complete, complete), Groups(group(A), group(B)), width=2, memory="1GiB")
    assert set(told) == {"limits.memory is not watched: the workers of this executor do not say what they hold"}


def test_if_the_run_is_to_stop_nobody_waits_for_a_worker_that_has_not_begun(run, monkeypatch):
    class Stopping(Groups):
        @property
        def stopping(self):
            return not self._groups and bool(workers.started)

    workers = Workers([])  # it waits for a place in a cluster
    assert run(workers, Stopping(group(A))) == []
    assert workers.started[0].ended
