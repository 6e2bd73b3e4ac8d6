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


def expected(labeled, unlabeled, size):
    """Every sum written out, for every candidate, at every pick."""
    best = {}
    for value, original, region in zip(*labeled, strict=True):
        best[original] = max(best.get(original, (0, region)), (value, region))
    known = {}
    for value, region in best.values():
        known[region] = known.get(region, 0) + value
    new = {}
    for i, (value, original, _) in enumerate(zip(*unlabeled, strict=True)):
        if (
            value > 0
            and not best.get(original, (0,))[0]
            and (original not in new or value > unlabeled[0][new[original]])
        ):
            new[original] = i
    left, mass, found = set(new.values()), dict(known), []
    for i in left:
        mass[unlabeled[2][i]] = mass.get(unlabeled[2][i], 0) + unlabeled[0][i]
    while left and len(found) < size:
        error = {}
        for i in left:
            after = {**known, unlabeled[2][i]: known.get(unlabeled[2][i], 0) + unlabeled[0][i]}
            error[i] = sum(m / (1 + after.get(region, 0)) for region, m in mass.items())
        found.append(min(error, key=error.get))
        left.remove(found[-1])
        known[unlabeled[2][found[-1]]] = known.get(unlabeled[2][found[-1]], 0) + unlabeled[0][found[-1]]
    return found


@pytest.mark.parametrize("seed", range(8))
def test_picks_are_those_of_the_sum_written_out(seed):
    rng = np.random.default_rng(seed)

    def draw(n):
        """Values with few digits, all of them different in a sum."""
        values = rng.permutation(np.arange(1, 200))[:n] / 256
        return (
            (values * (rng.random(n) < 0.8)).tolist(),
            rng.integers(40, size=n).tolist(),
            rng.integers(5, size=n).tolist(),
        )

    labeled, unlabeled = draw(9), draw(60)
    wanted = expected(labeled, unlabeled, 30)
    assert picks(view(*unlabeled), view(*labeled), 30)[: len(wanted)] == wanted


def test_data_without_what_it_reads_are_refused():
    (plugin,) = alharness_samplers()
    assert plugin.requires == {Feature.TRUTH}
    setting = Setting(task=Task.CLASSIFICATION, modalities=("text",), unlabeled=(8,), sizes=(2,), truth=("value",))
    with pytest.raises(SamplerError, match="original"):
        plugin.review(plugin.params(), setting)
