import socket
from dataclasses import replace

import pytest

from benchmarks import machine, page
from benchmarks.rows import RUNS, TRAINING, Bound, Cost, Row

ROWS = [
    Row(
        work="ours, N=3",
        reference="theirs",
        ours=Cost(cpu=0.5, wall=0.6, rounds=5, memory=3.21),
        theirs=Cost(cpu=2.0, wall=2.5, rounds=5, memory=1234.5),
        limit="mm 60 %",
        bounds=(
            Bound(text="≥ 2× faster", found="4×", met=True),
            Bound(text="memory ≤ 3 MB", found="3.21", met=False),
        ),
        notes=("A note.",),
    ),
    Row(work="w", reference="r", ours=Cost(cpu=1, wall=1, rounds=1), missing="needs r", bounds=(Bound(text="b"),)),
]


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- measured: begin -->\nstale\n<!-- measured: end -->\nafter\n")
    page.write(path, ROWS)
    return path.read_text()


def test_a_row_says_all(written):
    assert (
        "| ours, N=3 | theirs | 0.5 s (0.6) | 2 s (2.5) | 4 | 3.2 MB | 1,234 MB | ≥ 2× faster<br>memory ≤ 3 MB "
        "| 4×: met<br>3.21: **FAIL** | mm 60 % |"
    ) in written
    assert "- A note." in written


def test_groups_have_tables_and_notes_of_their_own_in_a_fixed_order(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("<!-- measured: begin -->\n<!-- measured: end -->\n")
    rows = [replace(ROWS[0], group=group, work=f"work of {group}") for group in (RUNS, TRAINING, RUNS)]
    page.write(path, rows)
    lines = path.read_text().splitlines()
    kept = [line.split(" | ")[0] for line in lines if line.startswith(("### ", "| work of", "- A note"))]
    training = ["### Training", "| work of Training", "- A note."]
    assert kept == [*training, "### Whole runs", *["| work of Whole runs"] * 2, *["- A note."] * 2]


def test_a_ratio_is_of_the_seconds_that_the_row_says(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("<!-- measured: begin -->\n<!-- measured: end -->\n")
    costs = [Cost(cpu=4.0, wall=2.0, rounds=1), Cost(cpu=4.0, wall=3.0, rounds=1)]
    page.write(path, [Row(work="w", reference="r", ours=costs[0], theirs=costs[1], by="wall")])
    assert "| w | r | 4 s (2) | 4 s (3) | 1.5 | – | – | – | – | – |" in path.read_text()


def test_what_was_not_measured_is_named_and_not_a_number(written):
    assert "| w | r | 1 s (1) | not measured here: needs r | – | – | – | b | not measured | – |" in written


def test_only_the_part_between_the_markers_is_replaced(written):
    assert written.startswith("before\n<!-- measured: begin -->\n\n- Measured on ")
    assert written.endswith("\n<!-- measured: end -->\nafter\n")
    assert "stale" not in written


def test_a_page_without_a_place_for_the_table_is_refused(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("<!-- measured: end --> <!-- measured: begin -->")
    with pytest.raises(ValueError, match="no place for a table"):
        page.write(path, ROWS)


def test_the_machine_has_no_name():
    text = "\n".join(machine.describe())
    assert socket.gethostname() not in text
    assert not any(word.startswith("/") for word in text.split())
    assert "torch " in text
