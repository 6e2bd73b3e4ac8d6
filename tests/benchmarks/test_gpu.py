"""`python -m benchmarks.gpu`, as `make gpu` calls it: its part for the CPU, and what it does with failures."""

import subprocess
import sys

import pytest
import torch

from benchmarks import page
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import measures, tables
from benchmarks.gpu.problems import MODELS, Place
from benchmarks.rows import Bound


@pytest.mark.long
def test_all_of_it_can_be_tried_out_on_a_cpu_and_nothing_is_kept():
    before = command.PAGE.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--cpu"],
        cwd=command.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(" | ")[0].strip("| ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert {"late_fusion", "av_mc", "lfmim", "badge", "bald", "bmmal", "coreset", "gcnal", "grace"} <= {*rows}
    assert [line[4:] for line in done.stdout.splitlines() if line.startswith("### ")] == [
        "Checks", "Stacks", "Queries", "GRACE Eq. 5, exact",
    ]  # fmt: skip
    assert "3 of 3: met" in done.stdout
    assert done.stdout.count("0.0e+00: met") == 2 * len(MODELS)
    assert done.stdout.endswith(
        "no GPU was measured: this was the same in small on the CPU, and nothing is kept\n"
    )
    assert command.PAGE.read_bytes() == before


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Calls the command with these checks and no measurements; gives the exit code, the output and the page."""
    shown = tmp_path / "pages" / "gpu.md"
    shown.parent.mkdir()
    shown.write_text(f"# On a GPU\n\n{page.BEGIN}\n\nold\n\n{page.END}\n")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "PAGE", shown)
    for name in ("stacks", "queries", "eq5"):
        monkeypatch.setattr(tables, name, lambda place: ())

    def call(*arguments, checks, gpu=False):
        monkeypatch.setattr(tables, "checks", checks)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
        monkeypatch.setattr(sys, "argv", ["benchmarks.gpu", *arguments])
        return command.main(), capsys.readouterr().out, shown.read_text()

    return call


def met(place):
    yield "late_fusion", Bound(text="weights on the device", found="9 of 9", met=True)


def missed(place):
    yield from met(place)
    yield "late_fusion", Bound(text="no synchronization within an epoch", found="a wait", met=False)


def broken(place):
    yield from met(place)
    raise RuntimeError("CUDA is lost")


def test_without_a_gpu_it_says_so_in_one_line_and_succeeds(run):
    code, out, shown = run(checks=met)
    assert code == 0
    assert out.splitlines()[-1].startswith("no GPU was measured")
    assert "old" in shown


def test_the_page_shows_what_a_gpu_gave_with_date_and_device(run):
    code, out, shown = run(checks=met, gpu=True)
    assert code == 0
    assert "old" not in shown
    assert ", on one Some GPU; " in shown
    assert "| late_fusion | weights on the device | 9 of 9: met |" in shown
    assert out.endswith("the tables are in pages/gpu.md\n")


def test_a_check_that_is_missed_is_named_and_fails(run):
    code, out, shown = run(checks=missed, gpu=True)
    assert code == 1
    assert "FAIL: late_fusion: no synchronization within an epoch, found a wait" in out
    assert "| a wait: **FAIL** |" in shown


def test_an_error_in_one_table_keeps_no_other_from_being_made(run):
    code, out, shown = run(checks=broken, gpu=True)
    assert code == 1
    assert "FAIL: Checks: RuntimeError: CUDA is lost" in out
    assert "9 of 9: met" in shown
    assert "### GRACE Eq. 5, exact" in shown


@pytest.mark.parametrize(("of_64", "verdict"), [(0.5, "met"), (0.51, "FAIL"), (None, "not measured")])
def test_a_stack_of_64_must_be_twenty_times_quicker(of_64, verdict):
    by_size = {1: 10.0} if of_64 is None else {1: 10.0, 64: of_64}
    assert measures.Stacks(model="m", alone=10.0, by_size=by_size).bound.verdict == verdict


def test_samples_have_the_shapes_of_simsv2_and_cherma():
    place = Place.on("cpu", tiny=False)
    sequences, pooled, emotions = (
        place.regression("lfmim", 2),
        place.regression("av_mc", 2),
        place.classification(3),
    )
    assert [x.shape[1:] for x in sequences.inputs.arrays.values()] == [(50, 768), (925, 25), (232, 177)]
    assert [x.shape[1] for x in pooled.inputs.arrays.values()] == [768, 25, 177]
    assert sum(x.shape[1] for x in emotions.inputs.arrays.values()) == 4096
    assert abs(pooled.labels).max() <= 1


def test_the_page_has_a_place_for_the_tables():
    text = command.PAGE.read_text(encoding="utf-8")
    assert page.BEGIN in text
    assert page.END in text
