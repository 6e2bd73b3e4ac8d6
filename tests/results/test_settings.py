import pytest

from alharness.errors import RunError
from alharness.results.settings import settings, summed_penalties


@pytest.fixture
def runs(make_results, noisy):
    def build(count, **more):
        return [
            make_results(
                {"random": noisy(5, seed=i), "a": noisy(5, 1.0, seed=i + 50)} | more,
                experiment=f"e{i}",
                name=f"set {i}",
            )
            for i in range(count)
        ]

    return build


def test_every_run_is_a_setting_of_its_own(runs):
    found = settings(runs(3))
    assert list(found.runs) == ["set 0", "set 1", "set 2"]
    assert found.common == ("random", "a")
    assert found.ranking.ranks.tolist() == [[2, 1]] * 3
    assert all(one.areas["a"].n == 5 for one in found.runs.values())  # not 15


def test_runs_of_one_name_keep_apart(runs, make_results, noisy):
    one, two = runs(1)[0], make_results({"random": noisy(5)}, experiment="other", name="set 0")
    assert list(settings([one, two]).runs) == ["set 0", "other"]


def test_the_same_experiment_twice_is_refused(runs):
    with pytest.raises(RunError, match="are the same experiment, e0"):
        settings(runs(1) + runs(1))


def test_nothing_in_common_is_refused(make_results, noisy):
    with pytest.raises(RunError, match="no sampler in common"):
        settings([make_results({"a": noisy(3)}, experiment="1"), make_results({"b": noisy(3)}, experiment="2")])


def test_a_sampler_that_is_missing_somewhere_is_left_out_with_a_word(runs, make_results, noisy):
    partly = make_results({"random": noisy(5), "a": [None] * 5, "b": noisy(5)}, experiment="z", name="last")
    found = settings([*runs(2), partly])
    assert found.common == ("random",)
    assert found.left_out == (
        "a is not ranked: it has no finished seed in last",
        "b is not ranked: it has no finished seed in set 0, set 1",
    )


def test_penalties_add_up(runs):
    found = summed_penalties(settings(runs(4)))
    assert found.matrix[1, 0] == pytest.approx(4)
    assert found.matrix[0, 1] == 0
