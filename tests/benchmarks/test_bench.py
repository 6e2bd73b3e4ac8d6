import pytest
import torch

from benchmarks import bench as measuring
from benchmarks.bench import Bench, Kernel, Unavailable, on_two_threads, timed
from benchmarks.problems import Pool
from benchmarks.rows import Cost

PROBLEM = Pool(N=5, D=2)


@pytest.fixture
def bench():
    return Bench(tiny=True)


def kernel(name, calls, **options):
    def prepare(problem):
        return lambda: calls.append(name) or len(calls)

    return Kernel(name=name, prepare=prepare, **options)


def test_both_sides_take_turns(bench):
    calls = []
    row, results = bench.compare(kernel("we", calls), kernel("they", calls), PROBLEM, work="it")
    *turns, tiny, profiled = calls
    assert turns[-10:] == ["they", "we"] * 5
    assert (row.ours.rounds, row.theirs.rounds) == (5, 5)
    assert results == [len(turns), len(turns) - 1]
    assert (tiny, profiled) == ("we", "we")


def test_a_peer_that_cannot_be_had_is_missing_and_we_are_measured_all_the_same(bench):
    def prepare(problem):
        raise Unavailable("needs luck")

    row, results = bench.compare(kernel("we", []), Kernel(name="they", prepare=prepare), PROBLEM, work="it")
    assert (row.theirs, results[1], row.missing) == (None, None, "needs luck")
    assert row.ours.rounds == 5


def test_peers_can_be_left_out_and_floors_stay():
    calls = []
    bench = Bench(tiny=True, peers=False)
    foreign = kernel("they", calls, foreign=True)
    assert bench.compare(kernel("we", []), foreign, PROBLEM, work="it")[0].theirs is None
    assert calls == []
    assert bench.compare(kernel("we", []), kernel("floor", calls), PROBLEM, work="it")[0].theirs is not None


@pytest.mark.parametrize(("seconds", "rounds", "calls"), [(2.9, 5, 6), (3.1, 3, 3), (9, 3, 3), (11, 1, 1)])
def test_long_calls_are_repeated_less_and_their_first_one_counts(monkeypatch, seconds, rounds, calls):
    made = []
    monkeypatch.setattr(measuring, "lap", lambda call: (Cost(cpu=1, wall=seconds), made.append(call)))
    assert timed(kernel("we", []), PROBLEM).rounds == rounds
    assert len(made) == calls


def test_a_reference_that_takes_long_is_called_once(bench, monkeypatch):
    monkeypatch.setattr("benchmarks.bench.LONG", 0)
    monkeypatch.setattr("benchmarks.bench.SHORT", 0)
    calls = []
    row, _ = bench.compare(kernel("we", []), kernel("they", calls), PROBLEM, work="it")
    assert row.theirs.rounds == 1
    assert len(calls) == 2  # the first on a tiny problem


def test_two_threads_are_lent_and_given_back():
    threads = []

    def prepare(problem):
        return lambda: threads.append(torch.get_num_threads())

    before = torch.get_num_threads()
    two = Kernel(name="it", prepare=prepare)
    assert on_two_threads(two, two, PROBLEM).startswith("it on two threads takes ")
    assert set(threads[2:]) == {2}  # the first ones are tiny
    assert torch.get_num_threads() == before


def test_what_another_process_did_has_its_own_cost_and_no_memory():
    cost = Cost(cpu=7.0, wall=9.0)
    elsewhere = Kernel(name="they", prepare=lambda problem: lambda: cost, elsewhere=True)
    row, results = Bench(tiny=True).compare(kernel("we", []), elsewhere, PROBLEM, work="it")
    assert (row.theirs.cpu, row.theirs.wall, row.theirs.memory, results[1]) == (7.0, 9.0, None, None)
    assert Bench().memory(elsewhere, PROBLEM) is None


def test_our_cost_is_that_of_one_piece(bench, monkeypatch):
    monkeypatch.setattr(measuring, "lap", lambda call: (Cost(cpu=50.0, wall=100.0), call()))
    row, _ = bench.compare(kernel("we", []), kernel("they", []), PROBLEM, work="it", pieces=25)
    assert (row.ours.cpu, row.ours.wall, row.theirs.cpu, row.ratio) == (2.0, 4.0, 50.0, 25.0)
