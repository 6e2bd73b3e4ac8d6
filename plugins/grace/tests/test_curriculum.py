import pytest

from alharness.testing import TensorView, make_query
from alharness_grace.params import GraceParams
from alharness_grace.sampler import DefaultGrace


def weights(cycles, **params):
    queries = [make_query(TensorView(n=1), cycle=cycle, cycles=cycles) for cycle in range(cycles)]
    return [DefaultGrace(GraceParams(**params)).alpha(query) for query in queries]


def test_the_default_falls_by_equal_steps_from_0_2():
    assert weights(4) == pytest.approx([0.2, 0.15, 0.1, 0.05])


def test_a_given_step_stops_at_the_default_bound_of_0():
    assert weights(4, alpha0=0.5, alpha_decay=0.2) == pytest.approx([0.5, 0.3, 0.1, 0.0])


def test_without_a_bound_it_falls_below_0():
    assert weights(3, alpha0=0.5, alpha_decay=0.5, alpha_min=None) == pytest.approx([0.5, 0.0, -0.5])


def test_a_higher_bound():
    assert weights(3, alpha0=0.5, alpha_decay=0.2, alpha_min=0.25) == pytest.approx([0.5, 0.3, 0.25])


def test_no_decay():
    assert weights(3, alpha0=0.5, alpha_decay=0) == [0.5, 0.5, 0.5]
