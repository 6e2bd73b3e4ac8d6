import numpy as np
import pytest
import torch
from pydantic import ValidationError

from alharness import Feature, SamplerError, Task
from alharness.kernels import join_modalities
from alharness.testing import SamplerConformance, TensorView
from alharness.testing import make_query as make_tensor_query
from alharness_coreset.plugin import CoreSetParams, alharness_samplers
from alharness_coreset.sampler import CoreSet


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]


def make_query(pool, centers, size, seed=0):
    return make_tensor_query(TensorView(embeddings=pool), TensorView(embeddings=centers), size=size, seed=seed)


def normal(n, d=6, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def picks(query, dtype="float32"):
    return CoreSet(CoreSetParams(dtype=dtype)).select(query).tolist()


def brute_force(pool, centers, size):
    """All distances in float64, from scratch for every pick."""

    from sklearn.metrics import pairwise_distances

    chosen = []
    for _ in range(size):
        known = np.concatenate([centers.double().numpy(), pool.double().numpy()[chosen]])
        gap = pairwise_distances(pool.double().numpy(), known).min(1)
        gap[chosen] = -1
        chosen.append(int(gap.argmax()))
    return chosen


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "labeled", "size"), [(60, 8, 20), (60, 1, 59), (40, 30, 40), (1, 1, 1)])
def test_equals_brute_force(n, labeled, size, dtype):
    pool, centers = normal(n), normal(labeled, seed=1)
    assert picks(make_query(pool, centers, size), dtype) == brute_force(pool, centers, size)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_offset_changes_nothing(dtype):
    pool, centers = normal(60), normal(8, seed=1)
    shifted = make_query(pool + 1000, centers + 1000, 20)
    assert picks(shifted, dtype) == brute_force(pool, centers, 20)


def test_float64_tells_points_of_a_tight_cluster_apart():
    places = 10 * normal(4, seed=2)
    pool = places[torch.arange(80) % 4].double() + 1e-5 * normal(80).double()
    centers = places[:1].double()
    assert picks(make_query(pool, centers, 20), "float64") == brute_force(pool, centers, 20)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_distances_have_the_dtype_asked_for(monkeypatch, dtype):
    seen = []
    monkeypatch.setattr(
        "alharness_coreset.sampler.k_center",
        lambda pool, centers, k, **_: (seen.extend([pool.dtype, centers.dtype]), torch.arange(k))[1],
    )
    picks(make_query(normal(5), normal(2), 3), dtype)
    assert seen == [getattr(torch, dtype)] * 2


def test_without_labels_the_first_pick_is_random():
    from scipy.stats import chisquare

    pool = normal(8)
    firsts = [picks(make_query(pool, pool[:0], 2, seed))[0] for seed in range(800)]
    assert chisquare(np.bincount(firsts, minlength=8)).pvalue > 1e-3


def test_without_labels_the_others_follow_from_the_first():
    pool = normal(50)
    first, *others = picks(make_query(pool, pool[:0], 10))
    assert others == brute_force(pool, pool[[first]], 9)


def test_constant_embeddings_give_a_full_batch():
    assert picks(make_query(torch.full((9, 3), 0.1), torch.full((2, 3), 0.1), 5)) == [0, 1, 2, 3, 4]


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_is_known_as_coreset_and_reads_embeddings(plugin):
    assert (plugin.name, plugin.tasks) == ("coreset", set(Task))
    assert plugin.features(CoreSetParams()) == {Feature.EMBEDDINGS}
    assert plugin.features(CoreSetParams(space="inputs")) == {Feature.INPUTS}


class TestConformanceOnInputs(SamplerConformance):
    plugin = alharness_samplers()[0]
    params = {"space": "inputs"}
    in_parts = False


@pytest.mark.parametrize("labeled", [0, 7])
def test_on_inputs_every_modality_weighs_the_same(labeled):
    def views(scale):
        both = {"audio": scale * normal(40 + labeled, 2), "text": normal(40 + labeled, 5, seed=1) + 3}
        known, pool = ({m: x[rows] for m, x in both.items()} for rows in (slice(labeled), slice(labeled, None)))
        return both, make_tensor_query(
            TensorView(inputs=pool), TensorView(inputs=known, targets=torch.zeros(labeled)), size=9, seed=2
        )

    both, query = views(1.0)
    found = CoreSet(CoreSetParams(space="inputs")).select(query).tolist()
    points = join_modalities([*both.values()])
    centers = points[:labeled] if labeled else points[[found[0]]]
    assert brute_force(points[labeled:], centers, 9 - (not labeled)) == found[not labeled :]
    assert CoreSet(CoreSetParams(space="inputs")).select(views(100.0)[1]).tolist() == found


def test_inputs_in_parts_are_refused():
    with pytest.raises(SamplerError, match="set space: embeddings"):
        CoreSet(CoreSetParams(space="inputs")).select_in_parts(None, None)


def test_float32_is_the_default():
    assert CoreSetParams().dtype == "float32"


def test_refuses_another_dtype():
    with pytest.raises(ValidationError):
        CoreSetParams(dtype="float16")
