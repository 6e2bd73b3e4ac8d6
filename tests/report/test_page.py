"""The page and the files next to it."""

import csv
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from alharness import Task
from alharness.errors import RunError
from alharness.report.build import several, single
from alharness.report.cells import Column, Table, Value, between, count, interval, number, probability
from alharness.report.document import Document, Section
from alharness.report.page import as_html, write
from alharness.report.typesetting import as_csv
from alharness.runs.pooltable import PoolTable

SECTIONS = ["curves", "outcome", "efficiency", "differences", "cost", "chosen", "cells", "setting"]


@pytest.fixture(scope="module")
def pool():
    ids = tuple(f"{seed}-{c}-{i}" for seed in range(6) for c in range(3) for i in range(4))
    rng = np.random.default_rng(0)
    return PoolTable(
        task=Task.REGRESSION,
        classes=(),
        ids=ids,
        labels=rng.normal(size=len(ids)),
        unimodal_labels={"text": rng.normal(size=len(ids)), "audio": rng.normal(size=len(ids))},
        places=rng.normal(size=(len(ids), 2)),
    )


@pytest.fixture(scope="module")
def results(make_results, noisy, pool):
    curves = {"random": noisy(6), "quick": noisy(6, 1.0, seed=1), "other": [*noisy(5, seed=2), None]}
    return make_results(curves, references=(0.28, 0.29, 0.28), pool=pool, valid=150)


@pytest.fixture(scope="module")
def report(results, tmp_path_factory):
    """The page of the results, which no test changes: its folder, and what `write` gave."""
    folder = tmp_path_factory.mktemp("page") / "report"
    return folder, write(single(results), folder)


