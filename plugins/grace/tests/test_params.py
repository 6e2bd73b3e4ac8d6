import pytest
from pydantic import ValidationError

from alharness import SamplerError, Task
from alharness_grace.params import Additive, GraceParams, Weights
from alharness_grace.variants import Grace


def test_a_sum_has_weights_of_1_unless_told():
    combine = GraceParams(combine={"additive": {"gamma": 10}}).combine
    assert combine == Additive(additive=Weights(beta=1, gamma=10))


@pytest.mark.parametrize(
    "params",
    [
        {"gradient_point": "parameters"},
        {"pseudo_label": "rounded"},
        {"sigma": 0},
        {"sigma": "mean"},
        {"draws": 1, "pseudo_label": "mc"},
        {"representativeness_anchors": 1},
        {"combine": "additive"},
        {"combine": {"additive": {"beta": -1}}},
        {"combine": {"beta": 1}},
        {"combine": {"additive": {"alpha": 1}}},
        {"normalize": "z_score"},
    ],
    ids=str,
)
def test_refuses_wrong_values(params):
    with pytest.raises(ValidationError):
        GraceParams(**params)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pseudo_label": "cross", "sigma": 0.5}, "'cross' has none that can be set; leave sigma out"),
        ({"pseudo_label": "mc", "sigma": 0.5}, "'mc' has none that can be set"),
        ({"draws": 50}, "draws are made for the pseudo_label 'mc' only, and it is 'expected'"),
        ({"gradient_point": "last_layer", "easiness": "neg_difference"}, "belong to different weights; choose"),
        (
            {"representativeness_anchors": 9, "distance": "cosine"},
            "those of 'cosine' are exact .* leave representativeness_anchors out",
        ),
        ({"representativeness_anchors": 9, "distance": "sqeuclidean"}, "those of 'sqeuclidean' are exact"),
    ],
    ids=str,
)
def test_refuses_what_cannot_be_combined_and_says_why(params, message):
    with pytest.raises(ValidationError, match=message):
        GraceParams(**params)


@pytest.mark.parametrize(
    "params", [{}, {"pseudo_label": "mc", "draws": 50}, {"combine": {"additive": {"gamma": 10}}}], ids=str
)
def test_params_that_were_written_out_in_full_are_read_again(params):
    assert GraceParams(**GraceParams(**params).model_dump()) == GraceParams(**params)


@pytest.mark.parametrize("params", [{"pseudo_label": "zero"}, {"sigma": 0.5}], ids=str)
def test_classification_refuses_what_only_regression_reads(make_full_world, params):
    (name,) = params
    with pytest.raises(SamplerError, match=f"{name} .* is for regression.*leave {name} out of its params"):
        Grace(GraceParams(**params)).score(make_full_world(Task.CLASSIFICATION).query)
