import pytest
import torch

from alharness import FUSED, Task
from alharness_grace.params import GraceParams
from alharness_grace.sampler import DefaultGrace

GRACE = DefaultGrace(GraceParams())


def score(query, **params):
    return DefaultGrace(GraceParams(**params)).score(query)


def picks(query, **params):
    return DefaultGrace(GraceParams(**params)).select(query).positions.tolist()


def linear(weights):
    """Heads that are linear in one z: source -> weights (d,)."""
    return lambda z: {s: z["audio"] @ torch.tensor(w, dtype=torch.float64)[:, None] for s, w in weights.items()}


def test_a_duplicate_gets_the_score_of_its_original(make_world, task):
    world = make_world(task)
    for x in world.z.values():
        x[30:] = x[10:20]
    scores = score(world.query)
    torch.testing.assert_close(scores[30:], scores[10:20])


def test_alpha_0_ranks_by_the_product(make_world, task):
    query = make_world(task).query
    G = GRACE.gradients(query)
    s_i = GRACE.normalize(GRACE.informativeness(G), G)
    s_r = GRACE.normalize(GRACE.representativeness(query, G), G)
    torch.testing.assert_close(score(query, alpha0=0), s_i * s_r)


def test_a_large_alpha_ranks_by_easiness(make_world, task):
    query = make_world(task, size=40).query
    expected = GRACE.easiness(GRACE.gradients(query)).argsort(descending=True)
    assert picks(query, alpha0=1e6) == expected.tolist()


def test_easiness_falls_as_a_head_parts_from_the_fusion(make_query):
    # Linear heads have constant Jacobians, at an acute angle here; o_u − o_m grows along the pool.
    z = {"audio": torch.arange(1.0, 9.0, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.0])}
    G = GRACE.gradients(make_query(z, linear({"audio": [2.0, 1.0], FUSED: [1.0, 1.0]}), Task.REGRESSION))
    assert (GRACE.easiness(G).diff() < 0).all()


@pytest.mark.parametrize("factor", [1e-3, 7.0, 1e4])
def test_the_ranking_does_not_depend_on_the_unit_of_the_labels(make_world, make_query, factor):
    world = make_world(Task.REGRESSION)

    def decode(z):
        return {source: factor * output for source, output in world.decode(z).items()}

    torch.testing.assert_close(score(make_query(world.z, decode, Task.REGRESSION)), score(world.query))


def test_all_gradients_zero_is_one_score_for_all(make_world, task):
    world = make_world(task)
    for parameter in world.heads.parameters():
        parameter.data.zero_()
    assert score(world.query).tolist() == pytest.approx([1.2] * 40)


@pytest.mark.parametrize("source", ["audio", FUSED])
def test_one_head_without_gradient_leaves_finite_scores(make_world, task, source):
    world = make_world(task)
    for parameter in world.heads.heads[source].parameters():
        parameter.data.zero_()
    scores = score(world.query)
    assert scores.isfinite().all()
    assert len(scores.unique()) > 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_samples_that_are_all_alike_get_one_score(make_world, make_query, task, dtype):
    world = make_world(task, dtype=dtype)
    z = {u: x[:1].repeat(40, 1) for u, x in world.z.items()}
    assert score(make_query(z, world.decode, task)).tolist() == pytest.approx([1.2] * 40)


def test_heads_that_agree_exactly_leave_finite_scores(make_world, make_query, task):
    world = make_world(task, 1)

    def decode(z):
        outputs = world.decode(z)
        return {"audio": outputs["audio"], FUSED: outputs["audio"].clone()}

    scores = score(make_query(world.z, decode, task))
    assert scores.isfinite().all()
    assert len(scores.unique()) > 1


def test_the_rounding_errors_of_one_modality_s_agreement_are_not_stretched(make_world, make_query):
    # Head and fusion are one function: every cosine is 1, give or take the last digit.
    world = make_world(Task.CLASSIFICATION, 1, dtype=torch.float32)

    def decode(z):
        return {"audio": world.decode(z)["audio"], FUSED: world.decode({"audio": 1 * z["audio"]})["audio"]}

    query = make_query(world.z, decode, Task.CLASSIFICATION)
    torch.testing.assert_close(score(query, alpha0=1) - score(query, alpha0=0), torch.ones(40).double())


def test_the_choice_is_the_head_of_the_ranking(make_world, task):
    query = make_world(task, size=7).query
    assert picks(query) == score(query).argsort(descending=True)[:7].tolist()


def test_another_model_gets_another_choice(make_world, task):
    assert picks(make_world(task).query) != picks(make_world(task, seed=1).query)


def test_the_weight_of_this_cycle_is_used_and_logged(make_world, task):
    first, last = (make_world(task, cycle=c, cycles=4).query for c in (0, 3))
    G = GRACE.gradients(first)
    easy = GRACE.normalize(GRACE.easiness(G), G)
    torch.testing.assert_close(score(first, alpha0=0.8) - score(last, alpha0=0.8), 0.6 * easy)
    logged = [query.logged["curriculum_alpha"] for query in (first, last)]
    assert logged == pytest.approx([0.8, 0.2])
