"""Rows of whole runs, with commands that are made up."""

import pytest

from benchmarks import before, commands, journals
from benchmarks.bench import Bench, Unavailable
from benchmarks.rows import Cost
from benchmarks.suites import runs

JOURNALS = {
    "a": [{"measured": {"at": 0}}, {"measured": {"at": 9_000, "cost": {"train_seconds": 6.0}}}],
}


@pytest.fixture
def started(monkeypatch):
    """The commands that were started; the version before takes 60 s, ours 20 s, and 5 s more for each seed."""
    found = []

    def start(*arguments, environment=None):
        seeds = next((int(a.partition("=")[2]) for a in arguments if a.startswith("seeds=")), 0)
        found.append((" ".join(arguments), environment))
        wall = 60.0 if environment else 20.0 + 5 * seeds
        return commands.Ended(Cost(cpu=1.0, wall=wall), started=0)

    monkeypatch.setattr(commands, "start", start)
    monkeypatch.setattr(journals, "read", lambda workdir: JOURNALS)
    return found


def test_the_version_before_runs_the_same_command_between_two_of_ours(started, monkeypatch, tmp_path):
    for name in before.PACKAGES:
        (tmp_path / name).mkdir()
    row = runs.against_before(2.3, Bench(before=tmp_path))
    _, first, theirs, again = started
    same = {command.partition("--workdir")[0] for command, _ in (first, again)}
    assert len(same) == 1
    assert theirs[0].partition("--workdir")[0] in {
        command.replace("specs/", f"{tmp_path}/specs/") for command in same
    }
    assert [bool(environment) for _, environment in (first, theirs, again)] == [False, True, False]
    assert theirs[1]["PYTHONPATH"].startswith(str(tmp_path))
    assert (row.ratio, row.bounds[0].verdict, row.missing) == (3.0, "met", "")


def test_without_the_version_before_the_row_is_missing_it(started, monkeypatch):
    def root(given):
        raise Unavailable("needs the past")

    monkeypatch.setattr(before, "root", root)
    row = runs.against_before(2.3, Bench())
    assert (row.ratio, row.missing, row.bounds[0].verdict) == (None, "needs the past", "not measured")


def test_more_seeds_are_compared_by_the_clock(started):
    row = runs.more_seeds(5, 20, 2.5, Bench())
    assert row.bounds[0].found == "2.67×"
    assert row.bounds[0].verdict == "FAIL"
    assert [part in command for part, (command, _) in zip(("=2", "=5", "=20", "=5"), started, strict=True)] == [
        True
    ] * 4
