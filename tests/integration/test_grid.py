"""A whole grid from one spec: every setting is run, and one report is made over all of them."""

import io
import re
import shutil
import signal
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

import alharness
from alharness import HarnessWarning, SpecError, cli
from alharness.runs import saved

GRID = """\
name: grid
extends: shared.yaml
matrix:
  dataset: [digits, {label: toy, name: toy_data}]
  active_learning: [{budget: 5, cycles: 2}, {budget: 10, cycles: 1}]
samplers: [random, first, narrow]
"""
SHARED = """\
training: {epochs: 2, batch_size: 5, device: cpu}
active_learning: {initial_pool: 10}
seeds: 3
tracking: none
"""
NAMES = ["grid-digits-budget5", "grid-digits-budget10", "grid-toy-budget5", "grid-toy-budget10"]


@pytest.fixture
def write(tmp_path):
    """Write a grid, and what it extends."""

    def write(**changes):
        text = GRID
        for old, new in changes.values():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "grid.yaml").write_text(text)
        (tmp_path / "shared.yaml").write_text(SHARED)
        return "grid.yaml"

    return write


@pytest.fixture(autouse=True)
def here(toy_site, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(toy_site)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def once(toy_site, tmp_path_factory):
    """The grid, run once, by the command line: its folder, the exit code, and what it printed."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "grid.yaml").write_text(GRID)
    (folder / "shared.yaml").write_text(SHARED)
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.syspath_prepend(toy_site)
        patch.chdir(folder)
        patch.setenv("COLUMNS", "160")
        with pytest.raises(SystemExit) as ended:
            cli.main(["run", "grid.yaml"])
    return folder, ended.value.code, out.getvalue(), err.getvalue()


@pytest.fixture
def finished(once, tmp_path):
    """A folder of the test's own, as the run has left it."""
    shutil.copytree(once[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


def named(folder):
    return folder.name.rpartition("-")[0]


def test_one_spec_over_two_data_sets_two_budgets_and_three_samplers_ends_with_one_report(once):
    folder, code, out, err = once

    assert (code, err) == (0, "")
    assert sorted(named(path) for path in (folder / "runs").iterdir()) == sorted(NAMES)
    assert re.findall(r"^(\d/4 \S+): starting$", out, re.MULTILINE) == [
        f"{number}/4 {name}" for number, name in enumerate(NAMES, 1)
    ]
    closing = out.partition("4 settings")[2]
    assert [name for name in NAMES if re.search(rf"{name} +│ +9 of 9 │", closing)] == NAMES
    assert "Average ranks over 4 settings: " in closing
    assert "reports/grid/index.html" in closing
    page = (folder / "reports/grid/index.html").read_text()
    assert [name for name in NAMES if name in page] == NAMES


@pytest.mark.usefixtures("finished")
def test_a_grid_that_is_finished_is_passed_over(main):
    code, out, _ = main("run", "grid.yaml")

    assert code == 0
    assert "starting" not in out
    assert re.findall(r"^(\d/4 \S+): finished before$", out, re.MULTILINE) == [
        f"{number}/4 {name}" for number, name in enumerate(NAMES, 1)
    ]
    assert "reports/grid/index.html" in out


@pytest.mark.usefixtures("finished")
def test_a_sampler_that_is_added_is_run_in_the_setting_that_lacks_it(main, write):
    spec = write(samplers=("[random, first, narrow]", "[random, first, narrow, looks]"))

    code, out, _ = main("run", spec, "--only", NAMES[2])

    assert code == 0
    assert out.count("Continuing: ") == 1
    assert "[12/12] looks-s2" in out


def test_the_spec_in_a_run_directory_gives_the_same_run_directory_and_journals(main, finished, journals):
    (folder,) = (finished / "runs").glob("grid-toy-budget10-*")
    text = (folder / "spec.yaml").read_text()
    (finished / "copy.yaml").write_text(text)

    main("run", "copy.yaml", "--workdir", "again")

    assert [path.name for path in (finished / "again").iterdir()] == [folder.name]
    shutil.copytree(folder, finished / "before" / folder.name)
    assert journals(finished / "again") == journals(finished / "before")
    assert "matrix" not in text
    assert "extends" not in text


BAD = ("{label: toy, name: toy_data}", "{label: bad, name: toy_data, params: {how: another}}")


def test_a_setting_that_fails_does_not_stop_the_others(main, write, tmp_path):
    data = (f"[digits, {BAD[0]}]", f"[{BAD[1]}, {BAD[0]}]")

    code, out, err = main("run", write(data=data), "--set", "seeds=1")

    assert code == 4
    assert re.findall(r"^error: (grid-bad-budget\d+): ", err, re.MULTILINE) == [
        "grid-bad-budget5",
        "grid-bad-budget10",
    ]
    assert "not run: grid-bad-budget5, grid-bad-budget10" in out
    assert "Average ranks over 2 settings: " in out
    assert {named(path.parent) for path in (tmp_path / "runs").glob("*/run.json")} == set(NAMES[2:])


ALONE = ("dataset: [digits, {label: toy, name: toy_data}]", "dataset: [{label: toy, name: toy_data}]")


def test_a_cell_that_fails_makes_the_exit_code_1(main, write):
    code, out, _ = main("run", write(samplers=("narrow]", "raises]"), data=ALONE), "--set", "seeds=1")

    assert code == 1
    assert out.count("2 of 3") == 2


def test_what_can_be_known_before_stops_all(main, write, tmp_path):
    code, out, err = main("run", write(), "--set", "active_learning.initial_pool=500")

    assert (code, out) == (2, "")
    assert "the train split of 'toy_data' has 180 samples" in err
    assert not (tmp_path / "runs").exists()


def test_several_specs_run_one_after_the_other(main, write, tmp_path):
    write(data=ALONE, budgets=("[{budget: 5, cycles: 2}, {budget: 10, cycles: 1}]", "[{budget: 5, cycles: 1}]"))
    text = (tmp_path / "grid.yaml").read_text()
    (tmp_path / "other.yaml").write_text(
        text.replace("name: grid", "name: other").replace("budget: 5", "budget: 6")
    )

    code, out, _ = main("run", "grid.yaml", "other", "--set", "seeds=1")

    assert code == 0
    assert "1/2 grid-toy: starting" in out
    assert "2/2 other-toy: starting" in out
    assert "report/index.html" in out


def test_one_setting_can_be_run_alone(main, write, tmp_path):
    code, out, _ = main("run", write(), "--only", "grid-toy-budget5", "--only", "first")

    assert code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert named(folder) == "grid-toy-budget5"
    assert {outcome.cell.label for outcome in saved.load(folder)[1] if outcome.status == "ok"} == {"first"}
    assert "Report: " in out


@pytest.mark.slow
def test_an_interruption_ends_all_and_the_same_command_continues(command, write, wait_for_lines, tmp_path):
    budgets = "{budget: 5, cycles: 1}, {budget: 10, cycles: 2}, {budget: 15, cycles: 1}"
    write(
        samplers=("[random, first, narrow]", "[slow]"),
        data=ALONE,
        budgets=("{budget: 5, cycles: 2}, {budget: 10, cycles: 1}", budgets),
    )
    process = command("run", "grid.yaml", "--set", "seeds=1", variables={"ALHARNESS_TEST_WAITS": "1 10"})
    wait_for_lines(tmp_path / "runs", 3, process)  # two of the first setting, one of the next
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "continue with: " in out
    assert "Traceback" not in err
    assert len(list((tmp_path / "runs").iterdir())) == 2

    again = command("run", "grid.yaml", "--set", "seeds=1")
    out, _ = again.communicate(timeout=240)
    assert again.returncode == 0
    assert "1/3 grid-toy-budget5: finished before" in out
    assert out.count("Continuing: ") == 1
    assert "3/3 grid-toy-budget15: starting" in out


def test_settings_whose_seeds_were_enough_are_finished(main, write):
    seeds = "seeds={at_least: 3, at_most: 6, block: 1, until: decided, margin: 5}"
    words = ["run", write(data=ALONE, samplers=("random, first, narrow", "random, first")), "--set", seeds]
    _, out, _ = main(*words)

    again = main(*words)[1]

    assert out.count("seeds were enough") == 2
    assert again.count("finished before") == 2
    assert re.search(r"grid-toy-budget5 +│ +(\d) of \1 │", again)


def test_commands_take_all_runs_of_a_grid(main, finished):
    assert main("report", "grid", "--out", "elsewhere")[0] == 0
    assert (finished / "elsewhere/index.html").exists()
    code, out, _ = main("export", "grid.yaml", "--table", "differences")
    assert (code, len({line.split(",")[1] for line in out.splitlines()[1:]})) == (0, 4)


def test_runs_lists_those_of_a_spec(main, finished):
    shutil.copytree(next(finished.glob("runs/grid-digits-budget5-*")), finished / "runs/another")

    code, out, _ = main("runs", "runs/another")

    assert code == 0
    assert "another" in out
    assert "grid-toy" not in out


def test_check_shows_the_grid_and_trains_nothing(main, write, tmp_path):
    code, out, _ = main("check", write())

    assert code == 0
    assert [name for name in NAMES if re.search(rf"{name} .* 9 ", out)] == NAMES
    assert re.search(r"4 settings +36 +66", out)
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fewer than 3 seeds", HarnessWarning)
        yield


@pytest.mark.usefixtures("quiet")
def test_python_gets_the_results_of_all_settings(write):
    results = alharness.run(write(data=ALONE), set={"seeds": 1}, progress=False)

    assert list(results.runs) == ["grid-toy-budget5", "grid-toy-budget10"]
    assert list(alharness.load("grid").runs) == list(results.runs)
    assert results.cells["status"].unique().tolist() == ["ok"]


@pytest.mark.usefixtures("quiet")
def test_python_is_told_which_setting_failed(write):
    path = write(data=(f"[digits, {BAD[0]}]", f"[{BAD[1]}, {BAD[0]}]"))

    with pytest.warns(HarnessWarning) as said:
        results = alharness.run(path, set={"seeds": 1}, progress=False)

    named = [str(one.message).partition(": ")[0] for one in said if "grid" in str(one.message)]
    assert named == ["grid-bad-budget5", "grid-bad-budget10"]
    assert list(results.runs) == NAMES[2:]


def test_python_is_refused_before_anything_runs(write, tmp_path):
    with pytest.raises(SpecError, match="samples"):
        alharness.run(write(), set={"active_learning.initial_pool": 500})
    assert not Path("runs").exists()


@pytest.mark.slow
def test_the_shipped_grid_runs_in_a_small_form(main):
    small = [
        "matrix.dataset=[digits, toy_data]",
        "matrix.active_learning=[{budget: 10, cycles: 2}, {budget: 20, cycles: 1}]",
        "training={epochs: 1, device: cpu}",
        "seeds=1",
    ]

    code, out, err = main(
        "run", "first_grid", "--no-tracking", *(word for one in small for word in ("--set", one))
    )

    assert (code, [line for line in err.splitlines() if "warning" not in line]) == (0, [])
    assert "Average ranks over 4 settings: " in out


def test_a_report_that_cannot_be_written_costs_a_warning_and_no_exit_code(main, finished):
    shutil.rmtree(finished / "reports")
    (finished / "reports").write_text("in the way")

    code, out, _ = main("run", "grid.yaml")

    assert code == 0
    assert "4 settings" in out
    assert "warning: there is no report over all settings: " in out
