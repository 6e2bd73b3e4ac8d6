"""`python -m benchmarks`, as `make bench` calls it, on tiny problems, whose figures mean nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = "# Speed\n\n<!-- measured: begin -->\nold\n<!-- measured: end -->\n\nthe end\n"
HEADS = ("| work |", "| --- |")
PLANTED = """
import pytest

from benchmarks.kernels import Kernel
from benchmarks.problems import Pool
from benchmarks.rows import Row, faster


def slow(problem):
    return lambda: sum(range(400_000))


def quick(problem):
    return lambda: sum(range(20_000))


@pytest.mark.parametrize(("name", "ours", "theirs"), [("lame", slow, quick), ("swift", quick, slow)])
def test_planted(bench, name, ours, theirs):
    us, them = Kernel(name="we", prepare=ours), Kernel(name="they", prepare=theirs)
    found = bench.compare(us, them, bench.at(Pool(N=9, D=2)))
    bound = faster(found.ours, found.theirs, 2)
    bench.record(Row(work=name, reference="they", ours=found.ours, theirs=found.theirs, bounds=(bound,)))
"""


@pytest.fixture
def run(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)

    def call(*arguments):
        command = [sys.executable, "-m", "benchmarks", "--tiny", "--no-peers", "--page", str(page)]
        results = tmp_path / "results.json"
        done = subprocess.run(
            [*command, "--results", str(results), *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done, page.read_text(), results

    return call


@pytest.mark.slow
def test_every_suite_puts_its_rows_into_the_page(run):
    done, page, results = run()
    assert done.returncode in (0, 1), done.stdout + done.stderr
    recorded = [one["extra_info"]["row"] for one in json.loads(results.read_text())["benchmarks"]]
    assert {row["work"].split(",")[0] for row in recorded} == {
        "k-center", "BADGE", "GRACE Eq. 5", "GCNAL", "CoreSet", "late_fusion", "specs/digits_quick.yaml",
        "alharness --help", "alharness plugins", "alharness check specs/simsv2_budget200.yaml",
    }  # fmt: skip
    lines = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith(HEADS)]
    assert len(lines) == len(recorded) == 17
    assert sum("not measured here: peers were left out" in line for line in lines) == 7
    assert all(line.count(" | ") == 9 for line in lines)
    assert sum("outside torch" in line for line in lines) == 13
    run = next(line for line in lines if "specs/digits_quick.yaml" in line)
    assert "2 of 2 cells: met" in run
    assert sum("importing libraries" in line for line in lines) == 3
    assert "| fit " in run
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# Speed", "### Kernels", "### Training", "### Whole runs",
    ]  # fmt: skip
    assert "\nold\n" not in page
    assert page.endswith("\n\nthe end\n")


@pytest.mark.slow
def test_a_slow_kernel_fails_on_the_page_on_the_screen_and_in_the_exit_code(run, tmp_path):
    suite = tmp_path / "test_planted.py"
    suite.write_text(PLANTED)
    done, page, _ = run(suite)
    assert done.returncode == 1
    assert "FAIL: lame, they: ≥ 2× faster, found 0." in done.stdout
    assert "2 rows in" in done.stdout
    assert "1 bounds missed" in done.stdout
    lame, swift = (line for line in page.splitlines() if line.startswith(("| lame", "| swift")))
    assert ": **FAIL** |" in lame
    assert "×: met |" in swift


@pytest.mark.slow
def test_a_suite_that_breaks_leaves_the_page_alone(run, tmp_path):
    suite = tmp_path / "test_broken.py"
    suite.write_text("def test_broken(bench):\n    raise ValueError('broken')\n")
    done, page, _ = run(suite)
    assert done.returncode == 2
    assert page == PAGE
