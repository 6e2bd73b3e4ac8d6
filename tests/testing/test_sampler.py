"""Every test of the kit fails for the fault it is there for, and for no other."""

import sys
from importlib import import_module
from pathlib import Path
from unittest import mock

import pytest

from alharness.testing import SamplerConformance, examine
from alharness.testing.kit import promises_of

FOLDER = Path(__file__).with_name("bad")
FILES = sorted(FOLDER.glob("*.py"))
PROMISES = set(promises_of(SamplerConformance))


def classes():
    """Name -> the class, whose `fails` says which tests must fail."""
    with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
        contents = [vars(import_module(path.stem)) for path in FILES]
    return {name: value for content in contents for name, value in content.items() if name.startswith("Test")}


CLASSES = classes()


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_a_fault_is_found_by_the_tests_that_are_there_for_it(name):
    verdicts = [*examine(CLASSES[name])]
    assert {verdict.test for verdict in verdicts if verdict.status != "skipped"} == PROMISES
    assert {verdict.test for verdict in verdicts if verdict.status == "failed"} == CLASSES[name].fails


def test_every_test_is_seen_to_fail():
    assert {test for bad in CLASSES.values() for test in bad.fails} == PROMISES
