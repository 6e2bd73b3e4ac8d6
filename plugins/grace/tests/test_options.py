"""What must hold whatever is chosen."""

from dataclasses import replace

import pytest
import torch

from alharness import FUSED, SamplerError, Task
from alharness_grace.params import GraceParams
from alharness_grace.variants import Grace, estimated_sums

OPTIONS = [
    {"gradient_point": "last_layer"},
    {"member_scaling": "pool_rms"},
    {"norm_reduce": "concat"},
    {"rep_space": "representation"},
    {"rep_space": "fusion_representation"},
    {"distance": "sqeuclidean"},
    {"distance": "cosine"},
    {"representativeness": "far"},
    {"representativeness": "reciprocal"},
    {"easiness": "neg_difference"},
    {"normalize": "rank"},
    {"combine": {"additive": {"beta": 10, "gamma": 1}}},
]
LABELS = [{"pseudo_label": name} for name in ("cross", "consensus", "zero", "jacobian", "pairwise", "mc")]
ANCHORS = {"representativeness_anchors": 6}


def name(options):
    return " ".join(map(str, options.values()))


def score(query, **params):
    return Grace(GraceParams(**params)).score(query)


def at(world, rows):
    """The query with these samples for its pool."""
    view = type(world.query.unlabeled)({u: x[rows] for u, x in world.z.items()}, world.heads)
    return replace(world.query, unlabeled=view)


@pytest.fixture(params=OPTIONS, ids=name)
def options(request):
    return request.param


@pytest.fixture(params=LABELS, ids=name)
def label(request):
    return request.param


@pytest.fixture(params=[*OPTIONS, ANCHORS], ids=name)
def any_options(request):
    return request.param


def test_a_duplicate_gets_the_score_of_its_original(make_full_world, task, options):
    world = make_full_world(task)
    for x in world.z.values():
        x[30:] = x[10:20]
    scores = score(world.query, **options)
    # Distances of duplicates are roots of rounding errors, which may put another sample's rank between theirs.
    atol = 1.2 / 39 if options == {"normalize": "rank"} else 1e-7
    torch.testing.assert_close(scores[30:], scores[10:20], rtol=1e-7, atol=atol)


def test_all_gradients_zero_leaves_finite_scores(make_full_world, task, any_options):
    world = make_full_world(task)
    for parameter in world.heads.parameters():
        parameter.data.zero_()
    scores = score(world.query, **any_options)
    assert scores.isfinite().all()
    # Samples still differ where representations are looked at themselves.
    alike = not {"last_layer", "representation"} & set(map(str, any_options.values()))
    assert (len(scores.unique()) == 1) == alike


def test_samples_that_are_all_alike_get_one_score(make_full_world, task, any_options):
    scores = score(at(make_full_world(task), torch.zeros(40, dtype=torch.int64)), **any_options)
    assert scores.isfinite().all()
    torch.testing.assert_close(scores, scores[:1].expand(40))


@pytest.mark.parametrize("source", ["audio", FUSED])
def test_one_head_without_gradient_leaves_finite_scores(make_full_world, task, any_options, source):
    world = make_full_world(task)
    for parameter in world.heads.heads[source].parameters():
        parameter.data.zero_()
    scores = score(world.query, **any_options)
    assert scores.isfinite().all()
    assert len(scores.unique()) > 1


