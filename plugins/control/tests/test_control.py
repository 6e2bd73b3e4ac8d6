from collections import Counter

import numpy as np
import pytest
import torch

from alharness import Feature, SamplerError, Setting, Task
from alharness.testing import SamplerConformance, TensorView, make_query
from alharness_control.plugin import NEEDED, alharness_samplers
from alharness_control.sampler import Control


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]
    truth = NEEDED
    deterministic = False


def view(value, original=None, region=None, **more):
    n = len(value)
    truth = {
        "value": torch.tensor(value, dtype=torch.float32),
        "original": torch.arange(n) + 1000 if original is None else torch.tensor(original),
        "region": torch.zeros(n, dtype=torch.int64) if region is None else torch.tensor(region),
    }
    return TensorView(truth=truth, **more)


def picks(unlabeled, labeled, size, seed=0):
    return Control().select(make_query(unlabeled, labeled=labeled, size=size, seed=seed))


NOTHING = view([0.0], original=[-1])


def test_the_most_valuable_come_first_and_what_teaches_nothing_last():
    assert picks(view([0.5, 0.0, 1.0, 0.25]), NOTHING, 4) == [2, 0, 3, 1]


def test_near_copies_of_what_is_labeled_or_picked_come_last():
    unlabeled = view([1.0, 1.0, 0.5, 0.4], original=[7, 8, 8, 9])
    assert picks(unlabeled, view([1.0], original=[7]), 2) == [1, 3]


def test_a_copy_of_what_has_a_wrong_label_still_teaches():
    assert picks(view([1.0, 0.5], original=[7, 8]), view([0.0], original=[7]), 1) == [0]


def test_equal_values_are_drawn():
    assert {picks(view([1.0] * 5), NOTHING, 1, seed)[0] for seed in range(40)} == set(range(5))


@pytest.mark.parametrize("seed", range(8))
def test_each_pick_lowers_the_sum_most(seed):
    """The sum written out, for every candidate, at every pick. Copies are of the same region."""
    rng = np.random.default_rng(seed)

    def draw(n):
        originals = rng.integers(60, size=n)
        return (rng.integers(5, size=n) / 4).tolist(), originals.tolist(), (originals % 5).tolist()

    labeled, unlabeled = draw(9), draw(80)
    value, original, region = unlabeled
    best, known, mass = {}, Counter(), Counter()
    for v, o, r in zip(*labeled, strict=True):
        best[o] = max(best.get(o, (0, r)), (v, r))
    for v, r in best.values():
        known[r, v] += v
        mass[r, v] += v
    fresh = {o: max(v for v, other in zip(value, original, strict=True) if other == o) for o in original}
    fresh = {o: v for o, v in fresh.items() if v > 0 and best.get(o, (0,))[0] == 0}
    for o, v in fresh.items():
        mass[o % 5, v] += v

    def left_after(o):
        added = Counter({(o % 5, fresh[o]): fresh[o]})
        return sum(m / (1 + known[cell] + added[cell]) for cell, m in mass.items())

    for pick in picks(view(*unlabeled), view(*labeled), 30)[: len(fresh)]:
        assert value[pick] == fresh[original[pick]]
        assert left_after(original[pick]) <= min(map(left_after, fresh)) + 1e-12
        known[region[pick], value[pick]] += value[pick]
        del fresh[original[pick]]


def test_what_teaches_less_is_no_substitute():
    """Of a region's samples of another value, some are bought as well, though each teaches less."""
    unlabeled = view([1.0] * 20 + [0.5] * 20)
    assert {unlabeled.truth("value")[i].item() for i in picks(unlabeled, NOTHING, 8)} == {1.0, 0.5}


def test_data_without_what_it_reads_are_refused():
    (plugin,) = alharness_samplers()
    assert plugin.requires == {Feature.TRUTH}
    setting = Setting(task=Task.CLASSIFICATION, modalities=("text",), unlabeled=(8,), sizes=(2,), truth=("value",))
    with pytest.raises(SamplerError, match="original"):
        plugin.review(plugin.params(), setting)
