import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from alharness import SamplerError
from alharness_gcnal.graph import unit_rows
from alharness_gcnal.plugin import GcnalParams
from alharness_gcnal.sampler import Gcnal


def picks(query, *, steps=20, **params):
    return Gcnal(GcnalParams(steps=steps, **params)).select(query).positions.tolist()


@pytest.fixture(params=["core", "uncertain"])
def variant(request):
    return request.param


def brute_force_core(features, unlabeled, size):
    """k-center greedy from all distances, from scratch for every pick."""
    distances = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")[:unlabeled]
    chosen = []
    for _ in range(size):
        gap = distances[:, [*range(unlabeled, len(features)), *chosen]].amin(1)
        gap[chosen] = -1
        chosen.append(int(gap.argmax()))
    return chosen


@pytest.fixture(params=[False, True], ids=["cosine", "shifted"])
def trained(request, points, dense, make_query):
    """(params) -> the sampler's answer, and hidden features and logits of the trained dense network."""
    unlabeled, labeled = points(50, 6, signed=request.param), points(7, 6, signed=request.param, seed=1)

    def answer(size, **params):
        params = GcnalParams(**{"hidden": 32, "steps": 60, **params})
        X = unit_rows(torch.cat([unlabeled, labeled]))
        A = dense.matrix(X, shifted=request.param)
        with torch.enable_grad():
            gcn = dense.train(X, A, 50, params, np.random.default_rng(0))
        query = make_query(unlabeled, labeled, size)
        selection = Gcnal(params).select(query)
        assert query.logged["affinity_shifted"] == request.param
        return selection, *(x.detach() for x in gcn(X, A))

    return answer


@pytest.mark.parametrize("size", [1, 20, 50])
def test_core_equals_brute_force_on_the_features_of_the_dense_network(trained, size):
    selection, hidden, logits = trained(size)
    features = torch.cat([hidden, logits[:, None]], 1)
    assert selection.positions.tolist() == brute_force_core(features, 50, size)


def test_the_logit_is_one_of_the_features(trained):
    # With one hidden unit that is dead everywhere, only the logit is left.
    selection, hidden, logits = trained(10, hidden=1, steps=5)
    features = torch.cat([hidden, logits[:, None]], 1)
    assert brute_force_core(features, 50, 10) != brute_force_core(hidden, 50, 10)
    assert selection.positions.tolist() == brute_force_core(features, 50, 10)


@pytest.mark.parametrize(("margin", "loss_weight"), [(0.1, 1.2), (0.4, 1.2), (0.1, 5)])
def test_uncertain_takes_the_scores_nearest_to_the_margin(trained, margin, loss_weight):
    selection, _, logits = trained(20, variant="uncertain", margin=margin, loss_weight=loss_weight)
    away = (logits[:50].sigmoid() - margin).abs()
    assert selection.positions.tolist() == away.argsort(stable=True)[:20].tolist()


def test_uncertain_tells_how_near_they_are(trained):
    selection, _, logits = trained(20, variant="uncertain", loss_weight=5)
    nearness = -(logits[:50].sigmoid() - 0.1).abs().sort().values[:20]
    torch.testing.assert_close(selection.scores, nearness, rtol=0, atol=1e-9)


def test_what_is_unlike_the_labeled_comes_first(make_query, points):
    # Two kinds of samples; only the first kind is labeled.
    first, second = points(30, 4) + torch.tensor([9.0, 0, 0, 0]), points(10, 4) + torch.tensor([0, 0, 0, 9.0])
    chosen = picks(make_query(torch.cat([first[:20], second]), first[20:], 1))
    assert chosen[0] >= 20


@pytest.mark.parametrize("params", [{}, {"affinity": "shifted"}, {"affinity": "cosine"}], ids=str)
def test_a_permuted_pool_gives_the_same_samples(make_query, points, variant, params):
    # Without dropout: masks belong to positions.
    unlabeled, labeled = points(60, 6), points(5, 6, seed=1)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    plain, permuted = (
        picks(make_query(U, labeled, 15), variant=variant, dropout=0, **params)
        for U in (unlabeled, unlabeled[order])
    )
    assert order[permuted].tolist() == plain


def test_the_order_of_the_labeled_does_not_matter(make_query, points, variant):
    unlabeled, labeled = points(60, 6), points(5, 6, seed=1)
    plain, flipped = (
        picks(make_query(unlabeled, L, 15), variant=variant, dropout=0) for L in (labeled, labeled.flip(0))
    )
    assert flipped == plain


def test_lengths_of_embeddings_do_not_matter(make_query, points, variant):
    unlabeled, labeled = points(60, 6), points(5, 6, seed=1)
    longer = unlabeled * (1 + torch.arange(60)[:, None])
    assert picks(make_query(longer, labeled, 9), variant=variant) == picks(
        make_query(unlabeled, labeled, 9), variant=variant
    )


def degenerate_pools():
    normal = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    return {
        "duplicates": normal[:3].repeat(4, 1),
        "constant": torch.full((12, 4), 0.7),
        "zeros": torch.zeros(12, 4),
        "offset": normal + 1000,
        "opposite": torch.cat([normal[:6], -normal[:6]]),
        "one zero row": normal.relu() * (torch.arange(12) > 0)[:, None],
        "one sample": normal[:1],
        "two samples": normal[:2],
        "tiny": normal * 1e-30,
        "large": normal * 1e15,
    }


