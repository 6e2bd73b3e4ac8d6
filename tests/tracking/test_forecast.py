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


def errors(run, events, end, forecast=None):
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
        if end - at > LONGEST_CYCLE:  # the last one takes as long as chance has it
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
    forecast = Forecast(workers=4)
    forecast.expect(run, run.cells, 0.0)
    forecast.advance(run.cells[0], CycleRecord(cycle=0, labeled=100, metrics={}, cost={"train_seconds": 1.0}), 1.0)
    began = time.process_time()
    forecast.left(1.0)
    assert time.process_time() - began < 0.3
