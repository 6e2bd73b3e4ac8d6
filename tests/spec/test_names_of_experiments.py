"""Names of experiments as trackers need them."""

import pytest
from pydantic import ValidationError

from alharness.tracking.plugin import MlflowParams


@pytest.mark.parametrize(
    "name", ["/Users/me@example.org/bench", "情感-基准", "Тест 1", "a", "x" * 400, "100 % (new)"]
)
def test_paths_and_any_script_are_taken(name):
    assert MlflowParams(experiment=name).experiment == name


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "a\x00b", "x" * 401, "http://me:pw@host", "\t"])
def test_what_no_tracker_shows_is_refused(name):
    with pytest.raises(ValidationError):
        MlflowParams(experiment=name)
