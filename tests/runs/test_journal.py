import json
import math

import pytest

from alharness.errors import RunError
from alharness.records import CycleRecord
from alharness.runs import journal
from alharness.runs.journal import Journal

CONTEXT = {"sampler": "first", "params": {"a": [1, 2]}, "seed": 0}


def record(cycle, **more):
    return CycleRecord(cycle=cycle, labeled=10 + cycle, metrics={"f1": 0.1 + cycle}, **more)


@pytest.fixture
def written(tmp_path):
    book = Journal(tmp_path, CONTEXT, now=5)
    for cycle in range(3):
        book.append(record(cycle, chosen=("ä", "b"), scores=(0.1, 1 / 3), cost={"query_seconds": 0.25}, at=cycle))
    return tmp_path


def test_what_was_written_is_read(written):
    header, cycles = journal.read(written / "journal.jsonl")
    assert (header.context, header.started) == (CONTEXT, 5)
    assert cycles[2] == record(2, chosen=("ä", "b"), scores=(0.1, 1 / 3), cost={"query_seconds": 0.25}, at=2)


def test_an_undefined_metric_survives(tmp_path):
    Journal(tmp_path, CONTEXT, now=0).append(CycleRecord(cycle=0, labeled=1, metrics={"corr": math.nan}))
    assert math.isnan(Journal(tmp_path, CONTEXT, now=9).cycles[0].metrics["corr"])


def test_only_what_was_measured_differs_between_two_runs(tmp_path):
    lines = []
    for run in (1, 2):
        folder = tmp_path / str(run)
        Journal(folder, CONTEXT, now=run).append(record(0, cost={"query_seconds": float(run)}, at=run))
        lines.append([json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()])
    for one, other in zip(*lines, strict=True):
        assert one.pop("measured") != other.pop("measured")
        assert one == other


def test_opening_again_goes_on_where_it_ended(written):
    book = Journal(written, CONTEXT, now=99)
    assert (len(book.cycles), book.header.started, book.torn) == (3, 5, False)
    book.append(record(3))
    assert len(journal.read(written / "journal.jsonl")[1]) == 4


@pytest.mark.parametrize("cut", [1, 2, 30, 150])
def test_a_torn_last_line_is_cut(written, cut):
    path = written / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert len(journal.read(path)[1]) == 2
    book = Journal(written, CONTEXT, now=99)
    assert book.torn
    book.append(book_end := record(2))
    assert journal.read(path)[1][2] == book_end


def test_a_last_line_that_is_no_json_is_torn_even_with_its_newline(written):
    path = written / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-40] + b"\n")
    assert Journal(written, CONTEXT, now=99).torn
    assert len(journal.read(path)[1]) == 2


def test_a_crash_within_the_first_line_leaves_a_cell_that_can_begin(tmp_path):
    Journal(tmp_path, CONTEXT, now=5)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:20])
    assert journal.read(path) is None
    assert Journal(tmp_path, CONTEXT, now=6).header.started == 6


@pytest.mark.parametrize("line", [1, 2, 3, 4])
def test_a_changed_line_is_refused_with_its_place(written, line):
    path = written / "journal.jsonl"
    lines = path.read_text().splitlines()
    lines[line - 1] = lines[line - 1].replace("0", "7", 1)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RunError, match=rf"journal\.jsonl:{line}: this line is damaged.*--restart"):
        Journal(written, CONTEXT, now=9)


def test_garbage_in_the_middle_is_refused(written):
    path = written / "journal.jsonl"
    lines = path.read_text().splitlines()
    lines.insert(2, "garbage")
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RunError, match=r"jsonl:3: this line is damaged"):
        journal.read(path)


def test_a_missing_cycle_is_refused(written):
    path = written / "journal.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], lines[3]]) + "\n")
    with pytest.raises(RunError, match=r"jsonl:3: expected cycle 1, found cycle 2"):
        journal.read(path)


def test_other_conditions_are_refused_and_named(written):
    with pytest.raises(RunError, match=r"seed was 0 and is 1; versions was None and is 'new'"):
        Journal(written, {**CONTEXT, "seed": 1, "versions": "new"}, now=9)


def test_another_format_is_refused(tmp_path):
    Journal(tmp_path, CONTEXT, now=0)
    path = tmp_path / "journal.jsonl"
    head = json.loads(path.read_text())
    head["format"] = 99
    head["measured"].pop("sha256")
    head["measured"]["sha256"] = journal._checksum(json.dumps(head, ensure_ascii=False))
    path.write_text(json.dumps(head, ensure_ascii=False) + "\n")
    with pytest.raises(RunError, match="journal format 99, but this version reads 1"):
        journal.read(path)


def test_setting_aside_keeps_every_old_journal(written):
    first = journal.set_aside(written)
    Journal(written, CONTEXT, now=7)
    second = journal.set_aside(written)
    assert (first.name, second.name) == ("journal.jsonl.old-1", "journal.jsonl.old-2")
    assert len(journal.read(first)[1]) == 3
    assert journal.set_aside(written) is None
