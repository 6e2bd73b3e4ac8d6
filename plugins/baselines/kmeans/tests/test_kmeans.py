import numpy as np
import pytest
import torch

from alharness import Feature, SamplerError, Task
from alharness.kernels import join_modalities
from alharness.testing import SamplerConformance, Scenario, TensorView, make_query
from alharness_kmeans.plugin import KMeansParams, alharness_samplers
from alharness_kmeans.sampler import KMeans

(PLUGIN,) = alharness_samplers()


class TestConformance(SamplerConformance):
    plugin = PLUGIN
    deterministic = False


def groups(size, seed=0):
    """Six groups far apart, of 9 to 24 samples; three of them differ in text alone."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(6), [9, 12, 15, 18, 21, 24])
    x = (20 * np.random.default_rng(99).normal(size=(6, 5))[of] + rng.normal(size=(99, 5))).astype(np.float32)
    both = {"audio": torch.from_numpy(x[:, :2]), "text": torch.from_numpy(x[:, 2:])}
    return of, both, make_query(TensorView(inputs=both), TensorView(n=0), size=size, seed=seed)


def test_each_group_gives_the_sample_in_its_middle_the_largest_first():
    of, both, query = groups(6)
    picks = KMeans(KMeansParams()).select(query)
    points = join_modalities([*both.values()]).double().numpy()
    middles = [points[of == group].mean(0) for group in range(6)]
    nearest = [int(np.linalg.norm(points - middle, axis=1).argmin()) for middle in middles]
    assert picks == nearest[::-1]


def test_duplicates_leave_the_rest_to_chance():
    same = {"text": torch.zeros(9, 2)}
    queries = [make_query(TensorView(inputs=same), size=4, seed=seed, modalities=("text",)) for seed in range(4)]
    found = {tuple(KMeans(KMeansParams()).select(query)) for query in queries}
    assert len(found) > 1
    assert all(len(set(picks)) == 4 for picks in found)


def test_nothing_is_asked_for():
    assert KMeans(KMeansParams()).select(groups(0)[2]) == []


def test_it_reads_its_space_and_serves_both_tasks():
    assert PLUGIN.features(KMeansParams()) == {Feature.INPUTS}
    assert PLUGIN.features(KMeansParams(space="embeddings")) == {Feature.EMBEDDINGS}
    assert PLUGIN.tasks == set(Task)


def test_inputs_that_are_not_finite_are_counted():
    _, _, query = groups(3)
    query.unlabeled.inputs("text")[:2] = torch.nan
    with pytest.raises(SamplerError, match="2 of 99"):
        KMeans(KMeansParams()).select(query)


@pytest.mark.parametrize("space", ["embeddings", "representations"])
def test_a_space_of_the_model_serves_as_well(space):
    scenario = Scenario(incomplete=True, offset=1000)
    params = KMeansParams(space=space)
    assert len(scenario.ask(KMeans(params), PLUGIN.features(params)).positions) == 6
