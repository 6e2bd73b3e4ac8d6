import pytest
import torch

from benchmarks.bench import Bench, wanted
from benchmarks.kernels import Kernel, Lap, Unavailable
from benchmarks.problems import Pool

PROBLEM = Pool(N=5, D=2)


class Rounds:
    """Replaces pytest-benchmark: calls setup and function in turn."""

    def __init__(self):
        self.extra_info = {}

    def pedantic(self, function, setup=lambda: None, rounds=1):
        for _ in range(rounds):
            setup()
            result = function()
        return result


@pytest.fixture
def bench():
    return Bench(Rounds(), tiny=True, peers=True)


def kernel(name, calls, **options):
    def prepare(problem):
        return lambda: calls.append(name) or len(calls)

    return Kernel(name=name, prepare=prepare, **options)


def test_both_sides_take_turns(bench):
    calls = []
    found = bench.compare(kernel("we", calls), kernel("they", calls), PROBLEM)
    assert calls[-10:] == ["they", "we"] * 5
    assert (found.ours.rounds, found.theirs.rounds) == (5, 5)
    assert (found.their_result, found.our_result) == (len(calls) - 1, len(calls))


def test_a_call_that_measures_itself_is_made_once(bench):
    calls = []
    assert bench.once(lambda: calls.append("it") or "what it found") == "what it found"
    assert calls == ["it"]


def test_a_peer_that_cannot_be_had_is_missing_and_we_are_measured_all_the_same(bench):
    def prepare(problem):
        raise Unavailable("needs luck")

    found = bench.compare(kernel("we", []), Kernel(name="they", prepare=prepare), PROBLEM)
    assert (found.theirs, found.their_result, found.missing) == (None, None, "needs luck")
    assert found.ours.rounds == 5


def test_peers_can_be_left_out_and_floors_stay():
    calls = []
    bench = Bench(Rounds(), tiny=True, peers=False)
    assert bench.compare(kernel("we", []), kernel("they", calls, foreign=True), PROBLEM).theirs is None
    assert calls == []
    assert bench.compare(kernel("we", []), kernel("floor", calls), PROBLEM).theirs is not None


@pytest.mark.parametrize(("seconds", "rounds"), [(2.9, 5), (3.1, 3), (29, 3), (31, 1)])
def test_long_calls_are_repeated_less(seconds, rounds):
    assert wanted(Lap(cpu=0, wall=seconds)) == rounds


def test_a_reference_that_takes_long_is_called_once(bench, monkeypatch):
    monkeypatch.setattr("benchmarks.bench.LONG", 0)
    monkeypatch.setattr("benchmarks.bench.SHORT", 0)
    calls = []
    found = bench.compare(kernel("we", []), kernel("they", calls), PROBLEM)
    assert found.theirs.rounds == 1
    assert len(calls) == 2  # the first on a tiny problem


def test_two_threads_are_lent_and_given_back(bench):
    threads = []

    def prepare(problem):
        return lambda: threads.append(torch.get_num_threads())

    before = torch.get_num_threads()
    two = Kernel(name="it", prepare=prepare)
    assert bench.on_two_threads(two, two, PROBLEM).startswith("it on two threads takes ")
    assert set(threads) == {2}
    assert torch.get_num_threads() == before
