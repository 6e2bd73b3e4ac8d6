import io
import re

import pytest
from rich.console import Console

from alharness.cli.console import PageConsole
from alharness.text.tables import Blocks

FIGURES = ["0.305 ± 0.012", "0.8117 ± 0.0042", "93.1", "1,234"]
TABLE = Blocks(
    headings=["sampler", "area of mae ↓", "acc2 ↑", "query s", "CPU MiB"],
    rows=[["grace", *FIGURES], ["full-data: 2,722", "–", *FIGURES[1:]]],
    apart=[1],
    title="simsv2: 100 → 800 labels",
    caption="mean ± 95 % confidence interval",
)
TEXTS = Blocks(
    headings=["parameter", "description"],
    rows=[["alpha0", "weight of the first cycle, which falls to nothing at the last one"], ["n" * 50, "long"]],
    figures=False,
    lines=False,
)


def shown(table, width, encoding="utf-8"):
    console = PageConsole(file=io.TextIOWrapper(io.BytesIO(), encoding), width=width, markup=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 120, 200])
def test_every_figure_is_whole_and_no_line_is_too_long(width):
    page = shown(TABLE, width)
    assert all(figure in page for figure in FIGURES)
    assert "…" not in page
    assert max(map(len, page.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 80])
def test_blocks_name_their_rows(width):
    page = shown(TABLE, width)
    blocks = page.count("┏")
    assert blocks > 1 if width == 40 else blocks == 1
    assert page.count("grace") == blocks


def test_a_list_takes_the_place_of_a_table_where_not_even_a_column_fits():
    page = shown(TABLE, 20)
    assert "┃" not in page
    assert "grace\n  area of mae ↓:\n    0.305 ± 0.012\n" in page


@pytest.mark.parametrize("width", [8, 20, 40, 80])
def test_texts_break_and_are_never_cut(width):
    page = shown(TEXTS, width)
    assert "…" not in page
    assert max(map(len, page.splitlines())) <= width
    assert page.count("n") >= 50 + TEXTS.rows[0][1].count("n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_columns_line_up_in_any_encoding(encoding):
    page = shown(TABLE, 80, encoding)
    page.encode(encoding)
    frame = [line for line in page.splitlines() if re.match(r"[|+]", line)]
    assert len({len(line) for line in frame}) == 1


def test_columns_that_belong_together_stay_in_one_block():
    table = Blocks(
        headings=["sampler", "mae ours", "paper", "acc2 ours", "paper"], rows=[["x", *FIGURES]], group=2
    )
    first, second = [block for block in shown(table, 45).split("┏") if block]
    assert [figure in first for figure in FIGURES] == [True, True, False, False]
    assert [figure in second for figure in FIGURES] == [False, False, True, True]


def test_it_is_a_table_for_any_console():
    console = Console(width=90)
    with console.capture() as captured:
        console.print(TABLE)
    assert "┃ area of mae ↓ ┃" in captured.get()
