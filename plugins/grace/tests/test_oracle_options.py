"""Every option of GRACE against loops over samples and pairs, in float64 and plain Python."""

import math
import statistics

import pytest
import torch

from alharness import FUSED, Task
from alharness_grace.params import GraceParams
from alharness_grace.variants import Grace

N, DRAWS = 10, 4
ALPHA = 0.3

BOTH_TASKS = [
    {},
    {"gradient_point": "last_layer"},
    {"member_scaling": "pool_rms"},
    {"norm_reduce": "concat"},
    {"rep_space": "representation"},
    {"rep_space": "fusion_representation"},
    {"distance": "sqeuclidean"},
    {"distance": "cosine"},
    {"representativeness": "far"},
    {"representativeness": "reciprocal"},
    {"representativeness_anchors": N - 1},
    {"representativeness_anchors": N + 5, "rep_space": "representation"},
    {"easiness": "neg_difference"},
    {"normalize": "rank"},
    {"combine": {"additive": {"beta": 1, "gamma": 10}}},
    {"combine": {"additive": {"beta": 10, "gamma": 0.5}}},
    {"member_scaling": "pool_rms", "easiness": "neg_difference", "normalize": "rank", "norm_reduce": "concat"},
    {"rep_space": "representation", "distance": "cosine", "member_scaling": "pool_rms"},
    {"gradient_point": "last_layer", "distance": "cosine", "representativeness": "reciprocal"},
]
LABELS = [
    {"pseudo_label": "expected"},
    {"pseudo_label": "expected", "sigma": 0.7},
    {"pseudo_label": "cross"},
    {"pseudo_label": "consensus"},
    {"pseudo_label": "zero"},
    {"pseudo_label": "jacobian"},
    {"pseudo_label": "pairwise"},
    {"pseudo_label": "mc", "draws": DRAWS},
]
REGRESSION = [
    {**label, **others}
    for label in LABELS
    for others in ({}, {"easiness": "neg_difference", "distance": "cosine"}, {"gradient_point": "last_layer"})
]


def jacobians(world, i):
    """Source, modality -> rows of the Jacobian of sample i; and source -> outputs."""
    leaves = {u: x[i : i + 1].clone().requires_grad_() for u, x in world.z.items()}
    J, o = {}, {}
    for source, output in world.decode(leaves).items():
        o[source] = output[0].tolist()
        for u in leaves if source == FUSED else [source]:
            rows = [torch.autograd.grad(c, leaves[u], retain_graph=True)[0][0] for c in output[0]]
            J[source, u] = [row.tolist() for row in rows]
    return J, o


def class_errors(o):
    label = max(range(3), key=o[FUSED].__getitem__)
    return {s: [math.exp(v) - (c == label) for c, v in enumerate(log_p)] for s, log_p in o.items()}


def label_errors(world, o, sigma, label):
    """Source, modality -> what the source is off; in two halves, one for each of the labels o_m ± σ."""
    o = {source: value for source, (value,) in o.items()}
    mean = statistics.mean(o[u] for u in world.z)
    targets = {
        "cross": lambda source, u: mean if source == FUSED else o[FUSED],
        "consensus": lambda source, u: statistics.mean(o.values()),
        "zero": lambda source, u: 0,
        "jacobian": lambda source, u: o[source] - 1,
        "pairwise": lambda source, u: o[u] if source == FUSED else o[FUSED],
    }
    keys = [(u, u) for u in world.z] + [(FUSED, u) for u in world.z]
    if label in targets:
        return {key: [o[key[0]] - targets[label](*key)] for key in keys}
    signs = (1, -1)
    return {key: [(o[key[0]] - o[FUSED] - sign * sigma) / math.sqrt(2) for sign in signs] for key in keys}


def outer(q, x):
    return [a * b for a in q for b in x]


def outer_of_row(q, J):
    return outer(q, J[0])


def contracted(q, J):
    """Jᵀq."""
    return [sum(a * b for a, b in zip(q, column, strict=True)) for column in zip(*J, strict=True)]


