import numpy as np
import pytest
import torch
from pydantic import ValidationError

from alharness import Feature, SamplerError, Task
from alharness.kernels import join_modalities, k_means
from alharness.testing import SamplerConformance, Scenario, TensorView, make_query
from alharness_probcover.plugin import ProbCoverParams, alharness_samplers
from alharness_probcover.sampler import ProbCover

(PLUGIN,) = alharness_samplers()


class TestConformance(SamplerConformance):
    plugin = PLUGIN
    deterministic = False


def places(n, seed=0):
    rng = np.random.default_rng(seed)
    centers = 3 * np.random.default_rng(99).normal(size=(6, 5))
    x = (centers[rng.integers(6, size=n)] + rng.normal(size=(n, 5))).astype(np.float32)
    return {"audio": torch.from_numpy(x[:, :2]), "text": torch.from_numpy(x[:, 2:])}


def make(n=200, labeled=20, size=12, seed=3, **more):
    both = places(n + labeled)
    known, pool = ({m: x[rows] for m, x in both.items()} for rows in (slice(labeled), slice(labeled, None)))
    points = join_modalities([*both.values()])
    return points, make_query(TensorView(inputs=pool), TensorView(inputs=known), size=size, seed=seed, **more)


def distances(points):
    from scipy.spatial.distance import cdist

    return cdist(points.double(), points.double())


def oracle(apart, labeled, size, radius, luck):
    """Algorithm 1 with its graph: edges from each sample to those in its ball."""
    graph = apart < radius
    for center in range(labeled):
        graph[:, graph[center].copy()] = False
    picks = []
    for _ in range(size):
        degrees = {i: graph[i].sum() for i in range(labeled, len(graph)) if i not in picks}
        tied = [i for i, degree in degrees.items() if degree == max(degrees.values())]
        picks.append(max(tied, key=lambda i: luck[i - labeled]))
        graph[:, graph[picks[-1]].copy()] = False
    return [pick - labeled for pick in picks]


@pytest.mark.parametrize(("labeled", "size"), [(20, 12), (1, 60), (0, 9), (20, 200)])
@pytest.mark.parametrize("radius", [0.4, 1.2, 5.0])
def test_picks_are_those_of_the_paper(labeled, size, radius):
    points, query = make(labeled=labeled, size=size)
    luck = np.random.default_rng(3).random(200)
    expected = oracle(distances(points), labeled, size, radius, luck)
    assert ProbCover(ProbCoverParams(radius=radius)).select(query).tolist() == expected


@pytest.mark.parametrize("purity", [0.5, 0.95, 0.999])
def test_the_radius_is_the_largest_at_which_balls_are_pure(purity):
    points, query = make(classes=tuple("abcdef"), size=1)
    ProbCover(ProbCoverParams(purity=purity)).select(query)
    found = query.logged["radius"]
    clusters = k_means(points, 6, np.random.default_rng(3)).numpy()
    apart = distances(points)

    def share(radius):
        return np.mean([(clusters[apart[i] < radius] == clusters[i]).all() for i in range(len(apart))])

    assert share(found - 1e-5) >= purity
    assert share(found + 1e-5) < purity


def test_the_share_that_is_covered_is_logged():
    points, query = make(size=5)
    picks = 20 + ProbCover(ProbCoverParams(radius=0.5)).select(query).numpy()
    apart = distances(points)
    covered = (apart[[*range(20), *picks]] < 0.5).any(0).mean()
    assert query.logged == {"radius": 0.5, "covered": pytest.approx(covered)}


def test_how_distances_are_computed_changes_nothing(monkeypatch):
    chosen = []
    for block, kept in ((7, 0), (1024, 0), (1024, 300)):
        monkeypatch.setattr("alharness_probcover.sampler.BLOCK", block)
        monkeypatch.setattr("alharness_probcover.sampler.KEPT", kept)
        chosen.append(ProbCover(ProbCoverParams()).select(make(size=20)[1]).tolist())
    assert chosen[0] == chosen[1] == chosen[2]


def test_if_all_is_covered_chance_decides():
    firsts = {
        ProbCover(ProbCoverParams(radius=1e3)).select(make(size=1, seed=seed)[1]).item() for seed in range(20)
    }
    assert len(firsts) > 10


def test_it_reads_its_space_and_serves_both_tasks():
    assert PLUGIN.features(ProbCoverParams()) == {Feature.INPUTS}
    assert PLUGIN.features(ProbCoverParams(space="representations")) == {Feature.REPRESENTATIONS}
    assert PLUGIN.tasks == set(Task)


def test_embeddings_that_are_not_finite_are_counted():
    view = TensorView(embeddings=torch.tensor([[1.0], [torch.inf], [2.0]]))
    with pytest.raises(SamplerError, match="1 of 4"):
        ProbCover(ProbCoverParams(space="embeddings")).select(
            make_query(view, TensorView(embeddings=torch.ones(1, 1)), size=1)
        )


@pytest.mark.parametrize("wrong", [{"radius": 0}, {"purity": 1}, {"clusters": 1}, {"space": "pixels"}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        ProbCoverParams(**wrong)


@pytest.mark.parametrize("space", ["embeddings", "representations"])
def test_a_space_of_the_model_serves_as_well(space):
    plain, shifted = Scenario(incomplete=True), Scenario(incomplete=True, offset=1000)
    params = ProbCoverParams(space=space)
    found, other = (x.ask(ProbCover(params), PLUGIN.features(params)).positions for x in (plain, shifted))
    assert len(found) == 6
    assert found == other
