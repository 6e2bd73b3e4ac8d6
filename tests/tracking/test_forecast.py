"""Made-up runs, whose true time left is known, against what was forecast on the way."""

import heapq
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.tracking.forecast import Forecast

LONGEST_CYCLE = 150
LONGEST_ROUND = 400  # of 25 cells
QUERIES = {"random": 0.0, "entropy": 0.5, "badge": 6.0, "grace": 2.5}


def make_run(samplers=tuple(QUERIES), seeds=3, references=False, jobs=1, initial=100, budget=100, cycles=7):
    def cell(label, seed, **more):
        return Cell(
            label=label, sampler=label, params={}, distribution="", seed=seed, key=f"{label}{seed}", **more
        )

    cells = []
    for seed in range(seeds):
        cells += [cell(label, seed) for label in samplers]
        cells += [cell("full-data", seed, reference=True)] if references else []
    return Plan(
        name="demo",
        experiment="demo-1",
        folder=Path("runs/none"),
        schedule=Schedule(initial_pool=initial, sizes=(budget,) * cycles),
        pool=2722,
        cells=tuple(cells),
        metric="mae",
        jobs=jobs,
    )


def history(run, start=2.0, slope=0.05, noise=0.2, overhead=0.3, launch=4.0, seed=0, jobs=None, done=()):
    """(time, cell, cycle) of every cycle in the order in which they finish, and when everything is done."""
    draw = random.Random(seed)
    free = [(launch, number) for number in range(jobs or run.jobs)]
    events, trained = [], {cell.seed for cell in run.cells if cell.name in done}
    for cell in run.cells:
        if cell.name in done:
            continue
        at, number = heapq.heappop(free)
        labels = run.labeled(cell)
        for index, n in enumerate(labels):
            train = (start + slope * n) * draw.uniform(1 - noise, 1 + noise)
            cost = {"train_seconds": train, "evaluate_seconds": 0.1}
            reused = index == 0 and not cell.reference and cell.seed in trained
            if reused:
                cost["train_reused"] = 1.0
            if index + 1 < len(labels):
                cost["query_seconds"] = QUERIES[cell.label] * draw.uniform(0.8, 1.2)
            at += (
                sum(cost[name] for name in cost if name.endswith("seconds")) - (train if reused else 0) + overhead
            )
            events.append((at, cell, CycleRecord(cycle=index, labeled=n, metrics={}, cost=cost)))
        trained |= set() if cell.reference else {cell.seed}
        heapq.heappush(free, (at, number))
    return sorted(events, key=lambda event: event[0]), max(at for at, _ in free)


def errors(run, events, end, forecast=None, longest=LONGEST_CYCLE):
    """After each cycle: how many cells are complete, and the forecast over the truth."""
    if forecast is None:
        forecast = Forecast(workers=run.jobs)
        forecast.expect(run, run.cells, 0.0)
    complete, found = 0, []
    for at, cell, cycle in events:
        forecast.advance(cell, cycle, at)
        if cycle.cycle + 1 == len(run.labeled(cell)):
            complete += 1
            forecast.drop(cell, at)
        if end - at > longest:  # the last one takes as long as chance has it
            found.append((complete, forecast.left(at) / (end - at)))
    return found


def test_nothing_is_known_before_the_first_cycle_and_something_ever_after():
    run = make_run()
    forecast = Forecast(workers=1)
    forecast.expect(run, run.cells, 0.0)
    assert forecast.left(100.0) is None
    for at, cell, cycle in history(run)[0]:
        forecast.advance(cell, cycle, at)
        assert forecast.left(at) >= 0
    assert forecast.left(at) == 0


