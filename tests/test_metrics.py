import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, root_mean_squared_error

from alharness import Task
from alharness.metrics import classification, evaluate, regression


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_classification_agrees_with_scikit_learn(pairs):
    predicted, labels = (np.array(column) for column in zip(*pairs, strict=True))
    ours = classification(predicted, labels, 5)
    assert ours["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert ours["f1"] == pytest.approx(f1_score(labels, predicted, average="weighted", zero_division=0))
    assert ours["f1_macro"] == pytest.approx(f1_score(labels, predicted, average="macro", zero_division=0))


def test_regression_agrees_with_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    labels = rng.normal(size=50)
    predicted = labels + rng.normal(size=50)
    ours = regression(predicted, labels)
    assert ours["mae"] == pytest.approx(mean_absolute_error(labels, predicted))
    assert ours["rmse"] == pytest.approx(root_mean_squared_error(labels, predicted))
    assert ours["corr"] == pytest.approx(pearsonr(labels, predicted).statistic)


def test_the_correlation_of_a_constant_is_undefined_not_a_crash():
    with pytest.warns(UserWarning, match="correlation is undefined"):
        assert math.isnan(regression(np.ones(4), np.arange(4.0))["corr"])


def test_evaluate_takes_the_largest_score_as_the_class():
    scores = np.array([[0.1, 0.9], [3.0, -1.0], [0.0, 2.0]])
    assert evaluate(Task.CLASSIFICATION, scores, np.array([1, 0, 0]))["accuracy"] == pytest.approx(2 / 3)
    assert evaluate(Task.REGRESSION, np.array([[1.0], [3.0]]), np.array([2.0, 2.5]))["mae"] == pytest.approx(0.75)
