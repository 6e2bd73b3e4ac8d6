import json
import math
import resource
from pathlib import Path

import pytest

from alharness.api.records import CycleRecord
from alharness.errors import RunError
from alharness.runs import journal
from alharness.runs.journal import Journal

CONTEXT = {"sampler": "first", "params": {"a": [1, 2]}, "seed": 0}


def record(cycle, **more):
    return CycleRecord(cycle=cycle, labeled=10 + 2 * cycle, metrics={"f1": 0.1 + cycle}, **more)


def full(cycle):
    chosen = (f"ä{cycle}", f"b{cycle}")
    return record(
        cycle,
        chosen=chosen,
        scores=(0.1, 1 / 3),
        utilisation={"share/ä": 0.1},
        cost={"query_seconds": 0.25},
        at=cycle,
    )


@pytest.fixture
def written(tmp_path):
    book = Journal(tmp_path, CONTEXT, now=5)
    for cycle in range(3):
        book.append(full(cycle))
    return tmp_path


def test_what_was_written_is_read(written):
    header, cycles = journal.read(written / "journal.jsonl")
    assert (header.context, header.started) == ({"journal format": 2, **CONTEXT}, 5)
    assert cycles[2] == full(2)


def test_case_24_an_undefined_metric_survives(tmp_path):
    Journal(tmp_path, CONTEXT, now=0).append(CycleRecord(cycle=0, labeled=1, metrics={"corr": math.nan}))
    assert math.isnan(Journal(tmp_path, CONTEXT, now=9).cycles[0].metrics["corr"])


def test_a_journal_from_before_utilisation_was_measured_is_read_and_continued(written):
    for number in (2, 3, 4):
        rewrite(written / "journal.jsonl", number, put("utilisation", value=...))
    book = Journal(written, CONTEXT, now=9)
    assert [dict(cycle.utilisation) for cycle in book.cycles] == [{}, {}, {}]
    book.append(full(3))
    assert book.cycles[3].utilisation == {"share/ä": 0.1}


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
def test_case_16_a_torn_last_line_is_cut(written, cut):
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


def test_case_16_garbage_in_the_middle_is_refused(written):
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
    with pytest.raises(RunError, match=r"jsonl:3: .*expected cycle 1, found cycle 2"):
        journal.read(path)


def test_case_17_other_conditions_are_refused_and_named(written):
    with pytest.raises(RunError, match=r"seed was 0 and is 1; versions was unset and is new"):
        Journal(written, {**CONTEXT, "seed": 1, "versions": "new"}, now=9)


def in_format(folder, number):
    """Give a journal another format."""
    path = folder / "journal.jsonl"
    first, *lines = path.read_text().splitlines(keepends=True)
    head = {**json.loads(first), "format": number}
    measured = head.pop("measured")
    path.write_text(journal._line(head, {"at": measured["at"]}) + "".join(lines))
    return path


def test_case_17_a_journal_of_the_format_before_is_read_but_not_continued(written):
    path = in_format(written, 1)
    before = path.read_bytes()
    header, cycles = journal.read(path)
    assert (header.context["journal format"], cycles) == (1, [full(number) for number in range(3)])
    with pytest.raises(RunError, match=r"journal format was 1 and is 2\..*--restart"):
        Journal(written, CONTEXT, now=9)
    assert path.read_bytes() == before


def test_the_format_is_said_once(written):
    first = json.loads((written / "journal.jsonl").read_text().splitlines()[0])
    assert (first["format"], first["context"]) == (2, CONTEXT)
    book = Journal(written, CONTEXT, now=9)
    book.replace(book.cycles)
    assert json.loads(book.path.read_text().splitlines()[0]) == first


def test_another_format_is_refused(tmp_path):
    Journal(tmp_path, CONTEXT, now=0)
    path = in_format(tmp_path, 99)
    with pytest.raises(RunError, match="journal format 99, but this version reads 1 and 2"):
        journal.read(path)


def test_setting_aside_keeps_every_old_journal(written):
    first = journal.set_aside(written)
    Journal(written, CONTEXT, now=7)
    second = journal.set_aside(written)
    assert (first.name, second.name) == ("journal.jsonl.old-1", "journal.jsonl.old-2")
    assert len(journal.read(first)[1]) == 3
    assert journal.set_aside(written) is None


