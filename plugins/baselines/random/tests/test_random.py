import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from alharness import Task
from alharness_random.plugin import RandomParams, alharness_samplers
from alharness_random.sampler import Random


def picks(query):
    return Random().select(query).tolist()


@pytest.mark.parametrize(("n", "size"), [(30, 0), (30, 7), (30, 30), (1, 1), (0, 0)])
def test_chooses_as_many_distinct_positions_as_asked(make_query, n, size):
    chosen = picks(make_query(n, size))
    assert len(set(chosen)) == len(chosen) == size
    assert set(chosen) <= set(range(n))


def test_every_position_is_equally_likely(make_query):
    rng_seeds = range(3000)
    counts = np.bincount(np.concatenate([picks(make_query(12, 4, seed)) for seed in rng_seeds]), minlength=12)
    assert chisquare(counts).pvalue > 1e-3


def test_every_first_pick_is_equally_likely(make_query):
    counts = np.bincount([picks(make_query(12, 4, seed))[0] for seed in range(3000)], minlength=12)
    assert chisquare(counts).pvalue > 1e-3


def test_every_pair_is_equally_likely(make_query):
    pairs = [tuple(sorted(picks(make_query(5, 2, seed)))) for seed in range(3000)]
    assert chisquare(np.unique(pairs, axis=0, return_counts=True)[1]).pvalue > 1e-3
    assert len(set(pairs)) == 10


def test_the_same_seed_chooses_the_same(make_query):
    assert picks(make_query(100, 10, seed=3)) == picks(make_query(100, 10, seed=3))


def test_another_seed_chooses_otherwise(make_query):
    assert picks(make_query(100, 10, seed=3)) != picks(make_query(100, 10, seed=4))


def test_global_random_state_is_untouched(make_query):
    def state():
        numpy = np.random.get_state()
        return torch.get_rng_state().tolist(), numpy[1].tolist(), numpy[2], random.getstate()

    before = state()
    picks(make_query(50, 10))
    assert state() == before


def test_is_known_as_random_and_serves_both_tasks():
    (plugin,) = alharness_samplers()
    assert (plugin.name, plugin.requires, plugin.tasks) == ("random", set(), set(Task))


def test_the_plugin_makes_the_sampler():
    (plugin,) = alharness_samplers()
    assert isinstance(plugin.make(RandomParams()), Random)


def test_importing_the_plugin_imports_no_torch():
    code = "import sys, alharness_random.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
