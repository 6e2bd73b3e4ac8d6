import numpy as np
import pytest

from alharness import Scoring, Task
from alharness.engine.metrics import HEADLINE, LOWER_IS_BETTER, PRIMARY, evaluate

VALUES = np.array([[1.0], [3.0]]), np.array([2.0, 2.5])
SCORES = np.array([[0.1, 0.9], [3.0, -1.0], [0.0, 2.0]]), np.array([1, 0, 0])


def test_evaluate_takes_the_largest_score_as_the_class():
    assert evaluate(Scoring.CLASSIFICATION, *SCORES)["accuracy"] == pytest.approx(2 / 3)
    assert evaluate(Scoring.EMOTIONS, *SCORES, classes=("sad", "glad"))["f1_glad"] == pytest.approx(2 / 3)
    assert evaluate(Scoring.REGRESSION, *VALUES)["mae"] == pytest.approx(0.75)


def test_each_scoring_of_values_has_its_own_metrics():
    assert evaluate(Scoring.SIMS, *VALUES)["mae"] == 0  # clipped
    assert evaluate(Scoring.MOSI, *VALUES)["acc2_non0"] == 1


@pytest.mark.parametrize("scoring", list(Scoring))
def test_the_ranking_metric_is_there_and_shown_first_hand(scoring):
    names = evaluate(scoring, *(SCORES if scoring.task == Task.CLASSIFICATION else VALUES))
    assert PRIMARY[scoring] in HEADLINE[scoring]
    assert set(HEADLINE[scoring]) <= set(names)


def test_sentiment_is_ranked_by_its_error_and_emotions_by_f1():
    assert [PRIMARY[s] for s in (Scoring.SIMS, Scoring.MOSI, Scoring.EMOTIONS)] == ["mae", "mae", "f1"]
    assert "mae" in LOWER_IS_BETTER
    assert "f1" not in LOWER_IS_BETTER
