import numpy as np
import pytest
import torch

from alharness_gcnal.graph import connect, unit_rows
from alharness_gcnal.network import draw_kept, fresh_network, gradients, labeled_from_unlabeled, train
from alharness_gcnal.plugin import GcnalParams

UNLABELED, LABELED = 40, 8


@pytest.fixture(params=[False, True], ids=["cosine", "shifted"])
def graph(request, points, dense):
    X = unit_rows(points(UNLABELED + LABELED, 6, signed=request.param))
    return X, connect(X, "auto"), dense.matrix(X, shifted=request.param)


def masked(rows, units, dropout, rng):
    kept = torch.empty(rows, units, dtype=torch.float64)
    return kept, draw_kept(dropout, rng, kept)


def train_ours(X, A, params, seed=0):
    loss = labeled_from_unlabeled(UNLABELED, LABELED, params.loss_weight, X)
    return train(A, A @ X, loss, params, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"dropout": 0, "weight_decay": 0},
        {"hidden": 5, "loss_weight": 0.4, "dropout": 0.6, "learning_rate": 0.02, "weight_decay": 0.1},
    ],
    ids=["defaults", "plain", "others"],
)
def test_trains_to_the_weights_of_the_dense_network(graph, dense, params):
    X, A, matrix = graph
    params = GcnalParams(**params)
    assert params.steps == 200
    ours = train_ours(X, A, params)
    theirs = dense.train(X, matrix, UNLABELED, params, np.random.default_rng(0))
    for a, b in zip(ours.parameters, theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b.detach().view_as(a), rtol=0, atol=1e-9)


def test_gradients_are_those_of_the_dense_network(graph, dense):
    X, A, matrix = graph
    rng = np.random.default_rng(0)
    network = fresh_network(6, 7, rng, X)
    kept, share = masked(len(X), 7, 0.3, rng)
    loss = labeled_from_unlabeled(UNLABELED, LABELED, 1.2, X)
    ours = gradients(network, A, A @ X, loss, kept, share)
    gcn = dense.GCN(network)
    dense.loss(gcn(X, matrix, kept.to(X) / share)[1], UNLABELED, 1.2).backward()
    for a, parameter in zip(ours, gcn.parameters(), strict=True):
        torch.testing.assert_close(a, parameter.grad.view_as(a), rtol=1e-11, atol=1e-14)


def test_scores_in_float32_are_those_of_the_dense_network(points, dense):
    X = unit_rows(points(600, 32))
    network = fresh_network(32, 128, np.random.default_rng(0), X)
    _, logits = dense.GCN(network)(X, dense.matrix(X))
    single = fresh_network(32, 128, np.random.default_rng(0), X.float())
    A = connect(X.float(), "auto")
    ours = single.logits(A, single.hidden(A @ X.float())).sigmoid()
    torch.testing.assert_close(ours, logits.detach().sigmoid().float(), rtol=0, atol=2e-7)


def test_training_lowers_the_loss(graph):
    X, A, _ = graph
    loss = labeled_from_unlabeled(UNLABELED, LABELED, 1.2, X)
    before, after = (train_ours(X, A, GcnalParams(steps=steps)) for steps in (0, 200))
    assert loss.value(after.logits(A, after.hidden(A @ X))) < loss.value(before.logits(A, before.hidden(A @ X)))


@pytest.mark.parametrize(("name", "bound"), [("W1", 300**-0.5), ("b1", 300**-0.5), ("W2", 1), ("b2", 1)])
def test_first_weights_are_uniform_within_the_bound_of_their_layer(name, bound):
    from scipy.stats import kstest

    many = [fresh_network(4, 300, np.random.default_rng(seed), torch.zeros(1)) for seed in range(200)]
    drawn = torch.cat([getattr(network, name).flatten()[:100] for network in many]).numpy()
    assert kstest(drawn, "uniform", args=(-bound, 2 * bound)).pvalue > 1e-3


@pytest.mark.parametrize("dropout", [0.0, 0.3, 0.99])
def test_units_are_kept_with_the_probability_that_is_told(dropout):
    kept, share = masked(1000, 333, dropout, np.random.default_rng(0))
    spread = (share * (1 - share) / kept.numel()) ** 0.5
    assert abs(kept.double().mean().item() - share) <= 4 * spread


@pytest.mark.parametrize("dropout", [0.0, 0.3, 0.99])
def test_that_probability_is_the_one_asked_for_to_16_bits(dropout):
    assert masked(1, 1, dropout, np.random.default_rng(0))[1] == pytest.approx(1 - dropout, abs=2**-17)


def test_units_are_kept_independently_of_their_neighbors():
    kept = masked(4000, 8, 0.3, np.random.default_rng(0))[0].double()
    across = torch.cat([kept, kept.roll(1, 0)], 1)
    correlations = torch.corrcoef(across.T) - torch.eye(16)
    assert correlations.abs().max() < 4.5 / 4000**0.5


def test_every_step_has_masks_of_its_own():
    rng = np.random.default_rng(0)
    assert not torch.equal(masked(9, 9, 0.5, rng)[0], masked(9, 9, 0.5, rng)[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mask_has_the_dtype_of_what_it_multiplies_and_the_same_units_in_each(dtype):
    kept = torch.full((9, 7), torch.nan, dtype=dtype)
    draw_kept(0.5, np.random.default_rng(0), kept)
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(kept.double(), masked(9, 7, 0.5, np.random.default_rng(0))[0])
