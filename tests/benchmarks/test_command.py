"""`python -m benchmarks`, as `make bench` calls it: in small, and with planted rows."""

import re
import sys
from functools import cache

import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import page, suites
from benchmarks.rows import Bound, Cost, Row
from benchmarks.suites import runs

EMPTY = "# Speed\n\n<!-- measured: begin -->\nold\n<!-- measured: end -->\n\nthe end\n"
HEADS = ("| work |", "| --- |")


@pytest.fixture
def here(monkeypatch):
    """Lets this process be that of the command, which sets variables and threads."""
    monkeypatch.setattr(command.os, "environ", dict(command.os.environ))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.long
@pytest.mark.usefixtures("here")
def test_every_row_can_be_tried_out_in_small_and_nothing_is_kept(monkeypatch, capsys, tmp_path_factory):
    monkeypatch.setattr("benchmarks.bench.SHORT", 0)  # as if every call took long: it is made once
    monkeypatch.setattr("benchmarks.bench.LONG", 0)
    whole = runs.run
    once = cache(lambda spec, jobs, settings: whole(spec, jobs, tmp_path_factory.mktemp("runs"), settings))
    monkeypatch.setattr(runs, "run", lambda spec, jobs, workdir, settings=(): once(spec, jobs, settings))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--tiny", "--no-peers"])
    before = [file.read_bytes() for file in (command.FIGURES, command.PAGE)]
    code = command.main()
    printed, complaints = capsys.readouterr()
    assert code in (0, 1), printed + complaints
    assert "30 of 30 rows measured" in printed
    lines = [line for line in printed.splitlines() if line.startswith("| ") and not line.startswith(HEADS)]
    assert {re.split(r"[,|]", line)[1].strip() for line in lines} == {
        "k-center", "BADGE", "GRACE Eq. 5", "GCNAL", "CoreSet", "late_fusion", "av_mc", "linear",
        "specs/digits_quick.yaml",
        "alharness --help", "alharness plugins", "alharness check", "alharness report",
        "alharness check specs/simsv2_budget200.yaml", "openclipart", "worlds", "alharness query",
    }  # fmt: skip
    assert len(lines) == 30
    assert sum("not measured here: peers were left out" in line for line in lines) == 7
    assert all(line.count(" | ") == 10 for line in lines)
    assert sum("outside torch" in line for line in lines) == 17
    run = next(line for line in lines if "specs/digits_quick.yaml" in line)
    assert "2 of 2 cells: met" in run
    assert sum("importing libraries" in line for line in lines) == 3
    assert "| fit " in run
    assert [line for line in printed.splitlines() if line.startswith("#")] == [
        "### Kernels", "### Training", "### Data sets", "### Own labels", "### Whole runs",
    ]  # fmt: skip
    assert [file.read_bytes() for file in (command.FIGURES, command.PAGE)] == before


def planted(seconds, *, met=True, missing=""):
    def measure(bench):
        bound = Bound(text="≥ 2× faster", found="9×", met=met)
        theirs = None if missing else Cost(cpu=9, wall=9)
        ours = Cost(cpu=seconds, wall=1)
        return Row(work="w", reference="r", ours=ours, theirs=theirs, missing=missing, bounds=(bound,))

    return measure


@pytest.fixture
def run(tmp_path, monkeypatch, here):
    """Measures these rows; gives the exit code and the processor times that are kept."""
    figures, shown = tmp_path / "figures.json", tmp_path / "page.md"
    shown.write_text(EMPTY)
    monkeypatch.setattr(command, "FIGURES", figures)
    monkeypatch.setattr(command, "PAGE", shown)

    def call(rows, *arguments):
        monkeypatch.setattr(suites, "ROWS", rows)
        monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
        code = command.main()
        kept = page.read(figures)
        if kept:
            assert page.tables(kept.values()) in shown.read_text()
        return code, {name: row.ours.cpu for name, row in kept.items()}

    return call


def test_only_the_chosen_rows_are_renewed(run):
    assert run({"a, one": planted(1), "b": planted(2), "a, two": planted(3)}) == (
        0,
        {"a, one": 1, "b": 2, "a, two": 3},
    )
    later = {"new": planted(6), "a, one": planted(7), "b": planted(8), "a, two": planted(9)}
    assert run(later, "--only", "^a") == (0, {"a, one": 7, "b": 2, "a, two": 9})
    assert run(later) == (0, {"new": 6, "a, one": 7, "b": 8, "a, two": 9})


def test_a_row_that_is_measured_no_more_is_dropped(run):
    run({"a": planted(1), "b": planted(2)})
    assert run({"a": planted(3)}) == (0, {"a": 3})


def test_a_missed_bound_is_on_the_screen_and_in_the_exit_code(run, capsys):
    assert run({"lame": planted(1, met=False), "swift": planted(2)})[0] == 1
    shown = capsys.readouterr().out
    assert "FAIL: w, r: ≥ 2× faster, found 9×" in shown
    assert "2 of 2 rows measured, 1 bounds missed" in shown


def test_a_row_that_cannot_be_measured_stays_as_it_was_and_stops_no_other(run, capsys):
    run({"a": planted(1), "b": planted(2)})
    assert run({"a": lambda bench: 1 / 0, "b": planted(3)}) == (2, {"a": 1, "b": 3})
    found = capsys.readouterr()
    assert "1 of 2 rows measured" in found.out
    assert "ZeroDivisionError" in found.err


def test_figures_are_not_replaced_by_ones_without_their_reference(run, capsys):
    assert run({"a": planted(1)})[1] == {"a": 1}
    assert run({"a": planted(2, missing="needs r")}) == (0, {"a": 1})
    assert "a: its reference cannot be measured here" in capsys.readouterr().out


def test_rows_are_listed_with_the_seconds_that_they_took(run, capsys):
    run({"a": planted(1)})
    capsys.readouterr()
    run({"a": planted(1), "b": planted(1)}, "--list")
    assert capsys.readouterr().out == "   0 s  a\n   new  b\n"


def test_what_is_no_pattern_is_refused(run, capsys):
    with pytest.raises(SystemExit, match="2"):
        run({"a": planted(1)}, "--only", "(")
    assert "argument --only: '(' is no regular expression: missing )" in capsys.readouterr().err


def test_a_pattern_that_no_row_has_lists_the_rows(run, capsys):
    with pytest.raises(SystemExit, match="2"):
        run({"a": planted(1)}, "--only", "z+")
    assert "--only z+: no row has such a name; there are: a" in capsys.readouterr().err
