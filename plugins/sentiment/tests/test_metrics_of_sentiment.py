import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alharness.engine.metrics import evaluate
from alharness_sentiment.metrics import EMOTIONS, METRICS, MOSI, SIMS, mosi, sims

Y = np.array([-1, -0.8, -0.6, -0.4, -0.2, 0, 0, 0.2, 0.4, 0.6, 0.8, 1], np.float32)
MIXED = np.array([-1.3, -0.69, -0.7, -0.1, 0.05, 0, 0.1, -0.05, 0.1000001, 0.7, 0.71, 1.4], np.float32)
VALUES = st.lists(
    st.tuples(st.integers(-40, 40), st.integers(-30, 30)).map(lambda pair: (pair[0] / 10, pair[1] / 10)),
    min_size=2,
    max_size=30,
)


def test_golden_values_of_sims():
    expected = {
        "acc2": 0.75,
        "acc3": 0.8333,
        "acc5": 0.6667,
        "f1": 0.7517,
        "mae": 0.1333,
        "corr": 0.9589,
        "acc2_weak": 0.5,
        "r2": 0.9193,
    }
    ours = sims(MIXED, Y)
    assert ours.keys() == expected.keys()
    assert {name: round(value, 4) for name, value in ours.items()} == expected


def test_golden_values_of_a_constant():
    with pytest.warns(UserWarning, match="correlation is undefined"):
        ours = sims(np.zeros(12, np.float32), Y)
    assert math.isnan(ours["corr"])
    expected = {"acc2": 0.5833, "acc3": 0.1667, "acc5": 0.1667, "f1": 0.4298, "mae": 0.5}
    assert {name: round(ours[name], 4) for name in expected} == expected


def test_sims_clips_both_sides():
    far = sims(np.array([3.0, -2.0, 0.5]), np.array([1.5, -1.0, 0.5]))
    assert far["mae"] == 0
    assert far["corr"] == pytest.approx(1)


def test_edges_belong_to_the_class_below_in_float32():
    edges = np.array([-0.7, -0.1, 0.1, 0.7], np.float32)
    above = np.nextafter(edges, np.float32(2))
    below = np.array([-0.8, -0.2, 0.0, 0.6], np.float32)
    assert sims(edges, below)["acc5"] == 1
    assert sims(above, below)["acc5"] == 0
    assert sims(edges.astype(np.float64), below.astype(np.float64))["acc5"] == 1


def test_without_weak_labels_there_is_no_accuracy_on_them():
    with warnings.catch_warnings(action="error"):
        assert math.isnan(sims(np.array([0.1, 0.9]), np.array([-0.8, 0.8]))["acc2_weak"])


@given(VALUES)
def test_sims_agrees_with_scikit_learn_and_scipy(pairs):
    from scipy.stats import pearsonr
    from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score

    p, t = (np.array(column, np.float32) for column in zip(*pairs, strict=True))
    with warnings.catch_warnings(action="ignore"):
        ours = sims(p, t)
    p, t = p.clip(-1, 1), t.clip(-1, 1)
    assert ours["acc2"] == pytest.approx(accuracy_score(t > 0, p > 0))
    assert ours["f1"] == pytest.approx(f1_score(t > 0, p > 0, average="weighted", zero_division=0))
    assert ours["mae"] == pytest.approx(mean_absolute_error(t, p), abs=1e-6)
    if np.ptp(t) > 0:
        assert ours["r2"] == pytest.approx(r2_score(t, p), rel=1e-4, abs=1e-6)
    if np.ptp(t) > 0 and np.ptp(p) > 0:
        assert ours["corr"] == pytest.approx(pearsonr(t.astype(float), p.astype(float)).statistic, abs=1e-6)
    steps = [float(np.float32(edge)) for edge in (-0.7, -0.1, 0.1, 0.7)]
    classes = [[sum(value > edge for edge in steps) for value in values.tolist()] for values in (t, p)]
    assert ours["acc5"] == pytest.approx(accuracy_score(*classes))


@given(VALUES)
def test_mosi_agrees_with_scikit_learn_and_scipy(pairs):
    from scipy.stats import pearsonr
    from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error

    p, t = (np.array(column, np.float32) for column in zip(*pairs, strict=True))
    with warnings.catch_warnings(action="ignore"):
        ours = mosi(p, t)
    assert ours["acc2_has0"] == pytest.approx(accuracy_score(t >= 0, p >= 0))
    assert ours["f1_has0"] == pytest.approx(f1_score(t >= 0, p >= 0, average="weighted", zero_division=0))
    assert ours["mae"] == pytest.approx(mean_absolute_error(t, p), abs=1e-6)
    if (t != 0).any():
        signs = t[t != 0] > 0, p[t != 0] > 0
        assert ours["acc2_non0"] == pytest.approx(accuracy_score(*signs))
        assert ours["f1_non0"] == pytest.approx(f1_score(*signs, average="weighted", zero_division=0))
    else:
        assert math.isnan(ours["acc2_non0"])
        assert math.isnan(ours["f1_non0"])
    if np.ptp(t) > 0 and np.ptp(p) > 0:
        assert ours["corr"] == pytest.approx(pearsonr(t.astype(float), p.astype(float)).statistic, abs=1e-6)
    for name, most in (("acc5", 2), ("acc7", 3)):
        classes = [[round(max(-most, min(most, value))) for value in values.tolist()] for values in (t, p)]
        assert ours[name] == pytest.approx(accuracy_score(*classes))


def test_mosi_rounds_halves_to_even_and_clips_only_for_classes():
    ours = mosi(np.array([0.5, 1.5, 2.5, -2.7, 5.0]), np.array([0.0, 2.0, 2.0, -3.0, 3.0]))
    assert (ours["acc5"], ours["acc7"]) == (1, 1)
    assert ours["mae"] == pytest.approx((0.5 + 0.5 + 0.5 + 0.3 + 2.0) / 5)


SCORES = np.array([[0.1, 0.9], [3.0, -1.0], [0.0, 2.0]]), np.array([1, 0, 0])


def test_each_of_them_is_measured_as_its_papers_do():
    values = np.array([[1.0], [3.0]]), np.array([2.0, 2.5])
    assert evaluate(SIMS, *values)["mae"] == 0  # clipped
    assert evaluate(MOSI, *values)["acc2_non0"] == 1
    assert evaluate(EMOTIONS, *SCORES, classes=("sad", "glad"))["f1_glad"] == pytest.approx(2 / 3)


def test_sentiment_is_ranked_by_its_error_and_emotions_by_f1():
    ranks = {name: (m.primary, m.primary in m.lower_is_better) for name, m in METRICS.items()}
    error = ("mae", True)
    assert ranks == {"regression": error, "sims": error, "mosi": error, "emotions": ("f1", False)}