class Ids(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.ids, self.sources, self.images, self.stack = [], [], 0, []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "section" and "id" in found:
            self.ids.append(found["id"])
        self.sources += [found[name] for name in ("src", "href") if name in found]
        self.images += tag == "img"
        if tag not in ("meta", "img", "link", "source", "input"):
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        """As SVG has them: `<path/>`."""

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def test_page_pictures_and_tables(report):
    folder, written = report
    page = written.page.read_text()
    found = Ids(page)
    assert found.ids == SECTIONS
    assert found.stack == []
    assert (
        found.images + page.count('<div class="charts">')
        == written.pictures
        == len(list((folder / "pictures").glob("*.png")))
    )
    assert written.pictures == len(list((folder / "pictures").glob("*.svg"))) > 6
    assert written.tables == len(list((folder / "tables").glob("*.csv"))) > 6
    for link in found.sources:
        if not link.startswith(("#", "data:image/svg+xml;base64,")):
            assert (folder / link).is_file()
    assert "http:" not in page.replace("http://www.w3.org", "")
    assert "https:" not in page
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page


def test_the_same_results_give_the_same_bytes(report, results, tmp_path):
    folder, _ = report
    write(single(results), tmp_path)
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    for file in files:
        assert (folder / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_what_is_missing_is_listed(report):
    folder, written = report
    page = written.page.read_text()
    assert "other (5 of 6)" in page
    assert "20 of 21 cells are complete" in page
    assert "it broke" in page
    rows = list(csv.reader((folder / "tables/missing.csv").open()))
    assert rows[1] == ["other-s5", "failed", "0 of 4", "it broke"]


def test_synthetic_data_are_named_on_the_page_and_on_every_picture(make_results, noisy, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    seen = []
    write_above = Figure.suptitle
    monkeypatch.setattr(
        Figure, "suptitle", lambda self, text, **k: seen.append(text) or write_above(self, text, **k)
    )
    for synthetic in (True, False):
        seen.clear()
        results = make_results({"random": noisy(3), "a": noisy(3, seed=1)}, synthetic=synthetic)
        written = write(single(results), tmp_path / str(synthetic))
        assert ("SYNTHETIC DATA" in written.page.read_text()) == synthetic
        assert len(seen) == (written.pictures if synthetic else 0)
        assert set(seen) <= {"synthetic data; not comparable with the paper"}


def test_case_47_names_of_a_run_cannot_play_with_the_page(make_results, noisy, tmp_path):
    bad = '<script>alert("x")</script>'
    results = make_results({"random": noisy(3), bad: noisy(3, seed=1)}, name=bad, params={"dataset": bad})
    page = write(single(results), tmp_path).page.read_text()
    assert page.count("<script") == 1  # our own
    assert "&lt;script&gt;" in page


def test_a_spreadsheet_takes_no_text_for_a_formula():
    columns = [Column("=a|b", ["=1+1", "-1+1"]), Column("b", [Value(text="@x"), "–"])]
    table = Table(name="t", title="t", columns=columns)
    assert as_csv(table).splitlines() == ["a_b,b", "'=1+1,'@x", "'-1+1,"]


def test_numbers_are_whole_in_the_files_and_short_on_the_page():
    columns = [Column("mae ↓", [interval(1 / 3, 0.0123)]), Column("p", [probability(1e-9)])]
    table = Table(name="t", title="t", columns=columns)
    (row,) = csv.DictReader(as_csv(table).splitlines())
    numbers = {name: float(value) for name, value in row.items()}
    assert numbers == {"mae": 1 / 3, "mae_low": 1 / 3 - 0.0123, "mae_high": 1 / 3 + 0.0123, "p": 1e-9}
    section = Section(anchor="s", title="s", tables=[table])
    page = as_html(Document(title="t", subtitle="", notice="", answers=(), sections=[section]), {})
    assert "0.333 ± 0.012" in page
    assert "&lt; 0.001" in page


def test_numbers_of_a_column_have_the_same_place():
    column = Column("a", [interval(0.3181, 0.0004), interval(0.31849, 0.00041)])
    assert [cell.text for cell in column.shown] == ["0.31810 ± 0.00040", "0.31849 ± 0.00041"]


def test_words_next_to_numbers_have_a_column_of_their_own():
    column = Column(
        "labels", [number(0.5, note="1 undefined"), "not reached", "–", number(float("inf"))], name="n"
    )
    table = Table(name="t", title="t", columns=[column])
    assert as_csv(table).splitlines() == ["n,n_note", "0.5,1 undefined", ",not reached", ",", ",unbounded"]


def test_what_is_set_off_is_said_in_a_column():
    column = Column("area", [number(0.5, strong=True), number(0.6)], strong="better")
    table = Table(name="t", title="t", columns=[column])
    assert as_csv(table).splitlines() == ["area,better", "0.5,true", "0.6,false"]


def test_counts_keep_of_how_many():
    column = Column("n", [count(5, 6), count(6, 6)])
    table = Table(name="t", title="t", columns=[column])
    assert [cell.text for cell in column.shown] == ["5 of 6", "6"]
    assert as_csv(table).splitlines() == ["n,n_of", "5,6", "6,6"]


def test_one_file_holds_every_number_of_every_cell(make_results, noisy, tmp_path):
    results = make_results({"random": noisy(2), "=a": [noisy(1)[0], None]}, labeled=(100, 200, 400, 800))
    write(single(results), tmp_path)
    rows = list(csv.DictReader((tmp_path / "tables/cycles.csv").open()))
    columns = ["sampler", "seed", "replicate", "status", "compared", "cycle", "labels", "kind", "metric", "value"]
    assert list(rows[0]) == columns
    assert len(rows) == 3 * (4 + 4 + 3)  # three cells: a metric and a training per cycle, three queries
    mae = {
        (row["sampler"], row["seed"], row["labels"]): float(row["value"]) for row in rows if row["metric"] == "mae"
    }
    assert mae["random", "1", "400"] == noisy(2)[1][2]
    assert mae["'=a", "0", "800"] == noisy(1)[0][3]
    costs = {(row["cycle"], row["metric"]) for row in rows if row["kind"] == "cost"}
    assert ("2", "query_seconds") in costs
    assert ("3", "query_seconds") not in costs


def test_what_queries_cost_is_drawn_by_labels(make_results, noisy):
    from matplotlib.figure import Figure

    document = single(make_results({"random": noisy(3), "a": noisy(3, seed=1)}))
    (cost,) = (section for section in document.sections if section.anchor == "cost")
    pictures = {picture.name: picture for picture in cost.pictures}
    assert "gpu_peak_alloc_mib_by_labels" not in pictures  # not measured
    figure = Figure()
    pictures["query_seconds_by_labels"].draw(figure)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines) == ["random", "a"]
    assert list(lines["a"].get_xdata()) == [100, 200, 400]
    assert list(lines["a"].get_ydata()) == [0.5, 0.5, 0.5]


def test_curves_are_drawn_for_desks_and_for_phones(make_results, noisy, tmp_path):
    document = single(make_results({"random": noisy(3), "a": noisy(3, seed=1)}))
    assert [chart.kind for chart in document.sections[0].pictures[0].charts] == ["wide", "narrow"]
    page = write(document, tmp_path).page.read_text()
    assert page.count('<svg class="chart wide"') == page.count('<svg class="chart narrow"') == 1


def test_both_ends_of_an_interval_are_in_the_file():
    column = Column("saved", [between(-3.5, 1200.0), between(float("-inf"), 7.0), "–"])
    table = Table(name="t", title="t", columns=[column])
    assert [cell.text for cell in column.shown] == ["−4 to 1,200", "unbounded to 7", "–"]
    lines = as_csv(table).splitlines()
    assert lines == ["saved_low,saved_high,saved_note", "-3.5,1200.0,", ",7.0,no bound: low", ",,"]


def test_a_folder_that_cannot_be_written_is_named(results, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file.*choose another folder with `alharness report --out`"):
        write(single(results), tmp_path / "file")


def test_a_run_with_nothing_finished_still_has_a_page(make_results, tmp_path):
    page = write(single(make_results({"random": [None], "a": [None]})), tmp_path).page.read_text()
    assert "Nothing is finished yet." in page
    assert Ids(page).ids == ["cells", "setting"]


def test_one_cycle_without_a_query(make_results, tmp_path):
    results = make_results({"random": [(0.5,)] * 3, "a": [(0.4,)] * 3}, labeled=(100,))
    assert "outcome" in Ids(write(single(results), tmp_path).page.read_text()).ids
    assert not (tmp_path / "pictures/cost.png").exists()  # its axes would be empty


def test_targets_that_were_asked_for_have_tables(results, tmp_path):
    document = single(results, [0.35])
    tables = {table.name: table for section in document.sections for table in section.tables}
    assert tables["labels_to_target_2"].title.startswith("To mae 0.350: as asked")
    assert "95% of the way" in tables["labels_to_target_1"].title


def test_stars_only_where_they_are_earned(results):
    document = single(results)
    tables = {table.name: table for section in document.sections for table in section.tables}
    verdicts = {
        row[0].text: row[7].text for name in ("against_random", "differences") for row in tables[name].rows
    }
    assert verdicts == {
        "quick − random": "significant",
        "other − random": "not significant",
        "quick − other": "significant",
    }
    bold = {row[0].text for row in tables["outcome"].rows if row[2].strong}
    assert bold == {"quick"}


def test_several_settings_on_one_page(make_results, noisy, tmp_path):
    found = [
        make_results(
            {"random": noisy(4, seed=i), "a": noisy(4, 1.0, seed=i + 20), "b": noisy(4, 0.4, seed=i + 40)},
            experiment=f"e{i}",
            name=f"set {i}",
            synthetic=i == 1,
        )
        for i in range(5)
    ]
    few = write(several(found[:2]), tmp_path / "few").page.read_text()
    assert "needs at least 5 settings" in few
    assert not (tmp_path / "few/pictures/critical_difference.png").exists()
    page = write(several(found), tmp_path / "all").page.read_text()
    assert (tmp_path / "all/pictures/critical_difference.png").exists()
    assert "Made up are: set 1." in page
    assert Ids(page).ids == ["samplers", "differences", "curves", "savings", "scores", "ranks", "settings"]
    rows = list(csv.DictReader((tmp_path / "all/tables/samplers.csv").open()))
    assert [(row["sampler"], float(row["rank"])) for row in rows] == [("a", 1), ("b", 2), ("random", 3)]
    areas = list(csv.DictReader((tmp_path / "all/tables/areas.csv").open()))
    assert [row["setting"] for row in areas] == [f"set {i}" for i in range(5)]
    assert float(areas[2]["a_area"]) == found[2].areas["a"].value


def test_bars_of_the_diagram_of_ranks_do_not_depend_on_the_order_of_a_set(make_results, noisy):
    from matplotlib.figure import Figure

    alike = {x: noisy(3, seed=i) for i, x in enumerate(("random", "a", "b", "c", "d"))}
    runs = [make_results(alike, experiment=f"e{i}", name=f"set {i}") for i in range(5)]
    pictures = {picture.name: picture for section in several(runs).sections for picture in section.pictures}
    figure = Figure()
    pictures["critical_difference"].draw(figure)
    bars = [list(line.get_xdata()) for line in figure.axes[0].lines if line.get_color() == "k"]
    assert any(len(bar) > 2 for bar in bars)
    assert all(bar == sorted(bar) for bar in bars)


FALLING = np.array([0.5, 0.4, 0.35, 0.3])
SAME = [FALLING] * 4
ODD = {
    "ties everywhere": {"random": SAME, "a": SAME, "b": SAME},
    "the same difference in every seed": {"random": SAME, "a": [FALLING - 0.1] * 4},
    "one seed": {"random": SAME[:1], "a": [FALLING - 0.1]},
    "one seed, equal": {"random": SAME[:1], "a": SAME[:1]},
    "two seeds": {"random": SAME[:2], "a": [FALLING - 0.1, FALLING + 0.1]},
    "constant": {"random": [[0.5] * 4] * 3, "a": [[0.0] * 4] * 3},
    "rounding noise": {"random": SAME, "a": [FALLING * (1 + k * 1e-16) for k in range(4)]},
    "tiny": {"random": [FALLING * 1e-9, FALLING * 1.1e-9] * 2, "a": [FALLING * 0.9e-9, FALLING * 1e-9] * 2},
    "huge": {"random": [FALLING * 1e7, FALLING * 1.1e7] * 2, "a": [FALLING * 0.9e7, FALLING * 1e7] * 2},
    "diverged": {"random": SAME, "a": [FALLING * 10.0**k for k in (0, 100, 200, 300)]},
    "alone": {"random": SAME},
    "without Random": {"a": SAME, "b": [FALLING]},
}
ILL = re.compile(r"\b(nan|NaN|inf)\b|(?<![\d.])0\.000(?!\d)|[−-]0(\.0*)?(?![.\d])|p = –")
"""No number, a number that is nothing but zeros, or a zero with a sign."""


@pytest.mark.parametrize("curves", ODD.values(), ids=ODD)
def test_numbers_that_say_nothing_are_words(make_results, curves):
    document = single(make_results(curves))
    texts = [text for answer in document.answers for text in (answer.short, *answer.reasons)]
    for section in document.sections:
        texts += section.paragraphs
        texts += [cell.text for table in section.tables for row in table.rows for cell in row]
        texts += [text for table in section.tables for text in (table.title, table.note)]
    assert [text for text in texts if ILL.search(text)] == []


@pytest.mark.parametrize("curves", ODD.values(), ids=ODD)
def test_the_files_hold_finite_numbers_words_and_plain_names(make_results, curves):
    for section in single(make_results(curves)).sections:
        for table in section.tables:
            headings, *rows = csv.reader(as_csv(table).splitlines())
            assert len(set(headings)) == len(headings)
            for heading in headings:
                assert re.fullmatch(r"[a-z0-9_]+", heading), (table.name, heading)
            assert not {"nan", "inf", "-inf", "–"} & {cell for row in rows for cell in row}


def test_no_number_is_printed_as_nan(report):
    page = report[1].page.read_text()
    text = re.sub(r"data:image[^\"]*", "", page)
    assert not re.search(r"\b(nan|inf)\b", text)


@pytest.mark.parametrize(("width", "height"), [(1200, 900), (390, 844)])
def test_nothing_is_cut_on_a_screen(browser, make_results, noisy, tmp_path, width, height):
    results = make_results({"random": noisy(3), "a": noisy(3, seed=1)}, references=(0.28, 0.29, 0.28))
    names = ("acc2", "corr", "acc3", "acc5", "f1", "acc2_weak", "r2")  # those of a real run
    results = replace(
        results,
        records=tuple(
            replace(
                cell,
                cycles=tuple(
                    replace(c, metrics=c.metrics | dict.fromkeys(names, c.metrics["mae"])) for c in cell.cycles
                ),
            )
            for cell in results.records
        ),
    )
    page = write(single(results), tmp_path).page
    tab = browser.new_page(viewport={"width": width, "height": height})
    tab.goto(page.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tables = tab.evaluate("[...document.querySelectorAll('.table')].map(e => e.scrollWidth - e.clientWidth)")
    picture = tab.locator("#curves svg.chart:visible").first.bounding_box()
    assert picture["width"] > 0.9 * width
    if width > 1000:
        assert max(tables) == 0
