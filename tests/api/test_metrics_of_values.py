import math

import numpy as np
import pytest

from alharness.api.metrics import determination, regression


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    labels = rng.normal(size=50)
    return labels + rng.normal(size=50), labels


def test_regression_agrees_with_scikit_learn_and_scipy(pair):
    from scipy.stats import pearsonr
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    predicted, labels = pair
    ours = regression(predicted, labels)
    assert ours["mae"] == pytest.approx(mean_absolute_error(labels, predicted))
    assert ours["rmse"] == pytest.approx(root_mean_squared_error(labels, predicted))
    assert ours["corr"] == pytest.approx(pearsonr(labels, predicted).statistic)


def test_the_coefficient_of_determination_agrees_with_scikit_learn(pair):
    from sklearn.metrics import r2_score

    predicted, labels = pair
    assert determination(predicted, labels) == pytest.approx(r2_score(labels, predicted))
    assert math.isnan(determination(predicted, np.ones(50)))


@pytest.mark.parametrize("constant", [1.0, 0.1])
def test_the_correlation_of_a_constant_is_undefined_not_a_crash(constant):
    with pytest.warns(UserWarning, match="correlation is undefined"):
        assert math.isnan(regression(np.full(7, constant), np.arange(7.0))["corr"])
    with pytest.warns(UserWarning, match="correlation is undefined"):
        assert math.isnan(regression(np.arange(7.0), np.full(7, constant))["corr"])
