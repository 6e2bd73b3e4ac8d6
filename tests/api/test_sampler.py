"""The base class of samplers."""

from dataclasses import dataclass

import pytest
import torch

from alharness import Params, Sampler, SamplerError, ScoringSampler
from alharness.kernels import join_modalities
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


@pytest.mark.parametrize("labeled", [0, 2])
def test_points_are_scaled_by_the_samples_of_both_sides(labeled):
    rows = {"audio": torch.arange(10.0).reshape(5, 2), "text": 100 * torch.eye(5)}
    there = torch.tensor([True, True, False, True, True])
    known, rest = slice(labeled), slice(labeled, None)
    sides = [
        TensorView(inputs={m: x[side] for m, x in rows.items()}, present={"audio": there[side]})
        for side in (known, rest)
    ]
    found = make_query(sides[1], sides[0]).points("inputs")
    whole = join_modalities([*rows.values()], [there, torch.ones(5, dtype=torch.bool)])
    assert torch.equal(found[0], whole[known])
    assert torch.equal(found[1], whole[rest])


def test_points_may_be_embeddings_as_they_are():
    unlabeled = TensorView(embeddings=torch.eye(3))
    none, points = make_query(unlabeled, TensorView()).points("embeddings")
    assert none.shape == (0, 3)
    assert points is unlabeled.embeddings()
