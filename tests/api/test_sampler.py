"""The base class of samplers."""

from dataclasses import dataclass

import pytest
import torch

from alharness import Params, Sampler, SamplerError, ScoringSampler
from alharness.testing import TensorView, make_query


class Sizes(Params):
    size: int = 1


class First(Sampler):
    params: Sizes

    def select(self, query):
        return range(self.params.size)


def test_a_sampler_keeps_its_parameters():
    assert list(First(Sizes(size=3)).select(make_query(TensorView(n=5)))) == [0, 1, 2]


def test_a_sampler_without_parameters_needs_none():
    assert First().params is None


class OfItsOwn(Sampler):
    def __init__(self, size):
        self.size = size

    def select(self, query):
        return range(self.size)


@dataclass
class Declared(Sampler):
    size: int

    def select(self, query):
        return range(self.size)


@pytest.mark.parametrize("kind", [OfItsOwn, Declared])
def test_a_sampler_may_have_a_constructor_of_its_own_that_calls_no_other(kind):
    assert list(kind(2).select(make_query(TensorView(n=5)))) == [0, 1]


def test_a_score_of_the_wrong_shape_is_refused():
    class Wrong(ScoringSampler):
        def score(self, query):
            return torch.zeros(3, 1)

    with pytest.raises(SamplerError, match=r"scores have shape \(3, 1\), expected \(3,\)"):
        Wrong().select(make_query(TensorView(n=3)))
