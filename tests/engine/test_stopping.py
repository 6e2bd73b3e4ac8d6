from alharness.engine.stopping import Patience


def test_patience_counts_epochs_without_a_better_score():
    patience = Patience(2)
    scores = [0.5, 0.6, 0.6, 0.7, 0.1, 0.69]
    exhausted = [(patience.improved(score), patience.exhausted)[1] for score in scores]
    assert exhausted == [False, False, False, False, False, True]


def test_of_equal_scores_the_first_is_the_best():
    patience = Patience(9)
    assert [patience.improved(score) for score in (1.0, 1.0, float("nan"), 1.5)] == [True, False, False, True]
