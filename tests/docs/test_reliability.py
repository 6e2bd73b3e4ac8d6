"""The page on faults and the tests agree: each of the 47 cases has a row, which names the files of its tests."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from alharness.faults import POINTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/reliability.md").read_text(encoding="utf-8")
ROWS = {int(number): row for number, row in re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)}


@pytest.fixture(scope="module")
def tested():
    """Number of a case -> the files of tests whose names carry it."""
    found = defaultdict(set)
    for path in [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/**/tests/**/test_*.py")]:
        for name in re.findall(r"^ *def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            for number in re.findall(r"case_(\d\d)_", name):
                found[int(number)].add(str(path.relative_to(ROOT)).removeprefix("tests/"))
    return found


def test_every_case_has_a_row():
    assert list(ROWS) == list(range(1, 48))


@pytest.mark.parametrize("number", range(1, 48))
def test_a_row_names_the_files_of_its_tests(tested, number):
    _, _, files = ROWS[number].split(" | ")
    now = ", ".join(f"`{file}`" for file in sorted(tested[number]))
    assert sorted(re.findall(r"`(.+?)`", files)) == sorted(tested[number]), f"its last cell must be: {now}"


def test_every_point_at_which_a_run_can_fail_is_listed():
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)) == POINTS
