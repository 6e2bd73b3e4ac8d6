import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alharness.api.metrics import classification
from alharness_sentiment.metrics import emotions

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)
NAMES = ("anger", "disgust", "fear", "happy", "neutral")


@given(PAIRS)
def test_the_f1_of_each_class_agrees_with_scikit_learn(pairs):
    from sklearn.metrics import f1_score

    predicted, labels = (np.array(column) for column in zip(*pairs, strict=True))
    ours = emotions(predicted, labels, 5, NAMES)
    expected = f1_score(labels, predicted, average=None, labels=range(5), zero_division=np.nan)
    assert [ours[f"f1_{name}"] for name in NAMES] == pytest.approx(expected, nan_ok=True)
    assert {name: ours[name] for name in ("accuracy", "f1", "f1_macro")} == classification(predicted, labels, 5)


def test_a_class_that_is_not_met_has_no_f1():
    ours = emotions(np.array([0, 1]), np.array([0, 0]), 3, ("a", "b", "c"))
    assert ours["f1_a"] == pytest.approx(2 / 3)
    assert ours["f1_b"] == 0
    assert math.isnan(ours["f1_c"])


def test_names_of_classes_become_names_of_metrics():
    names = ("joy / delight", "joy & delight", "macro", "高兴", "low-key.1")
    ours = emotions(np.arange(5), np.arange(5), 5, names)
    keys = ["f1_joy_delight", "f1_joy_delight_2", "f1_macro_2", "f1_高兴", "f1_low-key.1"]
    assert list(ours) == ["accuracy", "f1", "f1_macro", *keys]


def test_mlflow_takes_the_names():
    from mlflow.utils.validation import _validate_metric_name

    for key in emotions(np.arange(3), np.arange(3), 3, ("a:b?", "高兴", "x/../y")):
        _validate_metric_name(f"test/{key}")


def test_without_names_there_are_no_metrics_of_classes():
    assert set(emotions(np.arange(3), np.arange(3), 3)) == {"accuracy", "f1", "f1_macro"}
