import socket
from dataclasses import replace

import pytest

from benchmarks import page
from benchmarks.__main__ import FIGURES, PAGE
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
        date="2026-01-02",
        machine="this one",
        took=4.5,
    ),
    Row(
        work="w",
        reference="r",
        ours=Cost(cpu=1, wall=1, rounds=1),
        missing="needs r",
        bounds=(Bound(text="b"),),
        date="2025-01-02",
        machine="that one",
    ),
]
EMPTY = "before\n<!-- measured: begin -->\nstale\n<!-- measured: end -->\nafter\n"


@pytest.fixture
def keep(tmp_path):
    """Keeps rows, and gives the file and the page."""
    path = tmp_path / "page.md"
    path.write_text(EMPTY)

    def call(rows):
        page.keep({f"row {number}": row for number, row in enumerate(rows)}, tmp_path / "figures.json", path)
        return tmp_path / "figures.json", path.read_text()

    return call


@pytest.fixture
def written(keep):
    return keep(ROWS)[1]


def test_a_row_says_all(written):
    assert (
        "| ours, N=3 | theirs | 0.5 s (0.6) | 2 s (2.5) | 4 | 3.2 MB | 1,234 MB | ≥ 2× faster<br>memory ≤ 3 MB "
        "| 4×: met<br>3.21: **FAIL** | mm 60 % | 2026-01-02 A |"
    ) in written
    assert "- A note." in written


def test_groups_have_tables_and_notes_of_their_own_in_a_fixed_order():
    rows = [replace(ROWS[0], group=group, work=f"work of {group}") for group in (RUNS, TRAINING, RUNS)]
    lines = page.tables(rows).splitlines()
    kept = [line.split(" | ")[0] for line in lines if line.startswith(("### ", "| work of", "- A note"))]
    training = ["### Training", "| work of Training", "- A note."]
    assert kept == [*training, "### Whole runs", *["| work of Whole runs"] * 2, *["- A note."] * 2]


def test_a_ratio_is_of_the_seconds_that_the_row_says():
    costs = [Cost(cpu=4.0, wall=2.0, rounds=1), Cost(cpu=4.0, wall=3.0, rounds=1)]
    text = page.tables([Row(work="w", reference="r", ours=costs[0], theirs=costs[1], by="wall")])
    assert "| w | r | 4 s (2) | 4 s (3) | 1.5 | – | – | – | – | – |" in text


def test_what_was_not_measured_is_named_and_not_a_number(written):
    assert (
        "| w | r | 1 s (1) | not measured here: needs r | – | – | – | b | not measured | – | 2025-01-02 B |"
        in written
    )


def test_each_row_says_when_and_on_which_machine_it_was_measured():
    elsewhere = replace(ROWS[0], machine="another one", date="2026-05-06")
    lines = page.tables([ROWS[0], elsewhere, replace(ROWS[0], date="2026-03-04")]).splitlines()
    assert lines[:2] == ["- A: this one", "- B: another one"]
    measured = [line.split(" | ")[-1] for line in lines if line.startswith("| ours")]
    assert measured == ["2026-01-02 A |", "2026-05-06 B |", "2026-03-04 A |"]


def test_rows_are_kept_and_read_again(keep, tmp_path):
    assert page.read(tmp_path / "figures.json") == {}
    figures, _ = keep(ROWS)
    assert page.read(figures) == {"row 0": ROWS[0], "row 1": ROWS[1]}


def test_only_the_part_between_the_markers_is_replaced(written):
    assert written.startswith("before\n<!-- measured: begin -->\n\n- A: this one\n- B: that one\n")
    assert written.endswith("\n<!-- measured: end -->\nafter\n")
    assert "stale" not in written


def test_a_page_without_a_place_for_the_table_is_refused_and_nothing_is_kept(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("<!-- measured: end --> <!-- measured: begin -->")
    with pytest.raises(ValueError, match="no place for a table"):
        page.keep({"row": ROWS[0]}, tmp_path / "figures.json", path)
    assert not (tmp_path / "figures.json").exists()


def test_the_machine_has_no_name():
    text = page.machine()
    assert socket.gethostname() not in text
    assert not any(word.startswith("/") for word in text.split())
    assert "torch " in text


def test_the_page_of_the_documentation_shows_the_figures_that_are_kept():
    text = PAGE.read_text(encoding="utf-8")
    assert page.tables(page.read(FIGURES).values()) in text
