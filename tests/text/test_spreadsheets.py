"""CSV files from which no spreadsheet takes a formula."""

import csv
import io

import pytest

from alharness.text.spreadsheets import defused, name, unique, write


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1+1",
        "＝1+1",
        "－1+1",
        "=cmd|' /C calc'!A0",
        "-",
        "-inf",
    ],
)
def test_a_formula_becomes_text(text):
    assert defused(text).startswith("'")


@pytest.mark.parametrize("text", ["-0.5", "+3", "1e-9", "-1.5e+10", "random", "a-b", "−0.5", "", "s=1"])
def test_all_else_stays_as_it_is(text):
    assert defused(text) == text


def test_a_formula_after_another_separator_is_found():
    assert defused("a;=1+1\n@x") == "a;'=1+1\n'@x"


def test_numbers_and_empty_cells_stay(tmp_path):
    file = io.StringIO(newline="")
    write(file, ["=a", "b"], [[-0.5, None], ["=x", 1 / 3]])
    assert list(csv.reader(io.StringIO(file.getvalue()))) == [["'=a", "b"], ["-0.5", ""], ["'=x", str(1 / 3)]]


@pytest.mark.parametrize(
    ("text", "column"),
    [("area of mae ↓", "area_of_mae"), ("p (Holm)", "p_holm"), ("in %", "in"), ("<b>=x", "b_x"), ("愤怒", "愤怒")],
)
def test_a_heading_becomes_a_name_without_signs(text, column):
    assert name(text) == column


def test_names_of_columns_are_never_given_twice():
    assert unique(["a", "", "a", "a_2", ""]) == ["a", "column", "a_2", "a_2_2", "column_2"]
