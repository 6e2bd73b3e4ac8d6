import numpy as np
import pytest
import torch

from alharness import FUSED, Feature, SamplerError, Task
from alharness.kernels import k_means_plus_plus, pseudo_residuals
from alharness.testing import SamplerConformance
from alharness_bmmal.plugin import BmmalParams, alharness_samplers
from alharness_bmmal.sampler import Bmmal, balancing_weights, shapley_values


class TestConformance(SamplerConformance):
    plugin = alharness_samplers()[0]
    deterministic = False
    offset_invariant = False  # gradients are products with the representations


class TestMidFusion(TestConformance):
    params = {"z_source": "fused"}


def picks(query, **params):
    return Bmmal(BmmalParams(**params)).select(query).tolist()


def embeddings(query, z=None):
    """Entry by entry: block c·Σd + offset_m holds q_c w_m z_m, with offsets that add up the widths before m."""
    p = query.unlabeled.predictions().double().exp()
    weights = balancing_weights(shapley_values(query, p.argmax(1)))
    z = [query.unlabeled.representations(m) for m in query.modalities] if z is None else z
    total = sum(x.shape[1] for x in z)
    g = torch.full((len(p), p.shape[1] * total), torch.nan, dtype=torch.float64)
    for i in range(len(p)):
        for c in range(p.shape[1]):
            residual = p[i, c] - float(c == p[i].argmax())
            offset = c * total
            for m, x in enumerate(z):
                g[i, offset : offset + x.shape[1]] = residual * weights[i, m] * x[i]
                offset += x.shape[1]
    assert g.isfinite().all()
    return g


def race(g, size, uniforms):
    """k-means++ as a race of exponential clocks, with distances from differences."""
    chosen, clocks = [int(g.norm(dim=1).argmax())], -torch.log(1 - uniforms)
    gaps = (g - g[chosen[0]]).square().sum(1)
    while len(chosen) < size:
        waits = torch.where(gaps > 0, clocks / gaps, torch.inf)
        i = int(waits.argmin())
        clocks, gaps = clocks - waits[i] * gaps, torch.minimum(gaps, (g - g[i]).square().sum(1))
        chosen.append(i)
    return chosen


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("modalities", [1, 2, 3, 4])
def test_equals_k_means_plus_plus_on_explicit_embeddings(make_z, make_query, modalities, dtype):
    query = make_query(make_z(modalities, dtype=dtype), 30, seed=4)
    expected = race(embeddings(query), 30, torch.from_numpy(np.random.default_rng(4).random(60)))
    assert picks(query) == expected


@pytest.mark.parametrize("modalities", [1, 2, 3])
def test_for_mid_fusion_a_modality_is_the_fused_embedding_of_it_alone(make_z, make_query, modalities):
    z = make_z(modalities)
    query = make_query(z, 30, seed=4)
    alone = []
    for m in z:
        others_absent = {k: x if k == m else x * 0 for k, x in z.items()}
        alone.append(query.embed(others_absent))
    expected = race(embeddings(query, alone), 30, torch.from_numpy(np.random.default_rng(4).random(60)))
    assert picks(query, z_source="fused") == expected
    assert modalities == 1 or expected != picks(make_query(z, 30, seed=4))


def test_the_whole_pool_is_a_batch_like_others(make_z, make_query):
    query = make_query(make_z(2), 60)
    expected = race(embeddings(query), 60, torch.from_numpy(np.random.default_rng(0).random(60)))
    assert picks(query) == expected


def test_with_equal_contributions_it_is_badge_on_the_concatenation(make_z, make_query):
    z = make_z(2)

    def decode(parts):
        # The second modality decides; the first comes in with a copy of its say, so that both contribute alike.
        say = parts["audio"][:, :3]
        return {FUSED: (say + parts["text"][:, :3]).log_softmax(1)}

    z["text"][:, :3] = z["audio"]
    query = make_query(z, 30, seed=4, decode=decode)
    uniforms = torch.from_numpy(np.random.default_rng(4).random(60))
    h = torch.cat(list(z.values()), 1)
    badge = k_means_plus_plus(pseudo_residuals(decode(z)[FUSED]), h, 30, uniforms)
    assert picks(query) == badge.tolist()


def test_a_modality_without_contribution_loses_weight(make_z, make_query):
    z = make_z(2)
    query = make_query(z, decode=lambda parts: {FUSED: (9 * parts["audio"][:, :2]).log_softmax(1)})
    picks(query)
    logged = query.logged
    assert (logged["mean_weight_audio"], logged["mean_weight_text"]) == pytest.approx((1, 0))


def test_gradients_are_not_recorded(make_z, make_query):
    z = make_z(2)
    seen = []

    def decode(parts):
        seen.append(torch.is_grad_enabled())
        return {FUSED: parts["audio"].log_softmax(1)}

    query = make_query(z, decode=decode)
    seen.clear()
    shapley_values(query, torch.zeros(60, dtype=torch.int64))
    assert seen == [False] * 4


def test_an_offset_of_the_representations_is_no_hindrance(make_z, make_query):
    z = {m: x + 1000 for m, x in make_z().items()}
    query = make_query(z, 30, seed=4, decode=lambda parts: {FUSED: (parts["text"][:, :3] - 1000).log_softmax(1)})
    expected = race(embeddings(query), 30, torch.from_numpy(np.random.default_rng(4).random(60)))
    assert picks(query) == expected


def test_refuses_a_head_that_gives_nothing_for_an_absent_modality(make_z, make_query):
    # As one that divides by the length of a representation would.
    def decode(parts):
        text = parts["text"]
        return {FUSED: (text / text.norm(dim=1, keepdim=True)).log_softmax(1)}

    with pytest.raises(SamplerError, match="60 of 60 rows of the Shapley values"):
        picks(make_query(make_z(), decode=decode))


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


@pytest.mark.parametrize(("z_source", "more"), [("encoder", set()), ("fused", {Feature.EMBEDDINGS})])
def test_reads_representations_and_predictions_and_decodes(plugin, z_source, more):
    read = plugin.features(BmmalParams(z_source=z_source))
    assert (plugin.name, read) == ("bmmal", {Feature.REPRESENTATIONS, Feature.PREDICTIONS, Feature.DECODE} | more)


def test_serves_classification_only(plugin):
    assert plugin.tasks == {Task.CLASSIFICATION}


def test_late_fusion_is_the_default():
    assert BmmalParams().z_source == "encoder"
