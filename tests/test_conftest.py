"""How all tests run: the root's conftest.py, tried on made-up tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]
MADE_UP, HEAVY = "tests/test_made_up.py", "tests/test_heavy.py"
FIXTURES = """
import pytest


@pytest.fixture(scope="session")
def one_thread():
    pass


@pytest.fixture
def postgres(need):
    need(None, "PostgreSQL is not installed")
"""
TESTS = """
import pytest


@pytest.mark.parametrize("marker", [pytest.param(m, marks=getattr(pytest.mark, m)) for m in ("slow", "fuzz")])
def test_long(marker):
    pass


def test_page(browser):
    pass


def test_database(postgres):
    pass


def test_short():
    pass
"""
IMPORTS = """
import scipy


def test_it_is_named(brought):
    assert brought == {"scipy": "tests/test_heavy.py"}
"""


@pytest.fixture
def outcomes(tmp_path):
    """Run made-up tests without torch, on a machine without browser and database: counts and output."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n    fuzz\n    browser\n    postgres\n")
    (tests / "conftest.py").write_text(FIXTURES)
    (tmp_path / MADE_UP).write_text(TESTS)
    (tmp_path / HEAVY).write_text(IMPORTS)

    def run(*flags, ci):
        environment = {**os.environ, "PATH": str(tmp_path), "CI": ci}
        command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", *flags]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        counts = re.findall(r"(\d+) (passed|skipped|error)", done.stdout.splitlines()[-1])
        return {outcome: int(number) for number, outcome in counts}, done.stdout

    return run


def test_no_test_of_a_property_fails_because_the_machine_is_busy():
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check


def test_collecting_imports_no_heavy_library(brought):
    assert brought == {}, "import them in the functions that use them: no other test need wait for them"


def test_what_brings_a_heavy_library_is_named(outcomes):
    counts, out = outcomes(HEAVY, ci="")
    assert counts == {"passed": 1}, out


def test_without_a_flag_all_run_and_what_is_missing_is_named(outcomes):
    counts, out = outcomes(MADE_UP, ci="")
    assert counts == {"passed": 3, "skipped": 2}
    assert "Chromium is not installed" in out
    assert "PostgreSQL is not installed" in out


def test_in_ci_what_is_missing_is_an_error(outcomes):
    counts, out = outcomes(MADE_UP, ci="true")
    assert counts == {"passed": 3, "error": 2}
    assert "Failed: Chromium is not installed" in out


def test_one_flag_skips_all_that_is_long(outcomes):
    counts, out = outcomes(MADE_UP, "--quick", ci="true")
    assert counts == {"passed": 1, "skipped": 4}
    assert "--quick leaves out tests that are marked postgres" in out
