import numpy as np
import pytest
import torch
from pydantic import ValidationError

from alharness import Feature, SamplerError, Task
from alharness.testing import SamplerConformance, TensorView
from alharness.testing import make_query as make_tensor_query
from alharness_badge.plugin import BadgeParams, alharness_samplers
from alharness_badge.sampler import Badge


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]
    deterministic = False
    offset_invariant = False  # the last layer's gradient is a product with its input


class TestConformanceFromAUniformFirstPick(TestConformance):
    params = {"first": "uniform", "source": "audio"}


def make_query(log_p, h, size, seed=0):
    return make_tensor_query(TensorView(predictions=log_p, embeddings=h), size=size, seed=seed)


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def world(n=80, classes=4, d=6):
    return (2 * normal(n, classes, 1)).log_softmax(1), normal(n, d, 2)


def picks(query, **params):
    return Badge(BadgeParams(**params)).select(query).tolist()


def gradients(log_p, h):
    """Of the cross-entropy at the weights of a linear layer, sample by sample, by autograd."""
    rows = []
    for logits, x in zip(log_p.double(), h.double(), strict=True):
        weights = torch.zeros(len(logits), len(x), dtype=torch.float64, requires_grad=True)
        loss = torch.nn.functional.cross_entropy((weights @ x + logits)[None], logits.argmax()[None])
        rows.append(torch.autograd.grad(loss, weights)[0].flatten())
    return torch.stack(rows)


def race(g, size, uniforms, first):
    """k-means++ as a race of exponential clocks, with distances from differences."""
    chosen, clocks = [first], -torch.log(1 - uniforms)
    gaps = (g - g[first]).square().sum(1)
    while len(chosen) < size:
        waits = torch.where(gaps > 0, clocks / gaps, torch.inf)
        i = int(waits.argmin())
        clocks, gaps = clocks - waits[i] * gaps, torch.minimum(gaps, (g - g[i]).square().sum(1))
        chosen.append(i)
    return chosen


@pytest.mark.parametrize(("n", "size"), [(80, 30), (80, 79), (1, 1)])
def test_equals_k_means_plus_plus_on_explicit_gradients(n, size):
    log_p, h = world(n)
    g = gradients(log_p, h)
    uniforms = torch.from_numpy(np.random.default_rng(3).random(n))
    expected = race(g, size, uniforms, int(g.norm(dim=1).argmax()))
    assert picks(make_query(log_p, h, size, seed=3)) == expected


def test_an_offset_of_the_embeddings_costs_no_digits():
    log_p, h = world()
    h = h + 1000
    g = gradients(log_p, h)
    uniforms = torch.from_numpy(np.random.default_rng(3).random(80))
    expected = race(g, 30, uniforms, int(g.norm(dim=1).argmax()))
    assert picks(make_query(log_p, h, 30, seed=3)) == expected


def test_a_uniform_first_pick_is_uniform():
    from scipy.stats import chisquare

    log_p, h = world(8)
    firsts = [picks(make_query(log_p, h, 1, seed), first="uniform")[0] for seed in range(600)]
    assert chisquare(np.bincount(firsts, minlength=8)).pvalue > 1e-3


def test_the_potential_is_that_of_another_implementation():
    from sklearn.cluster import kmeans_plusplus

    log_p, h = world(60)
    g = gradients(log_p, h)

    def potential(chosen):
        return torch.cdist(g, g[chosen]).amin(1).square().sum().item()

    ours = [potential(picks(make_query(log_p, h, 6, seed), first="uniform")) for seed in range(300)]
    theirs = [
        potential(kmeans_plusplus(g.numpy(), 6, random_state=seed, n_local_trials=1)[1].tolist())
        for seed in range(300)
    ]
    error = np.hypot(np.std(ours), np.std(theirs)) / np.sqrt(300)
    assert abs(np.mean(ours) - np.mean(theirs)) < 3.5 * error


def test_confident_samples_are_told_apart_where_float32_is_saturated():
    # Two directions of gradients, all far below what 1 - p can hold.
    logits = torch.tensor([[60.0, 20, 0], [60, 0, 20]]).repeat(20, 1)
    log_p = logits.log_softmax(1)
    assert (log_p.exp().amax(1) == 1).all()
    first, second = picks(make_query(log_p, torch.ones(40, 2), 2))
    assert first % 2 != second % 2


def test_reads_the_source_asked_for():
    audio, h_audio = world()
    fused, h_fused = (2 * normal(80, 4, 3)).log_softmax(1), normal(80, 6, 4)
    query = make_query({"audio": audio, "fused": fused}, {"audio": h_audio, "fused": h_fused}, 20)
    assert picks(query, source="audio") == picks(make_query(audio, h_audio, 20))


def test_refuses_embeddings_that_are_not_finite():
    log_p, h = world()
    h[[4, 9]] = torch.nan
    with pytest.raises(SamplerError, match="2 of 80 rows of the features"):
        picks(make_query(log_p, h, 3))


def test_refuses_predictions_that_are_not_finite():
    log_p, h = world()
    log_p[4] = torch.nan
    with pytest.raises(SamplerError, match="1 of 80 rows of the left factors"):
        picks(make_query(log_p, h, 3))


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_reads_embeddings_and_predictions(plugin):
    assert (plugin.name, plugin.requires) == ("badge", {Feature.EMBEDDINGS, Feature.PREDICTIONS})


def test_serves_classification_only(plugin):
    assert plugin.tasks == {Task.CLASSIFICATION}


def test_defaults_are_those_of_the_authors_program():
    assert BadgeParams().model_dump() == {"first": "max_norm", "source": "fused"}


def test_refuses_another_first_pick():
    with pytest.raises(ValidationError):
        BadgeParams(first="random")
