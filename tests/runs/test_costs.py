import pytest

from alharness.api.records import Cell, CycleRecord
from alharness.runs.costs import Costs, Rest, Together, extrapolate, spent, time_left
from alharness.text.numbers import time_in_words


def cycle(labeled, train=None, query=None, evaluate=0.0, **cost):
    measured = {"train_seconds": train, "query_seconds": query, "evaluate_seconds": evaluate} | cost
    known = {name: value for name, value in measured.items() if value is not None}
    return CycleRecord(cycle=0, labeled=labeled, metrics={}, cost=known)


def rest(label, labeled, seed=0, *, reference=False):
    key = f"{label}{seed}"
    cell = Cell(label=label, sampler=label, params={}, distribution="", seed=seed, key=key, reference=reference)
    return Rest(cell, labeled)


def costs(*cycles, label="a"):
    found = Costs()
    for one in cycles:
        found.add(label, one)
    return found


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("start", [0.0, 1.0, 20.0])
def test_two_trainings_give_the_line_that_all_lie_on(start, slope):
    known = {n: start + slope * n for n in (100, 200)}
    assert extrapolate(known, 2000) == pytest.approx(start + slope * 2000)


@pytest.mark.parametrize("true", [lambda n: 2.0, lambda n: 0.02 * n])
def test_one_training_is_within_the_square_root_of_the_growth(true):
    assert extrapolate({100: true(100)}, 800) / true(800) == pytest.approx(8**0.5, rel=1e-9) or extrapolate(
        {100: true(100)}, 800
    ) / true(800) == pytest.approx(8**-0.5, rel=1e-9)


@pytest.mark.parametrize("known", [{100: 5.0, 200: 4.0}, {100: 1.0, 200: 9.0}, {100: 0.0, 200: 0.0}])
def test_noise_gives_neither_negative_nor_more_than_proportional_times(known):
    found = extrapolate(known, 1000)
    assert 0 <= found <= 10 * max(known.values())


def test_nothing_known_costs_nothing():
    assert extrapolate({}, 100) == 0.0


def test_what_was_measured_at_a_number_of_labels_is_taken_as_it_is():
    assert costs(cycle(10, 1.0), cycle(20, 8.0), cycle(30, 2.0)).train(20) == 8.0


def test_a_fit_that_was_found_ready_is_no_new_measurement():
    assert costs(cycle(10, 6.0), cycle(10, 3.0), cycle(10, 6.0, train_reused=1.0)).train(10) == pytest.approx(4.0)


def test_the_latest_measurement_counts_most():
    assert costs(cycle(10, 94.0), cycle(10, 4.0), cycle(10, 4.0)).train(10) == pytest.approx(14.0)


def test_a_sampler_that_has_not_queried_yet_is_expected_to_take_what_others_take():
    known = costs(cycle(10, query=4.0), cycle(20, query=6.0))
    known.add("b", cycle(10, query=2.0))
    assert known.query("a", 20) == 6.0
    assert known.query("c", 20) == 4.0


def test_a_rest_queries_in_all_cycles_but_the_last_and_trains_what_is_not_there():
    known = costs(cycle(10, 1.0, 5.0, 0.5), cycle(20, 2.0, 5.0, 0.5), cycle(30, 3.0, None, 0.5))
    left = rest("a", (10, 20, 30))
    assert known.cycles(left, trained=False) == [6.5, 7.5, 3.5]
    assert known.cycles(left, trained=True) == [5.5, 7.5, 3.5]


def test_a_reference_trains_on_everything_and_queries_nothing():
    known = costs(cycle(10, 1.0, 5.0), cycle(20, 2.0, 5.0))
    assert known.cycles(rest("full", (1000,), reference=True), trained=True) == [100.0]


def test_a_fit_that_was_found_ready_cost_nothing():
    assert spent(cycle(10, train=5.0, query=1.0, evaluate=0.5)) == 6.5
    assert spent(cycle(10, train=5.0, query=1.0, evaluate=0.5, train_reused=1.0)) == 1.5


@pytest.mark.parametrize(("workers", "expected"), [(1, 30.0), (2, 20.0), (3, 10.0), (8, 10.0)])
def test_cells_are_shared_by_the_workers_as_wholes(workers, expected):
    known = costs(cycle(10, 10.0))
    cells = [Together([rest("a", (10,), seed)]) for seed in range(3)]
    assert time_left(known, cells, (), workers) == expected


def test_the_first_fit_of_a_seed_is_trained_once():
    known = costs(cycle(10, 10.0), cycle(20, 1.0))
    cells = [Together([rest(label, (10, 20))]) for label in "abc"]
    assert time_left(known, cells, (), 1) == 13.0
    assert time_left(known, cells, (0,), 1) == 3.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "some seconds"),
        (42, "about 40 s"),
        (100, "about 2 min"),
        (3600, "about 60 min"),
        (7000, "about 2 h"),
        (9000, "about 2 h 30 min"),
        (36000, "about 10 h"),
        (100_000, "about 27 h"),
        (1e7, "about 2,777 h"),
    ],
)
def test_spans_are_said_as_people_say_them(seconds, words):
    assert time_in_words(seconds) == words
