import errno
import re
from pathlib import Path

import pytest

from alharness import faults
from alharness.errors import SpecError

SOURCES = Path(faults.__file__).parent


@pytest.fixture
def ask(monkeypatch):
    """Set the variable, as at the start of a process."""

    def to(text):
        monkeypatch.setenv(faults.VARIABLE, text)
        faults._passed.clear()

    return to


def test_every_point_is_passed_somewhere_and_no_other():
    passed = {
        point
        for path in SOURCES.rglob("*.py")
        for point in re.findall(r'faults\.(?:reach|torn)\("(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert passed == faults.POINTS.keys()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apend", "there is no such point; did you mean 'append'?"),
        (":", "expected point:number:kind"),
        ("append:0", "expected point:number:kind"),
        ("append:2:burn", "such as append:2 or append:2:full"),
        ("append:2:full:3", "expected point:number:kind"),
    ],
)
def test_a_fault_that_there_is_not_is_refused(ask, text, told):
    ask(text)
    with pytest.raises(SpecError, match=re.escape(told)):
        faults.wanted()


def test_it_fails_once_at_the_pass_that_was_asked_for(ask):
    ask("append:2:full")
    assert list(faults.torn("append", b"12345")) == [b"12345"]
    faults.reach("write")
    parts = faults.torn("append", b"12345")
    assert next(parts) == b"12"
    with pytest.raises(OSError, match="No space left") as failure:
        next(parts)
    assert failure.value.errno == errno.ENOSPC
    assert list(faults.torn("append", b"12345")) == [b"12345"]


def test_an_exception_that_nobody_expects_says_where_it_comes_from(ask):
    ask("fit:raise")
    with pytest.raises(RuntimeError, match=r"ALHARNESS_FAULT asked for it at 'fit'"):
        faults.reach("fit")


def test_without_the_variable_nothing_fails(monkeypatch):
    monkeypatch.delenv(faults.VARIABLE, raising=False)
    for point in faults.POINTS:
        faults.reach(point)
