import numpy as np
import pytest
import torch

from alharness import Feature, SamplerError, Task
from alharness.kernels import join_modalities, k_means
from alharness.testing import SamplerConformance, Scenario, TensorView, make_query
from alharness_typiclust.plugin import TypiClustParams, alharness_samplers
from alharness_typiclust.sampler import ITERATIONS, TypiClust

(PLUGIN,) = alharness_samplers()


class TestConformance(SamplerConformance):
    plugin = PLUGIN
    deterministic = False


def places(n, seed=0):
    rng = np.random.default_rng(seed)
    groups = rng.integers(6, size=n)
    centers = 4 * np.random.default_rng(99).normal(size=(6, 5))
    x = (centers[groups] + rng.normal(size=(n, 5)) * (0.3 + groups[:, None] / 3)).astype(np.float32)
    return {"audio": torch.from_numpy(x[:, :2]), "text": torch.from_numpy(x[:, 2:])}


def make(n=200, labeled=20, size=12, seed=3):
    both = places(n + labeled)
    known, pool = ({m: x[rows] for m, x in both.items()} for rows in (slice(labeled), slice(labeled, None)))
    return both, make_query(
        TensorView(inputs=pool), TensorView(inputs=known, targets=torch.zeros(labeled)), size=size, seed=seed
    )


def oracle(points, clusters, luck, labeled, size, neighbors, smallest):
    """The paper's steps 2 and 3, one after another, with the neighbors of scikit-learn."""
    from sklearn.neighbors import NearestNeighbors

    members = {c: set(np.flatnonzero(clusters == c)) for c in set(clusters)}
    known = {c: sum(i < labeled for i in rows) for c, rows in members.items()}
    order = sorted(members, key=lambda c: (known[c], -len(members[c]), c))
    order = [c for c in order if len(members[c]) > smallest]
    free = {c: sorted(i for i in members[c] if i >= labeled) for c in order}
    picks = []
    while len(picks) < size:
        for c in order:
            if len(picks) == size or not free[c]:
                continue
            k = min(neighbors, len(free[c]) // 2)
            typical = np.ones(len(free[c]))
            if k:
                gaps, _ = NearestNeighbors(n_neighbors=k + 1).fit(points[free[c]]).kneighbors(points[free[c]])
                typical = 1 / gaps[:, 1:].mean(1)
            best = max(
                (i for i, t in zip(free[c], typical, strict=True) if t > typical.max() - 1e-9), key=luck.item
            )
            free[c].remove(best)
            picks.append(best - labeled)
    return picks


@pytest.mark.parametrize(
    ("labeled", "size", "neighbors", "smallest", "most"),
    [(20, 12, 20, 5, 500), (1, 6, 20, 5, 500), (20, 30, 3, 2, 9), (0, 8, 5, 5, 500)],
)
def test_picks_are_those_of_the_paper(labeled, size, neighbors, smallest, most):
    both, query = make(labeled=labeled, size=size)
    params = TypiClustParams(neighbors=neighbors, smallest=smallest, most_clusters=most)
    points = join_modalities([*both.values()])
    rng = np.random.default_rng(3)
    clusters = k_means(points, min(labeled + size, most), rng, iterations=ITERATIONS).numpy()
    luck = rng.random(len(points))
    expected = oracle(points.double().numpy(), clusters, luck, labeled, size, neighbors, smallest)
    assert TypiClust(params).select(query) == expected


def test_each_pick_is_in_another_cluster_without_a_label():
    both, query = make(labeled=1, size=5)
    picks = TypiClust(TypiClustParams()).select(query)
    points = join_modalities([*both.values()])
    clusters = k_means(points, 6, np.random.default_rng(3), iterations=ITERATIONS)
    found = [int(clusters[1 + pick]) for pick in picks]
    assert len({*found, int(clusters[0])}) == 6


def test_an_outlier_is_never_typical():
    _, query = make(labeled=0, size=3)
    query.unlabeled.inputs("audio")[7] = 1e3
    assert 7 not in TypiClust(TypiClustParams()).select(query)


def test_small_clusters_serve_if_there_are_no_others():
    _, query = make(n=10, labeled=4, size=8)
    assert len(set(TypiClust(TypiClustParams()).select(query))) == 8


def test_it_reads_its_space_and_serves_both_tasks():
    assert PLUGIN.features(TypiClustParams()) == {Feature.INPUTS}
    assert PLUGIN.features(TypiClustParams(space="embeddings")) == {Feature.EMBEDDINGS}
    assert PLUGIN.tasks == set(Task)


def test_inputs_that_are_not_finite_are_counted():
    _, query = make()
    query.unlabeled.inputs("text")[:2] = torch.nan
    with pytest.raises(SamplerError, match="2 of 220"):
        TypiClust(TypiClustParams()).select(query)


@pytest.mark.parametrize("space", ["embeddings", "representations"])
def test_a_space_of_the_model_serves_as_well(space):
    scenario = Scenario(incomplete=True, offset=1000)
    params = TypiClustParams(space=space)
    assert len(scenario.ask(TypiClust(params), PLUGIN.features(params)).positions) == 6