@pytest.mark.parametrize("slope", [0.0, 0.005, 0.05, 0.5])
@pytest.mark.parametrize("start", [0.5, 10.0])
def test_after_the_first_cycle_the_time_left_is_right_within_a_factor_of_three(start, slope):
    run = make_run()
    events, end = history(run, start=start, slope=slope)
    assert 1 / 3 < errors(run, events[:1], end)[0][1] < 3


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("references", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_from_the_second_cell_on_it_is_right_within_a_quarter(jobs, references, seed):
    run = make_run(jobs=jobs, references=references)
    events, end = history(run, seed=seed)
    ratios = [ratio for complete, ratio in errors(run, events, end) if complete >= max(2, jobs)]
    assert min(ratios) > 0.75
    assert max(ratios) < 1.25


def test_what_an_earlier_run_measured_serves_from_the_beginning():
    run = make_run()
    first, _ = history(run)
    done = {cell.name: 8 for cell in run.cells[:4]}
    resumed = replace(run, finished=done)
    events, end = history(resumed, seed=5, done=done)
    forecast = Forecast(workers=1)
    forecast.expect(resumed, resumed.cells, 0.0)
    for cell in run.cells[:4]:
        cycles = tuple(cycle for _, of, cycle in first if of is cell)
        forecast.learn(Outcome(cell=cell, status="ok", cycles=cycles))
    assert forecast.left(0.0) / end == pytest.approx(1, abs=0.25)
    assert all(0.75 < ratio < 1.25 for _, ratio in errors(resumed, events, end, forecast))


def test_a_machine_that_became_slower_is_noticed():
    run = make_run()
    events, end = history(run)
    slow = [(at * 3, cell, cycle) for at, cell, cycle in events]  # other programs: the clock, not the cost
    ratios = [ratio for complete, ratio in errors(run, slow, end * 3) if complete >= 2]
    assert all(0.7 < ratio < 1.3 for ratio in ratios)


def test_a_first_cell_under_load_is_soon_forgotten():
    run = make_run()
    events, end = history(run)
    first = sum(cell is run.cells[0] for _, cell, _ in events)
    loaded = events[first - 1][0]  # four times as long, as measured too
    slow = []
    for number, (at, cell, cycle) in enumerate(events):
        if number < first:
            cost = {name: 4 * value for name, value in cycle.cost.items()}
            slow.append((4 * at, cell, replace(cycle, cost=cost)))
        else:
            slow.append((at + 3 * loaded, cell, cycle))
    ratios = [ratio for complete, ratio in errors(run, slow, end + 3 * loaded) if complete >= 4]
    assert all(0.75 < ratio < 1.3 for ratio in ratios)


def test_between_two_cycles_it_falls_with_the_clock_but_not_to_nothing():
    run = make_run()
    forecast = Forecast(workers=1)
    forecast.expect(run, run.cells, 0.0)
    at, cell, cycle = history(run)[0][0]
    forecast.advance(cell, cycle, at)
    whole = forecast.left(at)
    assert forecast.left(at + 2) == pytest.approx(whole - 2)
    assert forecast.left(at + 1e6) > 0.8 * whole


def test_a_cell_that_failed_is_waited_for_no_more():
    run = make_run()
    forecast = Forecast(workers=1)
    forecast.expect(run, run.cells, 0.0)
    for at, cell, cycle in history(run)[0][:8]:
        forecast.advance(cell, cycle, at)
    before = forecast.left(at)
    for cell in run.cells[1:]:
        forecast.drop(cell, at)
    assert before > 0
    assert forecast.left(at) == 0


def test_ten_thousand_cells_are_forecast_in_a_moment():
    run = make_run(seeds=2500)
    first = CycleRecord(cycle=0, labeled=100, metrics={}, cost={"train_seconds": 1.0})
    seconds = []
    for _ in range(3):  # the process may collect garbage in one of them
        forecast = Forecast(workers=4)
        forecast.expect(run, run.cells, 0.0)
        forecast.advance(run.cells[0], first, 1.0)
        began = time.process_time()
        forecast.left(1.0)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.3


def grouped(run, size):
    names = [cell.name for cell in run.cells]
    return replace(run, groups=tuple(tuple(names[i : i + size]) for i in range(0, len(names), size)))


def stacked_history(run, start=2.0, slope=0.05, noise=0.2, trial=1.0, launch=4.0, seed=0):
    """The same of cells in groups: what a group asks for in a round is trained as stacks, then they query."""
    draw = random.Random(seed)
    cells = {cell.name: cell for cell in run.cells}
    free = [(launch, number) for number in range(run.jobs)]
    events, ready, sizes = [], {}, {}
    for group in run.groups:
        at, number = heapq.heappop(free)
        members = [cells[name] for name in group]
        for index in range(len(run.schedule.labeled)):
            members = [cell for cell in members if index < len(run.labeled(cell))]
            stacks, cost = {}, {}
            for cell in members:
                fit = (cell.seed, cell.reference) if index == 0 else cell.name
                stacks.setdefault(run.labeled(cell)[index], {}).setdefault(fit, []).append(cell)
            for n, fits in stacks.items():
                new = {fit: of for fit, of in fits.items() if fit not in ready}
                work = (start + slope * n) * (0.75 + 0.25 * max(2, len(new))) * draw.uniform(1 - noise, 1 + noise)
                epochs = {fit: draw.uniform(0.5, 1.5) for fit in new}
                at += work + trial if new else 0.0
                for fit, of in fits.items():
                    reused = {"train_reused": 1.0}
                    size = {"train_stacked": float(len(new) if fit in new else sizes[fit])}
                    share = work * epochs[fit] / sum(epochs.values()) if fit in new else ready[fit]
                    for place, cell in enumerate(of):
                        cost[cell] = {"train_seconds": share} | size | (reused if place or fit not in new else {})
                    if index == 0:
                        ready[fit], sizes[fit] = share, size["train_stacked"]
            for cell in members:
                cost[cell]["evaluate_seconds"] = 0.1
                if index + 1 < len(run.labeled(cell)):
                    cost[cell]["query_seconds"] = QUERIES[cell.label] * draw.uniform(0.8, 1.2)
                at += sum(cost[cell].get(name, 0.0) for name in ("evaluate_seconds", "query_seconds")) + 0.02
                labeled = run.labeled(cell)[index]
                events.append((at, cell, CycleRecord(cycle=index, labeled=labeled, metrics={}, cost=cost[cell])))
        heapq.heappush(free, (at, number))
    return sorted(events, key=lambda event: event[0]), max(at for at, _ in free)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("references", [False, True])
@pytest.mark.parametrize("size", [5, 25])
def test_with_groups_it_is_right_within_a_factor_of_three_and_from_the_third_round_on_within_a_quarter(
    jobs, references, size
):
    run = grouped(make_run(seeds=10, jobs=jobs, references=references), size)
    events, end = stacked_history(run, noise=0.1)
    ratios = [ratio for _, ratio in errors(run, events, end, longest=LONGEST_ROUND)]
    assert min(ratios) > 1 / 3
    assert max(ratios) < 3
    rounds = [cycle.cycle for _, _, cycle in events]
    late = ratios[rounds.index(2) :]
    assert min(late) > 0.75
    assert max(late) < 1.25


def test_a_member_of_a_stack_does_not_make_the_run_look_slower_than_it_is():
    run = grouped(make_run(seeds=5), 20)
    events, end = stacked_history(run, slope=0.0, noise=0.0, trial=0.0, launch=0.0)
    ratios = [ratio for _, ratio in errors(run, events, end)]
    assert ratios[40:60] == pytest.approx([1.0] * 20, abs=0.1)  # the third round


def test_while_a_stack_is_trained_the_time_left_falls_with_the_clock():
    run = grouped(make_run(seeds=5), 20)
    events, _ = stacked_history(run, slope=0.0, noise=0.0, trial=0.0, launch=0.0)
    forecast = Forecast(workers=1)
    forecast.expect(run, run.cells, 0.0)
    for at, cell, cycle in events[:40]:  # two rounds
        forecast.advance(cell, cycle, at)
    whole, pause = forecast.left(at), events[40][0] - at
    assert forecast.left(at + pause / 2) == pytest.approx(whole - pause / 2)
    assert forecast.left(at + 1e6) > 0.7 * whole


def test_cells_of_a_group_that_catch_up_are_rounds_of_their_own():
    run = grouped(make_run(("random", "grace"), seeds=1), 2)
    run = replace(run, finished={"random-s0": 4})
    forecast = Forecast(workers=1)
    forecast.expect(run, run.cells, 0.0)
    behind = run.cells[1]
    for index in range(4):
        cost = {"train_seconds": 10.0, "evaluate_seconds": 0.0, "query_seconds": 0.0}
        cycle = CycleRecord(cycle=index, labeled=100 * (index + 1), metrics={}, cost=cost)
        forecast.advance(behind, cycle, 20.0 * (index + 1))
    assert forecast.pace == pytest.approx((10 + 2 * 20) / (10 + 2 * 10))  # of the three that are over for sure
    assert forecast.left(80.0) == pytest.approx(8 * 20, rel=0.25)