def rewrite(path, number, change):
    """Change a line (from 1) and give it the checksum that fits."""
    lines = path.read_text().splitlines()
    line = json.loads(lines[number - 1])
    line["measured"].pop("sha256")
    line = change(line) or line
    line["measured"].pop("sha256", None)
    text = json.dumps(line, ensure_ascii=False)
    line["measured"]["sha256"] = journal._checksum(text)
    lines[number - 1] = json.dumps(line, ensure_ascii=False)
    path.write_text("\n".join(lines) + "\n")


def put(*places, value):
    """A change that puts a value in a place of a line, or takes it away."""

    def change(line):
        for place in places[:-1]:
            line = line[place]
        if value is ...:
            del line[places[-1]]
        else:
            line[places[-1]] = value

    return change


IMPOSSIBLE = {
    "a sample twice": (put("chosen", value=["x", "x"]), "a sample that was chosen before"),
    "a sample of an earlier cycle": (put("chosen", value=["ä0", "x"]), "a sample that was chosen before"),
    "one sample more": (put("chosen", value=["x", "y", "z"]), "3 chosen samples"),
    "other labels": (put("labeled", value=999), "it has 999 labels instead of 12"),
    "labels as a text": (put("labeled", value="12"), "labeled: "),
    "labels as a truth": (put("labeled", value=True), "labeled: "),
    "labels as a fraction": (put("labeled", value=12.5), "labeled: "),
    "no labels": (put("labeled", value=...), "labeled: "),
    "no metrics": (put("metrics", value=...), "metrics: "),
    "no choice": (put("chosen", value=...), "chosen: "),
    "no scores": (put("scores", value=...), "scores: "),
    "no cost": (put("measured", "cost", value=...), "cost: "),
    "no time": (put("measured", "at", value=...), "at: "),
    "a field too many": (put("color", value="red"), "color: "),
    "metrics in a list": (put("metrics", value=[0.5]), "metrics: "),
    "a metric without a number": (put("metrics", "f1", value=None), "metrics.f1: "),
    "numbers for ids": (put("chosen", value=[3, 4]), "chosen.0: "),
    "a text for ids": (put("chosen", value="xy"), "chosen: "),
    "too few scores": (put("scores", value=[0.5]), "it has 1 scores for 2 chosen samples"),
    "a score that is NaN": (put("scores", value=[0.5, math.nan]), "scores.1: Input should be a finite number"),
    "an endless cost": (
        put("measured", "cost", "query_seconds", value=math.inf),
        "measured.cost.query_seconds: Input should be a finite number",
    ),
    "a negative cost": (
        put("measured", "cost", "query_seconds", value=-1.0),
        "measured.cost.query_seconds: Input should be greater than or equal to 0",
    ),
    "a time out of the calendar": (put("measured", "at", value=10**18), "measured.at: Input should be less than"),
    "a use of nothing": (put("utilisation", value={"share/": 0.5}), "utilisation.share/"),
    "an unknown use": (put("utilisation", value={"size/text": 0.5}), "utilisation.size/text"),
    "an endless use": (
        put("utilisation", value={"share/text": math.inf}),
        "utilisation.share/text: Input should be",
    ),
    "another timing": (put("measured", "timing", value="guessed"), "timing: "),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_line_whose_checksum_fits_but_that_cannot_be_is_refused_with_its_place(written, name):
    change, told = IMPOSSIBLE[name]
    path = written / "journal.jsonl"
    rewrite(path, 3, change)
    with pytest.raises(RunError, match="jsonl:3: alharness never writes such a line: ") as caught:
        journal.read(path)
    assert told in str(caught.value)
    assert "--restart" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put("context", value=...), "context: "),
        (put("context", value=["x"]), "context: "),
        (put("measured", "at", value=...), "measured.at: "),
        (put("measured", "at", value="today"), "measured.at: "),
        (put("measured", "at", value=-1), "measured.at: Input should be greater than"),
    ],
)
def test_a_header_that_cannot_be_is_refused(written, change, told):
    path = written / "journal.jsonl"
    rewrite(path, 1, change)
    with pytest.raises(RunError, match="jsonl:1: alharness never writes such a line: ") as caught:
        journal.read(path)
    assert told in str(caught.value)


