import math

import numpy as np
import pytest

from alharness import DataError, Metrics, Task
from alharness.api.metrics import CLASSIFICATION, REGRESSION
from alharness.engine.metrics import evaluate, try_out

VALUES = np.array([[1.0], [3.0]]), np.array([2.0, 2.5])
SCORES = np.array([[0.1, 0.9], [3.0, -1.0], [0.0, 2.0]]), np.array([1, 0, 0])


def metrics(found, **more):
    settings = {"name": "ages", "task": Task.REGRESSION, "compute": lambda *_: found, "primary": "mae"}
    return Metrics(**(settings | more))


def test_the_largest_score_is_the_predicted_class():
    assert evaluate(CLASSIFICATION, *SCORES)["accuracy"] == pytest.approx(2 / 3)
    assert evaluate(REGRESSION, *VALUES)["mae"] == pytest.approx(0.75)


@pytest.mark.parametrize(("own", "given"), [(CLASSIFICATION, SCORES), (REGRESSION, VALUES)])
def test_the_ranking_metric_is_among_those_that_tables_show(own, given):
    assert own.primary in own.headline
    assert set(own.headline) <= set(evaluate(own, *given))


def test_case_32_numbers_of_numpy_are_numbers_and_what_is_undefined_is_nan():
    found = evaluate(metrics({"mae": np.float32(0.5), "worst": np.int64(3), "corr": math.nan}), *VALUES)
    assert (found["mae"], found["worst"]) == (0.5, 3.0)
    assert {type(value) for value in found.values()} == {float}
    assert math.isnan(found["corr"])


@pytest.mark.parametrize(
    ("found", "more", "message"),
    [
        ({"rmse": 1.0}, {}, "compute of 'ages' gave rmse, but not mae, which `primary`"),
        ({"mae": 1.0}, {"headline": ("mae", "corr")}, "but not corr"),
        ({"mae": 1.0}, {"lower_is_better": {"mea"}}, "but not mea"),
        ({"mae": "1.0"}, {}, "compute of 'ages' gave '1.0' for 'mae', expected a number"),
        ({"mae": np.ones(2)}, {}, "expected a number"),
        ({"mae": 1.0, "a/b": 1.0}, {}, "a metric named 'a/b'"),
        ({"mae": 1.0, "../x": 1.0}, {}, "a metric named '../x'"),
        ({"mae": 1.0, 7: 1.0}, {}, "a metric named 7"),
        ([1.0], {}, "compute of 'ages' gave list, expected names of metrics"),
        (None, {}, "compute of 'ages' gave NoneType"),
    ],
)
def test_what_compute_should_not_give_is_refused_and_the_metrics_are_named(found, more, message):
    with pytest.raises(DataError) as caught:
        evaluate(metrics(found, **more), *VALUES)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"the metrics 'ages' of {__name__}: ")


def test_a_compute_that_fails_is_blamed():
    def compute(predictions, labels, classes):
        return {}["nothing"]

    with pytest.raises(DataError, match="the metrics 'ages' of .*KeyError"):
        evaluate(metrics({}, compute=compute), *VALUES)


@pytest.mark.parametrize(
    "more", [{"primary": None}, {"task": "regression-ish"}, {"compute": {}}, {"headline": ["mae"]}, {"name": 3}]
)
def test_fields_of_a_wrong_type_are_refused(more):
    with pytest.raises(DataError, match=f"{next(iter(more))} is"):
        metrics({}, **more)


def test_a_compute_that_fails_while_it_is_tried_out_is_named_and_keeps_its_cause():
    def compute(predictions, labels, classes):
        raise ValueError("my bug")

    with pytest.raises(DataError, match="^compute of 'ages' raised ValueError: my bug$") as caught:
        try_out(metrics({}, compute=compute), np.array([0.5, 2.0], np.float32), ())
    assert caught.value.unexpected
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_field_of_a_wrong_type_says_what_is_expected():
    with pytest.raises(DataError, match="lower_is_better is 'mae', expected a set of names, such as {'mae'}"):
        metrics({}, lower_is_better="mae")


def test_labels_are_perfect_predictions_of_themselves():
    seen = {}

    def compute(predictions, labels, classes):
        seen.update(predictions=predictions, classes=classes)
        return {"mae": 0.0}

    try_out(metrics({}, compute=compute, task=Task.CLASSIFICATION), np.array([1, 0, 1]), ("a", "b"))
    assert seen["predictions"].argmax(axis=1).tolist() == [1, 0, 1]
    assert seen["classes"] == ("a", "b")
    try_out(metrics({}, compute=compute), np.array([0.5, 2.0], np.float32), ())
    assert seen["predictions"].tolist() == [[0.5], [2.0]]
