"""Every test of the kit fails for the fault it is there for, and for no other."""

import os
import runpy
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree as ET

import pytest

from alharness.testing import SamplerConformance

FOLDER = Path(__file__).with_name("bad")
FILES = sorted(FOLDER.glob("*.py"))
PROMISES = {name for name in dir(SamplerConformance) if name.startswith("test_")}


def classes():
    """Name -> the class, whose `fails` says which tests must fail."""
    with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
        contents = [runpy.run_path(str(path)) for path in FILES]
    return {name: value for content in contents for name, value in content.items() if name.startswith("Test")}


CLASSES = classes()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Class -> test -> whether it failed for at least one of its parameters, in a run of their own."""
    path = tmp_path_factory.mktemp("report") / "report.xml"
    options = [
        "-q",
        "--tb=no",
        "--noconftest",
        "--import-mode=prepend",
        "-p",
        "no:cacheprovider",
        f"--junitxml={path}",
    ]
    command = [sys.executable, "-m", "pytest", *options, *FILES]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}  # more wait for each other in each of ten thousand queries
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=one_thread)
    assert run.returncode == 1, run.stdout
    found = defaultdict(lambda: defaultdict(bool))
    for case in ET.parse(path).iter("testcase"):
        failed = case.find("failure") is not None
        assert failed or len(case) == 0
        found[case.get("classname").rpartition(".")[2]][case.get("name").partition("[")[0]] |= failed
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_a_fault_is_found_by_the_tests_that_are_there_for_it(report, name):
    assert report[name].keys() == PROMISES
    assert {test for test, failed in report[name].items() if failed} == CLASSES[name].fails


def test_every_test_is_seen_to_fail():
    assert {test for bad in CLASSES.values() for test in bad.fails} == PROMISES