def test_float32_scores_as_float64(make_full_world, task, options):
    exact, usual = (
        score(make_full_world(task, dtype=dtype).query, **options) for dtype in (torch.float64, torch.float32)
    )
    torch.testing.assert_close(usual, exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("factor", [1e-3, 1e4])
def test_the_scores_do_not_depend_on_the_unit_of_the_labels(make_full_world, label, factor):
    world = make_full_world(Task.REGRESSION)
    expected = score(world.query, **label)
    draws = [factor * draw for draw in world.query.unlabeled.mc_draws(25)]
    world.query.unlabeled.mc_draws = lambda *_: iter(draws)

    def decode(z):
        return {source: factor * output for source, output in world.decode(z).items()}

    torch.testing.assert_close(score(replace(world.query, decode=decode), **label), expected)


@pytest.mark.parametrize(
    ("options", "source"),
    [({"gradient_point": "last_layer"}, "audio"), ({"rep_space": "fusion_representation"}, FUSED)],
    ids=["last_layer", "fusion_representation"],
)
def test_refuses_embeddings_that_are_not_finite_and_names_them(make_full_world, options, source):
    world = make_full_world(Task.REGRESSION)
    embeddings = world.query.unlabeled.embeddings(source)
    embeddings[[4, 6], 0] = torch.nan
    world.query.unlabeled.embeddings = lambda *_: embeddings
    with pytest.raises(SamplerError, match=f"2 of 40 rows of the embeddings of '{source}'"):
        score(world.query, **options)


def test_rescaled_members_have_a_root_mean_square_length_of_1(make_full_world, task):
    for pair in Grace(GraceParams(member_scaling="pool_rms")).gradients(make_full_world(task).query).values():
        for g in (pair.own, pair.fused):
            assert g.square().sum(1).mean().item() == pytest.approx(1)


def test_at_last_layers_the_cosine_of_plain_residuals_is_a_sign(make_full_world):
    params = GraceParams(gradient_point="last_layer", pseudo_label="cross")
    for pair in Grace(params).gradients(make_full_world(Task.REGRESSION).query).values():
        cosine = pair.cosine()
        torch.testing.assert_close(cosine.abs(), torch.ones_like(cosine))


def test_a_sure_head_keeps_its_residual_at_last_layers(make_full_world):
    world = make_full_world(Task.CLASSIFICATION, dtype=torch.float32)
    with torch.no_grad():
        for head in world.heads.heads.values():
            head[2].bias[1] = 25
    params = GraceParams(gradient_point="last_layer")
    for pair in Grace(params).gradients(world.query).values():
        own, fused = pair.residuals
        assert (own[:, 1] < 0).all()
        assert (fused[:, 1] < 0).all()


@pytest.mark.parametrize("weights", [{"beta": 1, "gamma": 0}, {"beta": 0, "gamma": 1}], ids=str)
def test_a_sum_of_one_criterion_ranks_by_it(make_full_world, task, weights):
    query = make_full_world(task).query
    found = score(query, alpha0=0, combine={"additive": weights})
    assert found.min() == 0
    assert found.max() == 1


@pytest.mark.parametrize("anchors", [39, 40, 1000])
def test_as_many_anchors_as_there_are_others_are_exact(make_full_world, task, anchors):
    query = make_full_world(task).query
    torch.testing.assert_close(score(query, representativeness_anchors=anchors), score(query))
    assert query.logged["representativeness_standard_error"] == 0


def test_one_anchor_less_is_an_estimate(make_full_world, task):
    query = make_full_world(task).query
    score(query, representativeness_anchors=38)
    assert 0 < query.logged["representativeness_standard_error"] < 0.1


def test_the_standard_error_has_no_unit(make_full_world):
    def error(factor):
        world = make_full_world(Task.REGRESSION)
        estimated_sums(world.query, 9, [factor * x for x in world.z.values()])
        return world.query.logged["representativeness_standard_error"]

    assert error(100) == pytest.approx(error(1))


def test_the_standard_error_falls_as_the_root_of_the_anchors(make_full_world):
    def error(anchors):
        query = make_full_world(Task.REGRESSION, n=2000).query
        score(query, representativeness_anchors=anchors)
        return query.logged["representativeness_standard_error"]

    assert error(25) / error(100) == pytest.approx(2, rel=0.3)


def test_the_default_logs_no_standard_error(make_full_world, task):
    query = make_full_world(task).query
    score(query)
    assert "representativeness_standard_error" not in query.logged
