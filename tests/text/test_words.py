"""Words that messages share."""

from pathlib import Path

import pytest

from alharness.errors import SpecError
from alharness.text.words import choices, grouped, marked, several


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, []), ("one", ["one"]), (Path("one"), [Path("one")]), (("one", "two"), ["one", "two"]), ([], [])],
)
def test_an_argument_names_one_several_or_none(value, found):
    assert several(value, "only") == found


@pytest.mark.parametrize("value", [3, [3], [None], b"one", object()])
def test_an_argument_that_names_nothing_is_refused(value):
    with pytest.raises(SpecError, match="^only: expected a text or a path, or several, but it is "):
        several(value, "only")


def test_a_wrong_name_lists_the_choices_if_none_is_near():
    assert choices("coreset", ["corset", "random"]) == "; did you mean 'corset'?"
    assert choices("zz", ["random", "grace"]) == "; there are random, grace"
    assert choices("zz", ["random"]) == "; there is random"
    assert choices("zz", []) == ""
    assert choices("zz", map(str, range(22))).endswith(", 18, 19 and 2 more")


def test_groups_keep_the_order_in_which_keys_and_values_come():
    assert list(grouped([("b", 2), ("a", 1), ("b", 0)]).items()) == [("b", [2, 0]), ("a", [1])]


def test_a_control_says_what_it_is_once():
    assert marked("oracle", control=True) == "oracle (control)"
    assert marked("control", control=True) == "control"
    assert marked("random", control=False) == "random"
