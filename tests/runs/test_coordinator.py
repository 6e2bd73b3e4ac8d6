"""What the coordinating process makes of the messages of workers, which are made up here."""

import json
import resource
from dataclasses import replace

import pytest

from alharness.api.executor import Finished, FirstFit, Warned
from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.engine.pool import Pool
from alharness.runs.claims import Claims
from alharness.runs.coordinator import Coordinator
from alharness.runs.directory import RunDirectory
from alharness.runs.messages import SeedFacts


def cell(label, seed=0, **more):
    return Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=label * 8, **more)


A, B, C = cell("a"), cell("b"), cell("c", seed=1)


def cycle(number, **more):
    chosen = () if number == 2 else (f"x{number}",)
    return CycleRecord(cycle=number, labeled=3 + number, metrics={"f1": 0.5}, chosen=chosen, **more)


@pytest.fixture
def coordinate(tmp_path):
    """A coordinator of groups in a run directory; and what observers and the user got."""
    told, seen = [], []
    directory = RunDirectory(tmp_path / "run")

    def make(*groups, **more):
        cells = tuple(cell for group in groups for cell in group)
        plan = Plan(
            name="x",
            experiment="x-1",
            folder=directory.path,
            schedule=Schedule(initial_pool=3, sizes=(1, 1)),
            pool=9,
            cells=cells,
        )
        initial = Pool(("x0", "x1", "y0", "y1", "y2"), (2, 3, 4))
        facts = {
            seed: SeedFacts(
                context={"data": "d", "split": seed},
                initial=initial,
                fits={False: f"few{seed}", True: f"all{seed}"},
            )
            for seed in (0, 1)
        }
        options = {"action": "run", "restart": False, "exclusive": True} | more
        rounds = [groups]
        later = options.pop("more", tuple)
        coordinator = Coordinator(
            plan,
            claims,
            lambda: rounds.pop() if rounds else later(),
            seeds=facts,
            emit=lambda hook, **records: seen.append((hook.removeprefix("alharness_"), records)),
            warn=told.append,
            **options,
        )
        coordinator.proceed()
        return coordinator

    with Claims(directory, told.append) as claims:
        yield make, seen, told


