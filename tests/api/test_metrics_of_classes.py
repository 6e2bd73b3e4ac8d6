import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alharness.api.metrics import classification

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


def columns(pairs):
    return (np.array(column) for column in zip(*pairs, strict=True))


@given(PAIRS)
def test_classification_agrees_with_scikit_learn(pairs):
    from sklearn.metrics import accuracy_score, f1_score

    predicted, labels = columns(pairs)
    ours = classification(predicted, labels, 5)
    assert ours["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert ours["f1"] == pytest.approx(f1_score(labels, predicted, average="weighted", zero_division=0))
    assert ours["f1_macro"] == pytest.approx(f1_score(labels, predicted, average="macro", zero_division=0))
