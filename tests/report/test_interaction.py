"""What a reader can do with the page: sort tables and switch curves off; and what it is without scripts."""

import base64
import hashlib
import re

import pytest

from alharness.report.build import several, single
from alharness.report.cells import Column, Table, Value, interval, number
from alharness.report.document import Document, Section
from alharness.report.page import as_html, write

BAD = '<script>alert("x")</script>'


def document(*tables, legend=()):
    section = Section(anchor="s", title="s", tables=tables, legend=legend)
    return Document(title="t", subtitle="", notice="", answers=(), sections=[section])


@pytest.fixture(scope="module")
def pages(make_results, noisy, tmp_path_factory):
    """The page of one run, and that of two."""
    runs = [
        make_results(
            {"random": noisy(5, seed=i), BAD: noisy(5, 1.0, seed=i + 20), "b": noisy(5, 0.4, seed=i + 40)},
            experiment=f"e{i}",
            name=f"set {i}",
        )
        for i in range(2)
    ]
    folder = tmp_path_factory.mktemp("pages")
    return write(single(runs[0]), folder / "one").page, write(several(runs), folder / "two").page


@pytest.fixture
def sorting(tmp_path):
    """A table with two parts, numbers, a dash and text."""
    cells = [interval(0.3, 0.01), interval(0.1, 0.2), number(float("nan")), interval(0.25, 0.1), number(2.0)]
    table = Table(
        name="t",
        title="t",
        columns=[Column("name", ["s10", "s9", "a", "z", "y"]), Column("value", cells)],
        apart=[4],
    )
    path = tmp_path / "index.html"
    path.write_text(as_html(document(table), {}))
    return path


def column(tab, number=0):
    return tab.eval_on_selector_all("tbody tr", f"rows => rows.map(row => row.cells[{number}].textContent)")


def test_the_browser_runs_our_script_and_no_other(pages):
    for page in (path.read_text() for path in pages):
        (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', page)
        assert f"script-src 'sha256-{digest}'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2]
        assert not re.search(r"\son\w+=", re.sub(r">[^<]*<", "><", page.replace(script, "")))


def test_names_in_curves_and_legends_are_escaped(pages):
    for page in (path.read_text() for path in pages):
        assert page.count("<script") == 1
        legend = page.partition('<fieldset class="legend">')[2].partition("</fieldset>")[0]
        assert "&lt;script&gt;" in legend
        assert "<title>&lt;script&gt;" in page  # of a curve


def test_a_link_leads_nowhere_but_to_a_file(make_results, noisy, tmp_path):
    """Whatever a folder is called."""
    folders = [tmp_path / "javascript:alert(1)", tmp_path / 'a"onclick="b']
    runs = []
    for i, folder in enumerate(folders):
        (folder / "report").mkdir(parents=True)
        (folder / "report" / "index.html").touch()
        curves = {"random": noisy(3, seed=i), "a": noisy(3, seed=i + 9)}
        runs.append(make_results(curves, experiment=f"e{i}", name=f"set {i}", folder=folder))
    out = tmp_path / "over"
    page = write(several(runs, out), out).page.read_text()
    links = set(re.findall(r'<a href="(\.\.[^"]*)"', page))
    assert links == {"../javascript%3Aalert%281%29/report/index.html", "../a%22onclick%3D%22b/report/index.html"}


def test_a_run_without_a_page_has_no_link_and_the_command_that_makes_one(make_results, noisy, tmp_path):
    runs = [
        make_results({"random": noisy(3), "a": noisy(3, seed=1)}, experiment=f"e{i}", folder=tmp_path / f"e{i}")
        for i in range(2)
    ]
    page = write(several(runs, tmp_path / "over"), tmp_path / "over").page.read_text()
    assert "2 of 2 runs have no page of their own yet" in page
    assert f"<code>alharness report {tmp_path / 'e0'}</code>" in page
    assert not re.search(r'<a href="\.\.', page)


def test_cells_have_the_number_that_they_are_sorted_by():
    cells = [number(1 / 3), number(float("inf")), Value(text="word")]
    table = Table(name="t", title="t", columns=[Column("a", cells)])
    page = as_html(document(table), {})
    assert re.findall(r"data-by=\"(.*?)\"", page) == [str(1 / 3)]


def test_a_heading_sorts_up_and_down_and_back(browser, sorting):
    tab = browser.new_page()
    tab.goto(sorting.as_uri())
    button = tab.get_by_role("button", name="value")
    orders = []
    for _ in range(3):
        button.click()
        orders.append((column(tab), tab.locator("th").nth(1).get_attribute("aria-sort")))
    assert orders == [
        (["s9", "z", "s10", "a", "y"], "ascending"),  # a dash comes last, and the other part stays below
        (["s10", "z", "s9", "a", "y"], "descending"),
        (["s10", "s9", "a", "z", "y"], None),
    ]
    tab.get_by_role("button", name="name").press("Enter")  # with the keyboard, too
    assert column(tab) == ["a", "s9", "s10", "z", "y"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_box_switches_the_curves_of_a_sampler_off(browser, pages, scripts):
    for path in pages:
        tab = browser.new_context(java_script_enabled=scripts).new_page()
        tab.goto(path.as_uri())
        curves = tab.locator("#curves .chart:visible g.s1")
        assert curves.count() >= 1
        shown = tab.locator("#curves .chart:visible path.s1, #curves .chart:visible g.s1 path")
        assert shown.first.is_visible()
        tab.locator("#curves .legend").get_by_role("checkbox", name=BAD).uncheck()
        assert not any(one.is_visible() for one in shown.all())
        assert tab.locator("#curves .chart:visible g.s0 path").first.is_visible()


def test_all_curves_can_be_switched_off_at_once(browser, pages):
    tab = browser.new_page()
    tab.goto(pages[1].as_uri())
    legend = tab.locator("#curves .legend")
    legend.get_by_role("button", name="none").click()
    assert not any(box.is_checked() for box in legend.locator("input").all())
    assert tab.locator("#curves .chart g.s0 path").first.is_hidden()
    legend.get_by_role("button", name="all").click()
    assert tab.locator("#curves .chart g.s0 path").first.is_visible()


def test_without_scripts_the_page_is_whole(browser, pages):
    for path in pages:
        tab = browser.new_context(java_script_enabled=False).new_page()
        tab.goto(path.as_uri())
        assert tab.locator("th button").count() == 0
        assert tab.locator("section.answers article").count() == 4
        assert tab.locator("tbody tr").count() > 10


@pytest.mark.parametrize(("width", "height"), [(1200, 900), (390, 844)])
def test_nothing_of_many_settings_is_cut_on_a_screen(browser, pages, width, height):
    tab = browser.new_page(viewport={"width": width, "height": height})
    errors = []
    tab.on("console", lambda message: errors.append(message.text))
    tab.goto(pages[1].as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []
