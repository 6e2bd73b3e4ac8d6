from types import SimpleNamespace

import numpy as np

from alharness import Task
from alharness.testing import SamplerConformance, TensorView, make_query
from alharness_random.plugin import alharness_samplers
from alharness_random.sampler import Random


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]
    deterministic = False


def picks(n, size, seed):
    return Random().select(make_query(TensorView(n=n), size=size, seed=seed)).tolist()


def test_every_position_is_equally_likely():
    from scipy.stats import chisquare

    rng_seeds = range(3000)
    counts = np.bincount(np.concatenate([picks(12, 4, seed) for seed in rng_seeds]), minlength=12)
    assert chisquare(counts).pvalue > 1e-3


def test_every_first_pick_is_equally_likely():
    from scipy.stats import chisquare

    counts = np.bincount([picks(12, 4, seed)[0] for seed in range(3000)], minlength=12)
    assert chisquare(counts).pvalue > 1e-3


def test_every_pair_is_equally_likely():
    from scipy.stats import chisquare

    pairs = [tuple(sorted(picks(5, 2, seed))) for seed in range(3000)]
    assert chisquare(np.unique(pairs, axis=0, return_counts=True)[1]).pvalue > 1e-3
    assert len(set(pairs)) == 10


def test_is_known_as_random_and_serves_both_tasks():
    (plugin,) = alharness_samplers()
    assert (plugin.name, plugin.requires, plugin.tasks) == ("random", set(), set(Task))


def test_a_pool_in_parts_takes_no_memory_for_what_is_not_chosen():
    parts = SimpleNamespace(sizes=(10**12, 10**12))
    chosen = Random().select_in_parts(make_query(TensorView(), size=50), parts)
    assert len(set(chosen)) == 50
    assert 0 <= chosen.min() < 10**12 < chosen.max() < 2 * 10**12