@pytest.mark.parametrize("labeled", [0, 1, 3])
@pytest.mark.parametrize("kind", degenerate_pools())
def test_a_degenerate_pool_is_chosen_whole_when_the_budget_is_its_size(make_query, variant, kind, labeled):
    pool = degenerate_pools()[kind]
    query = make_query(pool, pool[:1].expand(labeled, -1), len(pool))
    assert sorted(picks(query, variant=variant)) == list(range(len(pool)))


def test_features_far_from_the_origin_keep_their_digits(make_query, points):
    # All cosines are near 1: what is left are differences of a thousandth, still well above rounding.
    unlabeled, labeled = points(40, 5) + 1000, points(4, 5, seed=1) + 1000
    wide, single = (make_query(unlabeled.to(t), labeled.to(t), 1) for t in (torch.float64, torch.float32))
    scores = [float(Gcnal(GcnalParams(variant="uncertain")).select(query).scores[0]) for query in (wide, single)]
    assert scores[1] == pytest.approx(scores[0], abs=1e-4)


def test_without_labels_the_first_of_core_is_random(make_query, points):
    from scipy.stats import chisquare

    pool = points(8, 3)
    firsts = [picks(make_query(pool, pool[:0], 1, seed=seed), steps=0)[0] for seed in range(400)]
    assert chisquare(np.bincount(firsts, minlength=8)).pvalue > 1e-3


def test_a_subset_is_a_pool_of_its_own(make_query, points, variant):
    unlabeled, labeled = points(60, 6), points(5, 6, seed=1)
    whole = make_query(unlabeled, labeled, 10)
    chosen = picks(whole, variant=variant, subset=25)
    drawn = make_query(unlabeled, labeled, 10)
    subset = np.sort(drawn.rng.choice(60, 25, replace=False, shuffle=False))
    # Its generator is in the state after the draw, as that of the whole query was.
    alone = make_query(unlabeled[subset], labeled, 10)
    alone.rng.bit_generator.state = drawn.rng.bit_generator.state
    assert chosen == subset[picks(alone, variant=variant)].tolist()


def test_every_sample_has_the_same_chance_to_be_in_the_subset(make_query, points):
    from scipy.stats import chisquare

    pool = points(8, 3)
    chosen = [picks(make_query(pool, pool[:1], 3, seed=seed), steps=0, subset=3) for seed in range(400)]
    assert chisquare(np.bincount(np.ravel(chosen), minlength=8)).pvalue > 1e-3


@pytest.mark.parametrize("subset", [60, 100])
def test_a_subset_that_is_not_smaller_than_the_pool_changes_nothing(make_query, points, subset):
    queries = [make_query(points(60, 6), points(5, 6, seed=1), 10) for _ in range(2)]
    assert picks(queries[0], subset=subset) == picks(queries[1])


def test_refuses_a_subset_that_is_smaller_than_the_budget(make_query, points):
    with pytest.raises(SamplerError, match="a subset of 9 samples cannot give the 10"):
        picks(make_query(points(60, 6), points(5, 6), 10), subset=9)


@pytest.mark.parametrize("side", ["unlabeled", "labeled"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e30])
def test_refuses_embeddings_that_are_not_finite(make_query, points, variant, side, value):
    views = {"unlabeled": points(20, 4, dtype=torch.float32), "labeled": points(4, 4, dtype=torch.float32)}
    views[side][2, 1] = value
    with pytest.raises(SamplerError, match="1 of 24 rows of the embeddings"):
        picks(make_query(**views, size=3), variant=variant)


def test_refuses_cosines_that_add_up_to_zero(make_query):
    with pytest.raises(SamplerError, match="affinity: auto"):
        picks(make_query(torch.eye(4), torch.zeros(0, 4), 2), affinity="cosine")


@pytest.mark.parametrize(("signed", "affinity", "shifted"), [(False, "shifted", 1), (True, "cosine", 0)])
def test_the_affinity_asked_for_is_used_and_logged(make_query, points, signed, affinity, shifted):
    query = make_query(points(31, 6, signed=signed), points(5, 6, signed=signed, seed=1), 3)
    picks(query, affinity=affinity)
    assert query.logged["affinity_shifted"] == shifted


def test_the_loss_after_training_is_logged(trained, make_query, points):
    query = make_query(points(60, 6), points(5, 6, seed=1), 3)
    picks(query, steps=200)
    longer = make_query(points(60, 6), points(5, 6, seed=1), 3)
    picks(longer, steps=0)
    assert 0 < query.logged["gcn_loss"] < longer.logged["gcn_loss"]


MEASURE = """
import torch
from alharness.testing import TensorView, make_query
from alharness_gcnal.plugin import GcnalParams
from alharness_gcnal.sampler import Gcnal
torch.set_num_threads(1)
def select(X):
    query = make_query(TensorView(embeddings=X[9:]), TensorView(embeddings=X[:9]), size=20)
    Gcnal(GcnalParams(steps=2)).select(query)
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
select(torch.randn(100, 64))
X = torch.randn(12000, 64)
open("/proc/self/clear_refs", "w").write("5")
before = peak()
select(X)
print(peak() - before)
"""


def test_memory_grows_with_samples_and_not_with_pairs():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("this system does not let a process reset its peak memory")
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 60  # MiB; X is 3, the hidden units 6, and the N × N matrix would be 549
