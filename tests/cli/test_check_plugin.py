"""`alharness check --plugin`: what it says of a plugin that keeps its promises, and of one that does not."""

import pytest

from alharness import cli

FILE = """
from alharness import Params, Tracker, TrackerPlugin, hookimpl

class LinesParams(Params):
    path: str
    {said}

class Lines(Tracker):
    def __init__(self, params, context):
        self.params = params

    @hookimpl
    def alharness_cycle_finished(self, cell, cycle):
        with open(self.params.path, "a") as file:
            print(cell.name, cycle.labeled, file=file)

    def where(self):
        return {where}

@hookimpl
def alharness_trackers():
    return [TrackerPlugin(name="lines", params=LinesParams, make=Lines)]
"""


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Code and output of `alharness check` with a file of a tracker."""
    monkeypatch.chdir(tmp_path)

    def check(*arguments, said='"""The file."""', where="self.params.path"):
        (tmp_path / "lines.py").write_text(FILE.format(said=said, where=where))
        with pytest.raises(SystemExit) as ended:
            cli.main(["check", "--include", "lines.py", *arguments])
        return ended.value.code or 0, " ".join("".join(capsys.readouterr()).split())

    return check


def test_promises_that_are_kept_are_counted(check):
    code, said = check("--plugin", "lines", "--set", "path=lines.txt")
    assert code == 0
    assert "tracker lines (lines.py" in said
    assert "kept 12 of 14 promises" in said
    assert "not tested secrets are not shown: there is no secret" in said


def test_each_promise_that_is_broken_is_shown_with_its_reason(check):
    code, said = check("--plugin", "lines", "--set", "path=x", said="", where="None")
    assert code == 4
    assert "every parameter has a description write a docstring below each of LinesParams.path" in said
    assert "it names the place of its results in one line where() returned None, expected a text" in said
    assert "error: the tracker lines breaks a promise: see above" in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--plugin", "lines"], 2, "tracker lines: params.path: required, but missing"),
        (["--plugin", "lines", "--set", "pth=x"], 2, "did you mean 'path'?"),
        (["--plugin", "line"], 4, "no plugin named 'line' is installed; did you mean 'lines'?"),
        (["--plugin", "lines", "spec.yaml"], 2, "give a spec to check, or --plugin NAME"),
        (["--plugin", "lines", "-x", "path=x"], 2, "--set gives a plugin its parameters"),
        (["--plugin", "lines", "--jobs", "2"], 2, "--set gives a plugin its parameters"),
        ([], 2, "give a spec to check, or --plugin NAME"),
    ],
)
def test_what_cannot_be_checked_is_refused(check, arguments, code, words):
    found, said = check(*arguments)
    assert (found, words in said) == (code, True), said


def test_without_its_files_nothing_is_said_of_a_data_set(check, tmp_path):
    code, said = check("--plugin", "arrays", "--set", f"path={tmp_path / 'none'}")
    assert code == 5
    assert "promise" not in said


def test_one_reason_for_many_promises_is_shown_once(check, tmp_path):
    (tmp_path / "first.py").write_text(
        "from alharness import Sampler, Task\n\n"
        "class First(Sampler):\n"
        "    tasks = {Task.REGRESSION}\n"
        "    requires = set()\n"
        "    def __init__(self, place: int = 0):\n"
        "        self.place = place\n"
        "    def select(self, query):\n"
        "        return query.first\n"
    )
    code, said = check("--include", "first.py", "--plugin", "First")
    assert code == 4
    assert said.count("AttributeError: 'Query' object has no attribute 'first'") == 1
    assert "one labeled sample is enough duplicates are chosen once each" in said
    assert "every parameter has a description" not in said
    assert "tasks regression" in said
    assert "deterministic" not in said
