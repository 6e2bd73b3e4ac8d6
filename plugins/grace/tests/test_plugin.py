import pytest
from pydantic import ValidationError

from alharness import Feature, SamplerError, Setting, Task
from alharness_grace.params import GraceParams
from alharness_grace.plugin import alharness_samplers, exact_seconds


@pytest.fixture
def plugin():
    (plugin,) = alharness_samplers()
    return plugin


def test_is_known_as_grace(plugin):
    assert plugin.name == "grace"


@pytest.mark.parametrize(
    ("params", "more"),
    [
        ({}, set()),
        ({"gradient_point": "last_layer"}, {Feature.EMBEDDINGS}),
        ({"rep_space": "representation"}, {Feature.EMBEDDINGS}),
        ({"rep_space": "fusion_representation"}, {Feature.EMBEDDINGS}),
        ({"pseudo_label": "mc"}, {Feature.MC_DRAWS}),
    ],
)
def test_needs_what_its_options_read(plugin, params, more):
    assert plugin.features(GraceParams(**params)) == {Feature.REPRESENTATIONS, Feature.DECODE} | more


def setting(task=Task.REGRESSION, unlabeled=(1000,)):
    modalities = ("audio", "text", "vision")
    return Setting(task=task, modalities=modalities, unlabeled=unlabeled, sizes=(10,) * len(unlabeled))


@pytest.mark.parametrize("params", [{"pseudo_label": "cross"}, {"sigma": 0.5}])
def test_labels_of_regression_are_refused_before_training(plugin, params):
    assert plugin.review(GraceParams(**params), setting()) == []
    with pytest.raises(SamplerError, match=f"{next(iter(params))} .* is for regression"):
        plugin.review(GraceParams(**params), setting(Task.CLASSIFICATION))


def test_a_long_query_is_told_with_the_way_out(plugin):
    (warning,) = plugin.review(GraceParams(), setting(unlabeled=(1_000_000, 900_000)))
    assert "every pair of 1,000,000 unlabeled samples" in warning
    assert "about 4 hours for one query and 8 hours for the 2 of each seed" in warning
    assert "representativeness_anchors: 1000" in warning


@pytest.mark.parametrize(
    "params",
    [{"representativeness_anchors": 1000}, {"distance": "sqeuclidean"}, {"distance": "cosine"}],
)
def test_nothing_is_told_where_time_grows_with_the_pool_only(plugin, params):
    assert plugin.review(GraceParams(**params), setting(unlabeled=(10**7,))) == []


def test_the_cost_grows_with_what_is_compared_and_with_the_square_of_the_pool():
    one = exact_seconds(GraceParams(rep_space="fusion_representation"), 3, 10_000)
    assert exact_seconds(GraceParams(), 3, 10_000) == pytest.approx(6 * one)
    assert exact_seconds(GraceParams(rep_space="representation"), 3, 10_000) == pytest.approx(4 * one)
    assert exact_seconds(GraceParams(), 3, 20_000) == pytest.approx(24 * one)


def test_pools_of_the_usual_size_bring_no_warning(plugin):
    assert plugin.review(GraceParams(), setting(unlabeled=(17_230,))) == []


def test_serves_both_tasks(plugin):
    assert plugin.tasks == set(Task)


@pytest.mark.parametrize(
    "params", [{"alpha0": -0.1}, {"alpha_decay": -0.1}, {"alpha_decay": "exponential"}, {"alpha": 0.2}]
)
def test_refuses_wrong_parameters(params):
    with pytest.raises(ValidationError):
        GraceParams(**params)
