"""Plugins written for the old names of modules still work, and learn what to write."""

import subprocess
import sys
from importlib import import_module

import pytest


def test_an_old_name_gives_what_is_there_now_and_says_so():
    code = """
import warnings
from importlib import import_module
from alharness.moved import MOVED
for old, places in MOVED.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = import_module(old)
    (warning,) = [w for w in caught if w.category is DeprecationWarning and old in str(w.message)]
    for place in places:
        assert "alharness." + place in str(warning.message)
        for key, value in vars(import_module("alharness." + place)).items():
            assert key.startswith("_") or hasattr(module, key), key
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_warning_names_the_line_that_imports(tmp_path):
    script = tmp_path / "theirs.py"
    script.write_text("\nfrom alharness.geometry import top_k\n")
    done = subprocess.run([sys.executable, "-W", "always", script], check=True, capture_output=True, text=True)
    assert f"{script}:2: DeprecationWarning: alharness.geometry is now alharness.kernels" in done.stderr


@pytest.mark.parametrize(
    ("old", "write"),
    [
        ("geometry", "from alharness.kernels import ..."),
        ("posterior", "from alharness.kernels.posterior import ..."),
        ("plugin", "from alharness import ..."),
        ("records", "from alharness.api.records import ..."),
    ],
)
def test_the_warning_says_what_to_write(old, write):
    command = [sys.executable, "-W", "always", "-c", f"import alharness.{old}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert f"; write `{write}`" in done.stderr


def test_other_names_are_not_found():
    with pytest.raises(ModuleNotFoundError, match="alharness.geometries"):
        __import__("alharness.geometries")


@pytest.mark.parametrize(("old", "new"), [("Run", "Plan"), ("CellRecord", "Outcome"), ("RunRecord", "Outcomes")])
def test_an_old_name_of_a_record_is_the_new_one_with_a_warning(old, new):
    records = import_module("alharness.api.records")
    with pytest.warns(DeprecationWarning, match=f"alharness.api.records.{old} is now {new}"):
        assert getattr(records, old) is getattr(records, new)


@pytest.mark.parametrize("module", ["alharness", "alharness.plugin"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_name_that_is_gone_says_what_to_write(module):
    with pytest.raises(ImportError, match=rf"{module}\.Scoring is gone: write Dataset\(metrics="):
        import_module(module).Scoring  # noqa: B018
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Scorings'"):
        import_module(module).Scorings  # noqa: B018
