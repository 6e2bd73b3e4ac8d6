"""Kits run without pytest: what is reported of each test."""

import subprocess
import sys
from unittest import SkipTest

import pytest

from alharness import Params, SamplerError
from alharness.errors import HarnessError
from alharness.testing import Conformance, examine
from alharness.testing.kit import refuses


class Toy:
    params = Params

    @staticmethod
    def make(params):
        return params


class Kit(Conformance):
    plugin = Toy

    def arguments(self):
        return {"size": [1, 2], "word": ["a"]}

    def test_is_kept(self):
        pass

    def test_has_a_reason(self, size):
        assert size < 2, "it is too large"

    def test_has_none(self):
        raise AssertionError

    def test_cannot_be_said(self, word, size):
        raise SkipTest(f"no {word}")

    def test_raises(self):
        raise ValueError("what?")

    def test_is_refused(self):
        raise SamplerError("3 of 40")

    def test_leaves(self):
        sys.exit(3)

    def test_has_a_folder(self, tmp_path):
        assert [*tmp_path.iterdir()] == []


def told(name):
    verdicts = examine(Kit, only={f"test_{name}"})
    return [(verdict.case, verdict.status, verdict.reason.partition("\n")[0]) for verdict in verdicts]


@pytest.mark.parametrize(
    ("name", "verdicts"),
    [
        ("is_kept", [("", "passed", "")]),
        ("has_a_reason", [("1", "passed", ""), ("2", "failed", "it is too large")]),
        ("has_none", [("", "failed", "it is not true that raise AssertionError")]),
        ("cannot_be_said", [("1, a", "skipped", "no a"), ("2, a", "skipped", "no a")]),
        ("raises", [("", "failed", "ValueError: what?")]),
        ("is_refused", [("", "failed", "3 of 40")]),
        ("leaves", [("", "failed", "SystemExit: 3")]),
        ("has_a_folder", [("", "passed", "")]),
    ],
)
def test_each_test_has_its_verdict(name, verdicts):
    assert told(name) == verdicts


def test_a_kit_is_made_for_a_plugin_without_one():
    kit = Conformance.of(Toy, {})
    assert [verdict.status for verdict in examine(kit)] == ["passed"] * 3


@pytest.mark.parametrize("error", [None, SamplerError("four")])
def test_a_refusal_must_come_and_say_what_it_should(error):
    with pytest.raises(AssertionError, match="should"), refuses(SamplerError, saying="three"):
        if error:
            raise error
    with refuses(SamplerError, saying="three"):
        raise SamplerError("three")


def test_without_assertions_nothing_is_said(monkeypatch):
    code = "from alharness.testing import Conformance, examine; print(*examine(Conformance))"
    run = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=False)
    assert HarnessError.__name__ in run.stderr
    assert "PYTHONOPTIMIZE" in run.stderr


def test_neither_pytest_nor_torch_is_needed():
    used = "kits.examine, kits.TrackerConformance, kits.DatasetConformance, kits.ExecutorConformance"
    code = f"import sys; from alharness import testing as kits; {used}; print([*sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"'pytest'", "'torch'"} & {*run.stdout.strip("[]\n").split(", ")}
