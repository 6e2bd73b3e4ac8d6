import random

import numpy as np
import pytest
import torch

from alharness import SamplerError, Selection
from alharness.engine.selection import checked, untouched_generators


@pytest.mark.parametrize(
    "answer",
    [
        [4, 0, 2],
        (4, 0, 2),
        np.array([4, 0, 2], np.uint8),
        torch.tensor([4, 0, 2]),
        Selection(torch.tensor([4, 0, 2])),
    ],
)
def test_any_kind_of_integers_is_taken_in_its_order(answer):
    assert checked(answer, 5, 3) == ([4, 0, 2], [])


def test_scores_come_along():
    assert checked(Selection([1, 0], torch.tensor([0.5, 0.25])), 5, 2) == ([1, 0], [0.5, 0.25])


def test_nothing_may_be_asked_for():
    assert checked([], 5, 0) == ([], [])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1, 2], "was asked for 3 samples and chose 2"),
        ([1, 2, 3, 4], "was asked for 3 samples and chose 4"),
        ([1, 2, 2], "chose position 2 2 times"),
        ([1, 2, 5], "chose position 5, but the unlabeled view has only positions 0 to 4"),
        ([1, 2, -1], "chose position -1"),
        ([0.0, 1.0, 2.0], "one integer position per choice.*float64"),
        ([True, False, True], "one integer position per choice.*bool"),
        (["a", "b", "c"], "one integer position per choice"),
        (None, "one integer position per choice, but returned NoneType"),
        ((i for i in range(3)), "returned generator"),
        (torch.zeros(3, 1, dtype=torch.long), r"of shape \(3, 1\)"),
        ([[1], [2, 3]], "did not return positions but list"),
        (Selection([0, 1, 2], torch.tensor([1.0, float("nan"), 0.0])), "3 finite numbers"),
        (Selection([0, 1, 2], torch.tensor([1.0])), "3 finite numbers"),
    ],
)
def test_case_27_a_broken_answer_is_refused(answer, message):
    with pytest.raises(SamplerError, match=message):
        checked(answer, 5, 3)


def test_global_generators_are_put_back_even_after_an_error():
    states = np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state()
    with pytest.raises(ValueError, match="late"), untouched_generators():
        np.random.seed(5), random.seed(5), torch.manual_seed(5)
        raise ValueError("late")
    assert np.array_equal(np.random.get_state()[1], states[0])
    assert random.getstate() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
