"""GRACE against a double loop over samples, in float64 and in plain Python if possible."""

import math

import pytest
import torch

from alharness import FUSED, Task
from alharness_grace.params import GraceParams
from alharness_grace.sampler import DefaultGrace

GRACE = DefaultGrace(GraceParams())


def jacobians(world, i):
    """Source, modality -> (C, d_u) for sample i, a row of the Jacobian at a time; and the outputs (C,)."""
    leaves = {u: x[i : i + 1].clone().requires_grad_() for u, x in world.z.items()}
    outputs = world.decode(leaves)
    J = {}
    for source, output in outputs.items():
        for u in leaves if source == FUSED else [source]:
            rows = [torch.autograd.grad(o, leaves[u], retain_graph=True)[0][0] for o in output[0]]
            J[source, u] = torch.stack(rows)
    return J, {source: output[0].detach() for source, output in outputs.items()}


def classification_members(world):
    G = []
    for i in range(len(world.query.unlabeled)):
        J, log_p = jacobians(world, i)
        target = torch.zeros(3, dtype=torch.float64)
        target[log_p[FUSED].argmax()] = 1
        G.append({key: (J[key].T @ (log_p[key[0]].exp() - target)).tolist() for key in J})
    return G


def regression_members(world):
    """The plain squared-error gradients for the labels o_m + σ and o_m − σ, one after the other, over √2."""
    n, modalities = len(world.query.unlabeled), list(world.z)
    parts = [jacobians(world, i) for i in range(n)]
    sigma = math.sqrt(
        sum(float(o[u] - o[FUSED]) ** 2 for _, o in parts for u in modalities) / (n * len(modalities))
    )
    G = []
    for J, o in parts:
        sample = {}
        for source, u in J:
            labels = (o[FUSED] + sigma, o[FUSED] - sigma)
            halves = [(o[source] - y) * J[source, u][0] / math.sqrt(2) for y in labels]
            sample[source, u] = torch.cat(halves).tolist()
        G.append(sample)
    return G


def norm(g):
    return math.hypot(*g)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / (norm(a) * norm(b))


def raw_criteria(G, modalities):
    return {
        "i": [sum(norm(g) for g in p.values()) for p in G],
        "r": [-sum(math.dist(p[key], q[key]) for q in G for key in p) for p in G],
        "e": [sum(cosine(p[u, u], p[FUSED, u]) for u in modalities) for p in G],
    }


def scaled(values):
    low, high = min(values), max(values)
    return [(v - low) / (high - low) for v in values]


@pytest.fixture(params=[1, 2, 3])
def world(request, make_world, task):
    return make_world(task, request.param, n=25)


@pytest.fixture
def G(world):
    make = {Task.CLASSIFICATION: classification_members, Task.REGRESSION: regression_members}
    return make[world.query.task](world)


def close(actual, expected):
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), rtol=1e-9, atol=1e-12)


def test_informativeness(world, G):
    close(GRACE.informativeness(GRACE.gradients(world.query)), raw_criteria(G, world.z)["i"])


def test_representativeness(world, G):
    close(GRACE.representativeness(world.query, GRACE.gradients(world.query)), raw_criteria(G, world.z)["r"])


def test_easiness(world, G):
    close(GRACE.easiness(GRACE.gradients(world.query)), raw_criteria(G, world.z)["e"])


@pytest.mark.parametrize(("cycle", "alpha"), [(0, 0.6), (1, 0.4), (2, 0.2)])
def test_score(make_world, task, cycle, alpha):
    world = make_world(task, n=25, cycle=cycle, cycles=3)
    G = (classification_members if task is Task.CLASSIFICATION else regression_members)(world)
    i, r, e = (scaled(values) for values in raw_criteria(G, world.z).values())
    expected = [alpha * e_p + i_p * r_p for i_p, r_p, e_p in zip(i, r, e, strict=True)]
    close(DefaultGrace(GraceParams(alpha0=0.6)).score(world.query), expected)


def test_float32_ranks_as_float64(make_world, task):
    exact, usual = (
        GRACE.select(make_world(task, n=200, size=30, dtype=dtype).query).positions.tolist()
        for dtype in (torch.float64, torch.float32)
    )
    assert usual == exact