@pytest.mark.parametrize("line", ["5", "null", "[]", '"x"', '{"measured": 3}', "{}", "[" * 10**5])
def test_a_line_of_something_else_is_damaged(written, line):
    path = written / "journal.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = line
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RunError, match="jsonl:2: this line is damaged"):
        journal.read(path)


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ((10, 12), "jsonl:3: .*it chooses 2 samples instead of 0"),
        ((10, 12, 15), "jsonl:3: .*it chooses 2 samples instead of 3"),
        ((8, 10, 12), "jsonl:2: .*it has 10 labels instead of 8"),
        ((10,), "jsonl:2: .*it chooses 2 samples instead of 0"),
    ],
)
def test_a_journal_of_another_schedule_is_refused(written, schedule, told):
    with pytest.raises(RunError, match=told):
        journal.read(written / "journal.jsonl", schedule)


def test_a_cycle_past_the_end_is_refused(tmp_path):
    book = Journal(tmp_path, CONTEXT, now=0)
    book.append(CycleRecord(cycle=0, labeled=5, metrics={}))
    book.append(CycleRecord(cycle=1, labeled=5, metrics={}))
    with pytest.raises(RunError, match="jsonl:3: .*the cell has no cycle 1"):
        journal.read(tmp_path / "journal.jsonl", (5,))


def test_curves_without_ids_are_read_but_not_continued(tmp_path):
    book = Journal(tmp_path, CONTEXT, now=0)
    for cycle in range(2):
        book.append(CycleRecord(cycle=cycle, labeled=1 + cycle, metrics={"f1": 0.5}))
    assert len(journal.read(tmp_path / "journal.jsonl", (1, 2, 3))[1]) == 2
    with pytest.raises(RunError, match="jsonl:3: .*it has 2 labels instead of 1"):
        Journal(tmp_path, CONTEXT, now=0)


def test_case_19_what_a_cycle_chose_and_cannot_be_is_refused_with_its_line(tmp_path):
    error = Journal(tmp_path, CONTEXT, now=0).impossible(1, "the pool has no sample 'e'")
    assert "jsonl:3: alharness never writes such a line: the pool has no sample 'e'" in str(error)
    assert "--restart" in str(error)


def test_appending_reads_nothing_of_the_journal(written, monkeypatch):
    book = Journal(written, CONTEXT, now=9)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read"))
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("opened"))
    size = (written / "journal.jsonl").stat().st_size
    book.append(full(3))
    assert (written / "journal.jsonl").stat().st_size > size


def test_a_journal_that_is_a_link_is_not_written_through(written, tmp_path):
    folder = tmp_path / "cell"
    folder.mkdir()
    (folder / "journal.jsonl").symlink_to(written / "journal.jsonl")
    before = (written / "journal.jsonl").read_bytes()[:-20]
    (written / "journal.jsonl").write_bytes(before)  # torn: what follows the last whole line would be cut
    with pytest.raises(RunError, match="is a symbolic link, and nothing is written through it"):
        Journal(folder, CONTEXT, now=9)
    assert (written / "journal.jsonl").read_bytes() == before


def test_case_07_of_two_processes_that_write_to_one_journal_the_second_stops(written):
    one, other = Journal(written, CONTEXT, now=9), Journal(written, CONTEXT, now=9)
    one.append(record(3))
    with pytest.raises(RunError, match="another process has written to it meanwhile"):
        other.append(record(3))
    assert len(journal.read(written / "journal.jsonl")[1]) == 4


def test_a_full_disk_leaves_the_journal_as_it_was(written, monkeypatch):
    before = (written / "journal.jsonl").read_bytes()
    book = Journal(written, CONTEXT, now=9)
    # A limit on the size of files stops a write in the middle, as a full disk does.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
    try:
        with pytest.raises(RunError, match=r"journal\.jsonl: cannot be written \(File too large\); make room"):
            book.append(full(3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (written / "journal.jsonl").read_bytes() == before
    book.append(full(3))
    assert len(journal.read(written / "journal.jsonl")[1]) == 4