def lines(coordinator, cell):
    text = (coordinator._directory.cell(cell) / "journal.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def finish(coordinator, cell, first=0):
    for number in range(first, 3):
        assert coordinator.receive(Finished(cell=cell, cycle=cycle(number)))
    assert coordinator.receive(Outcome(cell=cell, status="ok"))


def test_cycles_are_written_and_then_reported(coordinate):
    make, seen, _ = coordinate
    coordinator = make((A,))
    group = coordinator.take()
    assert (group.cells, group.chosen, group.contexts) == ((A,), {"a-s0": ()}, {0: {"data": "d", "split": 0}})
    assert not coordinator.left
    finish(coordinator, A)
    assert [hook for hook, _ in seen] == ["cycle_finished"] * 3 + ["cell_ended"]
    written = lines(coordinator, A)
    assert [line["chosen"] for line in written[1:]] == [["x0"], ["x1"], []]
    assert [line["measured"]["timing"] for line in written[1:]] == ["exclusive"] * 3
    assert written[0]["measured"]["at"] < written[1]["measured"]["at"] < written[2]["measured"]["at"]
    outcome = coordinator.outcomes[A]
    assert (outcome.status, len(outcome.cycles), outcome.context["split"]) == ("ok", 3, 0)


def test_case_13_times_in_a_journal_rise_if_the_clock_is_set_back(coordinate, monkeypatch):
    make, _, _ = coordinate
    clock = iter([5000, 4000, 3000, 9000])
    monkeypatch.setattr("alharness.runs.coordinator._now", lambda: next(clock))
    coordinator = make((A,))
    coordinator.take()
    finish(coordinator, A)
    assert [line["measured"]["at"] for line in lines(coordinator, A)] == [5000, 5001, 5002, 9000]


def test_a_cell_goes_on_with_what_its_journal_holds(coordinate):
    make, _, _ = coordinate
    coordinator = make((A,))
    coordinator.take()
    coordinator.receive(Finished(cell=A, cycle=cycle(0)))
    assert coordinator.end()
    assert coordinator.outcomes[A].status == "interrupted"
    again = make((A,))
    assert again.take().chosen == {"a-s0": (("x0",),)}
    finish(again, A, first=1)
    assert len(lines(again, A)) == 4


def test_a_run_that_is_interrupted_between_two_cells_is_not_complete(coordinate):
    make, _, _ = coordinate
    coordinator = make((A,), (B,))
    coordinator.take()
    finish(coordinator, A)
    assert coordinator.end()
    assert coordinator.outcomes.keys() == {A}


def test_a_run_that_is_to_stop_gives_out_no_group_and_ends_a_cell_after_its_cycle(coordinate):
    make, _, _ = coordinate
    stops = []
    coordinator = make((A,), (B,), (C,), stopping=lambda: bool(stops))
    groups = [coordinator.take() for _ in range(3)]
    assert [group and group.name for group in groups] == ["a-s0", "c-s1", None]  # b waits for the model of a
    for number in range(2):
        assert coordinator.receive(Finished(cell=C, cycle=cycle(number)))
    stops.append("SIGUSR1")
    assert not coordinator.left
    assert coordinator.take() is None
    assert not coordinator.receive(Finished(cell=A, cycle=cycle(0)))
    finish(coordinator, C, first=2)  # its last cycle
    assert coordinator.end()
    ended = {cell.label: (outcome.status, len(outcome.cycles)) for cell, outcome in coordinator.outcomes.items()}
    assert ended == {"a": ("interrupted", 1), "c": ("ok", 3)}


def test_a_run_that_is_to_stop_when_all_is_done_is_complete(coordinate):
    make, _, _ = coordinate
    stops = []
    coordinator = make((A,), stopping=lambda: bool(stops))
    coordinator.take()
    for number in range(2):
        coordinator.receive(Finished(cell=A, cycle=cycle(number)))
    stops.append("SIGUSR1")
    finish(coordinator, A, first=2)
    assert not coordinator.end()


def test_more_groups_come_when_all_others_have_ended(coordinate):
    make, _, _ = coordinate
    asked = []

    def more():
        asked.append([*coordinator.outcomes])
        return [(C,)] if len(asked) == 1 else []

    coordinator = make((A,), (B,), more=more)
    for cell in (A, B):
        coordinator.take()
        finish(coordinator, cell)
    assert asked == [[A, B]]
    assert coordinator.left
    assert coordinator.take().cells == (C,)
    finish(coordinator, C)
    assert not coordinator.left
    assert asked == [[A, B], [A, B, C]]


def test_more_groups_come_if_none_of_the_others_could_begin(coordinate):
    make, _, _ = coordinate
    rounds = [[(C,)], []]
    coordinator = make((A,), more=lambda: rounds.pop(0))
    (coordinator._directory.cell(A)).mkdir(parents=True)
    (coordinator._directory.cell(A) / "journal.jsonl").write_text("damaged\n{}\n")
    assert coordinator.take().cells == (C,)
    assert coordinator.outcomes[A].status == "failed"


def test_a_run_that_is_interrupted_between_two_rounds_is_not_complete(coordinate):
    make, _, _ = coordinate

    def more():
        raise KeyboardInterrupt

    coordinator = make((A,), more=more)
    coordinator.take()
    with pytest.raises(KeyboardInterrupt):
        finish(coordinator, A)
    assert coordinator.end()


def test_a_group_waits_for_the_first_fit_that_another_trains(coordinate):
    make, _, _ = coordinate
    coordinator = make((A,), (B,), (C,))
    assert coordinator.take().cells == (A,)
    assert coordinator.take().cells == (C,)  # of another seed
    assert coordinator.take() is None
    assert coordinator.left
    coordinator.receive(FirstFit(seed=0, everything=False, content=b"model"))
    group = coordinator.take()
    assert (group.cells, group.fits) == ((B,), {(0, False): b"model"})


def test_a_first_fit_is_tried_again_if_the_group_that_trains_it_fails(coordinate):
    make, _, _ = coordinate
    coordinator = make((A,), (B,))
    coordinator.take()
    assert coordinator.take() is None
    coordinator.receive(Outcome(cell=A, status="failed", error="no"))
    assert coordinator.take().fits == {}


def test_a_group_that_needs_other_models_too_waits_for_none(coordinate):
    make, _, _ = coordinate
    coordinator = make((A,), (B, C))
    coordinator.take()
    group = coordinator.take()
    assert (group.cells, group.fits) == ((B, C), {})
    coordinator.receive(Outcome(cell=A, status="failed", error="no"))
    assert coordinator.take() is None


def test_cells_that_are_put_back_are_the_next_group_and_go_on_after_their_last_cycle(coordinate):
    make, seen, _ = coordinate
    coordinator = make((A, B), (C,))
    coordinator.take()
    coordinator.receive(Finished(cell=A, cycle=cycle(0)))
    coordinator.put_back([A, B])
    assert coordinator.outcomes == {}
    group = coordinator.take()
    assert (group.cells, group.chosen) == ((A, B), {"a-s0": (("x0",),), "b-s0": ()})
    finish(coordinator, A, first=1)
    assert len(coordinator.outcomes[A].cycles) == 3
    assert [hook for hook, _ in seen].count("cell_ended") == 1


def test_a_worker_gets_groups_of_the_seed_that_it_knows(coordinate):
    make, _, _ = coordinate
    coordinator = make((A,), (C,), (B,))
    assert coordinator.take({1}).cells == (C,)


@pytest.mark.parametrize(
    ("exclusive", "crowded", "timings"),
    [
        (True, [False, False, True, False], ["exclusive", "shared", "shared"]),
        (False, [False] * 4, ["shared"] * 3),
    ],
)
def test_queries_next_to_others_are_marked_as_shared(coordinate, monkeypatch, exclusive, crowded, timings):
    make, _, _ = coordinate
    at_work = iter(crowded)  # at the beginning, and after each of three cycles
    monkeypatch.setattr(Claims, "crowded", lambda _: next(at_work))
    coordinator = make((A,), exclusive=exclusive)
    coordinator.take()
    finish(coordinator, A)
    assert [record.timing for record in coordinator.outcomes[A].cycles] == timings


def test_a_traceback_is_kept_in_the_cells_folder(coordinate):
    make, _, _ = coordinate
    coordinator = make((A,))
    coordinator.take()
    coordinator.receive(Outcome(cell=A, status="failed", error="oops", traceback="Traceback ..."))
    path = coordinator._directory.cell(A) / "traceback.txt"
    assert path.read_text() == "Traceback ..."
    assert coordinator.outcomes[A].error == f"oops; see {path}"


def test_a_journal_that_cannot_be_written_ends_its_cell(coordinate):
    make, seen, _ = coordinate
    coordinator = make((A, B))
    coordinator.take()
    # A limit on the size of files stops a write in the middle, as a full disk does.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (coordinator._directory.cell(A) / "journal.jsonl").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
    try:
        assert not coordinator.receive(Finished(cell=A, cycle=cycle(0)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert coordinator.outcomes[A].status == "failed"
    assert "cannot be written (File too large)" in coordinator.outcomes[A].error
    assert [hook for hook, _ in seen] == ["cell_ended"]
    assert len(lines(coordinator, A)) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_case_19_a_cell_whose_ids_do_not_fit_the_pool_ends_or_begins_again(coordinate, restart):
    make, _, told = coordinate
    first = make((A,))
    first.take()
    first.receive(Finished(cell=A, cycle=replace(cycle(0), chosen=("elsewhere",))))
    first.end()
    coordinator = make((A,), restart=restart)
    group = coordinator.take()
    if restart:
        assert "its old journal is kept as" in told[-1]
        assert group.chosen == {"a-s0": ()}
        finish(coordinator, A)
        assert coordinator.outcomes[A].status == "ok"
    else:
        assert group is None
        assert coordinator.outcomes[A].status == "failed"
        assert (
            "jsonl:2: alharness never writes such a line: the pool has no sample" in coordinator.outcomes[A].error
        )


def test_a_cell_whose_journal_cannot_be_continued_ends_before_it_begins(coordinate):
    make, seen, _ = coordinate
    coordinator = make((A, B))
    folder = coordinator._directory.cell(A)
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("garbage\ngarbage\n")
    assert coordinator.take().cells == (B,)
    assert coordinator.outcomes[A].status == "failed"
    assert "this line is damaged" in coordinator.outcomes[A].error
    assert [hook for hook, _ in seen] == ["cell_ended"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_cell_whose_journal_can_never_be_opened_ends_alone(coordinate, restart):
    make, _, _ = coordinate
    coordinator = make((A, B), restart=restart)
    folder = coordinator._directory.cell(A)
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    assert coordinator.take().cells == (B,)
    assert coordinator.outcomes[A].status == "failed"
    assert "cannot be written" in coordinator.outcomes[A].error


def test_a_journal_that_cannot_be_opened_is_tried_once_again(coordinate, monkeypatch):
    make, _, _ = coordinate
    coordinator = make((A,), restart=True)
    folder = coordinator._directory.cell(A)
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("garbage\ngarbage\n")
    monkeypatch.setattr(Coordinator, "_read", lambda *_: (folder / "missing" / "x").read_text())
    assert coordinator.take() is None
    assert "cannot be written (No such file or directory)" in coordinator.outcomes[A].error
    assert (folder / "journal.jsonl.old-1").exists()


def test_measuring_again_replaces_times_of_queries_and_nothing_else(coordinate):
    make, _, _ = coordinate
    first = make((A,), exclusive=False)
    first.take()
    for number in range(3):
        cost = {"train_seconds": 1.0, "query_seconds": 2.0}
        first.receive(Finished(cell=A, cycle=cycle(number, cost=cost, machine="old")))
    first.receive(Outcome(cell=A, status="ok"))
    before = lines(first, A)
    coordinator = make((A,), action="retime")
    assert coordinator.take().chosen == {"a-s0": (("x0",), ("x1",), ())}
    for number in range(2):
        cost = {"train_seconds": 7.0, "query_seconds": 8.0}
        coordinator.receive(Finished(cell=A, cycle=cycle(number, cost=cost, machine="new")))
        assert lines(coordinator, A) == before
    coordinator.receive(Outcome(cell=A, status="ok"))
    records = coordinator.outcomes[A].cycles
    assert [record.cost for record in records[:2]] == [{"train_seconds": 1.0, "query_seconds": 8.0}] * 2
    assert [record.timing for record in records] == ["exclusive"] * 3
    assert [record.machine for record in records] == ["new", "new", "old"]
    assert [record.at for record in records] == [line["measured"]["at"] for line in before[1:]]


def test_warnings_are_passed_on(coordinate):
    make, _, told = coordinate
    assert make((A,)).receive(Warned(text="careful"))
    assert told[-1] == "careful"
