import pytest
import torch

from alharness_grace.params import GraceParams
from alharness_grace.sampler import DefaultGrace, Pair

GRACE = DefaultGrace(GraceParams())


def representativeness(G):
    return GRACE.representativeness(None, G)  # of the gradients alone


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def G():
    return {
        "audio": Pair(own=normal(30, 8), fused=normal(30, 4, 1)),
        "text": Pair(own=normal(30, 3, 2), fused=normal(30, 3, 3)),
    }


def test_missing_coordinates_are_zeros(G):
    padded = {u: Pair(own=p.own, fused=torch.zeros_like(p.own)) for u, p in G.items()}
    for u, pair in padded.items():
        pair.fused[:, : G[u].fused.shape[1]] = G[u].fused
    for criterion in (GRACE.informativeness, representativeness, GRACE.easiness):
        torch.testing.assert_close(criterion(padded), criterion(G))


def test_the_cosine_with_a_zero_vector_is_0(G):
    G["audio"].own[3] = 0
    G["audio"].fused[5] = 0
    found = G["audio"].cosine()
    assert found[[3, 5]].tolist() == [0.0, 0.0]
    assert (found != 0).sum() == 28


def test_tiny_gradients_keep_their_direction():
    g = normal(10, 4).float()
    tiny = {"audio": Pair(own=g * 1e-30, fused=g * 1e-30)}
    torch.testing.assert_close(tiny["audio"].cosine(), torch.ones(10, dtype=torch.float64), rtol=1e-6, atol=0)


def test_tiny_gradients_keep_their_length():
    g = normal(10, 4).float()
    tiny = {"audio": Pair(own=g * 1e-30, fused=g * 1e-30)}
    torch.testing.assert_close(
        GRACE.informativeness(tiny) * 1e30, 2 * g.double().norm(dim=1), rtol=1e-6, atol=0, check_dtype=False
    )


def test_a_far_outlier_represents_least(G):
    G["text"].fused[17] += 100
    s_r = GRACE.normalize(representativeness(G), G)
    assert s_r[17] == 0
    assert (s_r == 0).sum() == 1


def test_the_middle_of_the_pool_represents_best(G):
    for pair in G.values():
        for g in (pair.own, pair.fused):
            g[8] = g.mean(0)
    assert GRACE.normalize(representativeness(G), G).argmax() == 8


def test_distances_survive_an_offset(G):
    shifted = {u: Pair(own=p.own.float() + 1000, fused=p.fused.float() + 1000) for u, p in G.items()}
    torch.testing.assert_close(representativeness(shifted), representativeness(G), rtol=1e-4, atol=0)


def test_a_constant_criterion_is_1_everywhere(G):
    assert GRACE.normalize(torch.full((30,), 2.5), G).tolist() == [1.0] * 30


@pytest.mark.parametrize(("dtype", "constant"), [(torch.float32, True), (torch.float64, False)])
def test_rounding_errors_of_the_members_are_no_criterion(G, dtype, constant):
    rounded = {u: Pair(own=p.own.to(dtype), fused=p.fused.to(dtype)) for u, p in G.items()}
    criterion = 1 + 1e-7 * torch.rand(30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert (GRACE.normalize(criterion, rounded).min() == 1) == constant