def naive_members(world, params):
    """One dict a sample, source, modality -> member; and the same of what the cosines are taken of."""
    modalities = list(world.z)
    parts = [jacobians(world, i) for i in range(N)]
    gaps = [o[u][0] - o[FUSED][0] for _, o in parts for u in modalities]
    draws = [draw[:, 0].tolist() for draw in world.query.unlabeled.mc_draws(DRAWS)]
    G, compared = [], []
    for i, (J, o) in enumerate(parts):
        if params.pseudo_label == "mc":
            sigma = statistics.pstdev(draw[i] for draw in draws)
        else:
            sigma = math.hypot(*gaps) / math.sqrt(len(gaps)) if params.sigma == "auto" else params.sigma
        if world.query.task is Task.CLASSIFICATION:
            q = {(s, u): class_errors(o)[s] for s, u in J}
        else:
            q = label_errors(world, o, sigma, params.pseudo_label)
        if params.gradient_point == "last_layer":
            at = {(s, u): world.z[u][i] if s == FUSED else world.query.unlabeled.embeddings(u)[i] for s, u in J}
            G.append({key: outer(q[key], at[key].tolist()) for key in J})
            compared.append(q)
        else:
            combined = contracted if world.query.task is Task.CLASSIFICATION else outer_of_row
            G.append({key: combined(q[key], J[key]) for key in J})
            compared.append(G[-1])
    return G, compared


def rescaled(G):
    rms = {key: math.sqrt(statistics.mean(math.hypot(*p[key]) ** 2 for p in G)) for key in G[0]}
    return [{key: [x / rms[key] for x in g] for key, g in p.items()} for p in G]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


DISTANCES = {
    "euclidean": math.dist,
    "sqeuclidean": lambda a, b: math.dist(a, b) ** 2,
    "cosine": lambda a, b: 1 - cosine(a, b),
}
SENSES = {"near": lambda mean: -mean, "far": lambda mean: mean, "reciprocal": lambda mean: 1 / mean}


def features(world, G, space):
    embedding = [{"fused": row} for row in world.query.unlabeled.embeddings().tolist()]
    if space == "fusion_representation":
        return embedding
    if space == "representation":
        z = [{u: x[i].tolist() for u, x in world.z.items()} for i in range(N)]
        return [a | b for a, b in zip(z, embedding, strict=True)]
    return G


def min_max(values):
    low, high = min(values), max(values)
    return [(v - low) / (high - low) if high - low > 1e-12 else 1.0 for v in values]


def rank(values):
    from scipy.stats import rankdata

    return [(r - 1) / (len(values) - 1) for r in rankdata(values)]


def naive_score(world, params):
    G, compared = naive_members(world, params)
    if params.member_scaling == "pool_rms":
        G = rescaled(G)
    norms = [[math.hypot(*g) for g in p.values()] for p in G]
    i = [sum(row) if params.norm_reduce == "sum" else math.hypot(*row) for row in norms]

    x, d = features(world, G, params.rep_space), DISTANCES[params.distance]
    means = [statistics.fmean(sum(d(p[key], q[key]) for key in p) for q in x if q is not p) for p in x]
    r = [SENSES[params.representativeness](mean) for mean in means]

    if params.easiness == "cosine":
        e = [sum(cosine(p[u, u], p[FUSED, u]) for u in world.z) for p in compared]
    else:
        e = [-sum(math.dist(p[u, u], p[FUSED, u]) for u in world.z) for p in G]

    scale = {"min_max": min_max, "rank": rank}[params.normalize]
    scaled = zip(scale(i), scale(r), scale(e), strict=True)
    if params.combine == "product":
        return [ALPHA * s_e + s_i * s_r for s_i, s_r, s_e in scaled]
    weights = params.combine.additive
    return [ALPHA * s_e + weights.beta * s_i + weights.gamma * s_r for s_i, s_r, s_e in scaled]


def name(options):
    return " ".join(f"{key}={value}" for key, value in options.items()) or "default"


def check(world, options):
    params = GraceParams(alpha0=ALPHA, **options)
    expected = torch.tensor(naive_score(world, params), dtype=torch.float64)
    torch.testing.assert_close(Grace(params).score(world.query), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("options", BOTH_TASKS, ids=name)
def test_an_option_does_what_loops_do(make_full_world, task, options):
    check(make_full_world(task, n=N), options)


@pytest.mark.parametrize("options", REGRESSION, ids=name)
def test_a_label_of_regression_does_what_loops_do(make_full_world, options):
    check(make_full_world(Task.REGRESSION, n=N), options)


@pytest.mark.parametrize("options", [*BOTH_TASKS, *LABELS], ids=name)
def test_every_option_but_the_default_changes_the_scores(make_full_world, options):
    world = make_full_world(Task.REGRESSION, n=N)
    same = options in ({}, {"pseudo_label": "expected"}, {"representativeness_anchors": N - 1})
    default, found = (Grace(GraceParams(**given)).score(world.query) for given in ({}, options))
    assert torch.allclose(found, default) == same
