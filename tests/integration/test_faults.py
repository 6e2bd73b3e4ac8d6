"""Whatever a plugin does in its process costs one cell, with one job as with two."""

import signal
import time

import psutil
import pytest

TINY = """\
name: tiny
dataset: {dataset}
training: {{epochs: 1, device: cpu}}
active_learning: {{initial_pool: 6, budget: 3, cycles: 1}}
seeds: [0]
samplers: {samplers}
limits: {limits}
"""


@pytest.fixture
def write_tiny(tmp_path):
    """A spec whose cells take hundredths of a second."""

    def write(samplers="[first]", dataset="toy_data", limits="{}"):
        path = tmp_path / "tiny.yaml"
        path.write_text(TINY.format(samplers=samplers, dataset=dataset, limits=limits))
        return path

    return write


def throwing(*what):
    entries = (f"{{name: throws, label: t{n}, params: {{what: {w}}}}}" for n, w in enumerate(what))
    return f"[{', '.join(entries)}, draw]"


@pytest.mark.parametrize("jobs", [1, 2])
def test_whatever_a_sampler_raises_is_the_failure_of_its_cell(write_tiny, run_spec, tmp_path, jobs):
    raised = {
        "interrupt": "KeyboardInterrupt: mine",
        "exit": "SystemExit: 0",
        "base": "Base2: bare",
        "generator": "GeneratorExit",
        "mute": "Mute: (its text cannot be made: ValueError)",
        "odd": "Odd: half a character: \\ud800",
        "recursion": "RecursionError: maximum recursion depth exceeded",
    }
    _, record, _ = run_spec(write_tiny(throwing(*raised)), tmp_path, jobs=jobs)
    assert [cell.status for cell in record.cells] == ["failed"] * len(raised) + ["ok"]
    for number, (cell, text) in enumerate(zip(record.cells, raised.values(), strict=False)):
        assert cell.error.startswith(f"t{number} (toy-samplers==1.0)")
        assert text in cell.error
        assert "see " in cell.error
    assert not record.interrupted


def test_case_10_want_of_memory_is_a_status_of_its_own(write_tiny, run_spec, tmp_path):
    _, record, _ = run_spec(write_tiny(throwing("memory", "torch memory")), tmp_path)
    assert [cell.status for cell in record.cells] == ["oom", "oom", "ok"]
    assert record.cells[0].error == "t0 (toy-samplers==1.0): not enough memory: MemoryError: too much"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("exit", "its process ended with 0 before the cell was finished"),
        ("SIGSEGV", "its process was ended by SIGSEGV before the cell was finished"),
        ("SIGTERM", "its process was ended by SIGTERM before the cell was finished"),
    ],
)
def test_case_09_a_sampler_that_ends_its_process_costs_its_cell(write_tiny, run_spec, tmp_path, how, told):
    """With two jobs, test_workers.py."""
    samplers = f"[first, {{name: dies, params: {{how: {how}}}}}, draw]"
    _, record, _ = run_spec(write_tiny(samplers), tmp_path)
    assert [cell.status for cell in record.cells] == ["ok", "failed", "ok"]
    assert record.cells[1].error.startswith(f"dies (toy-samplers==1.0): {told}; see ")


@pytest.mark.slow
@pytest.mark.parametrize(("how", "jobs"), [("sleep", 1), ("sleep", 2), ("SIGSTOP", 1), ("close", 1)])
def test_case_08_a_sampler_that_hangs_is_ended_after_the_limit(write_tiny, run_spec, tmp_path, how, jobs):
    samplers = f"[first, {{name: dies, params: {{how: {how}, after: 0}}}}, draw]"
    path = write_tiny(samplers, limits="{cell_timeout: 4s}")
    _, record, _ = run_spec(path, tmp_path, jobs=jobs)
    assert [cell.status for cell in record.cells] == ["ok", "failed" if how == "close" else "timeout", "ok"]
    told = "its process stopped answering" if how == "close" else "not finished after 4 s (limits.cell_timeout)"
    assert f"dies (toy-samplers==1.0): {told}" in record.cells[1].error


def test_case_01_and_case_03_a_worker_that_is_killed_costs_no_cell(
    write_spec, run_spec, journals, tmp_path, monkeypatch
):
    path = write_spec(seeds="[0]")
    run_spec(path, tmp_path / "whole")
    for fault in ("train:3", "query:4", "queried:4"):  # workers that continue do not pass it so often
        monkeypatch.setenv("ALHARNESS_FAULT", fault)
        _, record, warnings = run_spec(path, tmp_path / fault)
        assert [cell.status for cell in record.cells] == ["ok", "ok"]
        assert any("was ended by SIGKILL" in text and "continue in two groups" in text for text in warnings)
        assert journals(tmp_path / fault) == journals(tmp_path / "whole")


def test_case_10_a_process_that_holds_too_much_memory_is_ended(write_tiny, run_spec, tmp_path):
    _, record, _ = run_spec(write_tiny("[hoards, draw]", limits="{memory: 512MiB}"), tmp_path)
    assert [cell.status for cell in record.cells] == ["oom", "ok"]
    assert "limits.memory is 512 MiB" in record.cells[0].error


def test_case_31_what_a_sampler_has_started_ends_with_its_process(write_tiny, run_spec, tmp_path):
    run_spec(write_tiny("[{name: dies, params: {how: leave}}]"), tmp_path)
    (output,) = tmp_path.glob("*/cells/dies-*/output.txt")
    pid = int(output.read_text().split()[-1])
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_limit_is_no_part_of_a_result(write_tiny, run_spec, tmp_path):
    run, _, _ = run_spec(write_tiny(limits="{cell_timeout: 1h}"), tmp_path)
    again, record, _ = run_spec(write_tiny(), tmp_path)
    assert run.folder == again.folder
    assert again.finished == {"first-s0": 2}
    assert record.cells[0].status == "ok"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("exit", "was not made: its process ended with 0"),
        ("SIGSEGV", "was not made: its process was ended by SIGSEGV"),
        ("interrupt", "KeyboardInterrupt: mine"),
        ("sleep", "was not made: not finished after 3 s (limits.cell_timeout)"),
        ("hoard", "was not made: its process held"),
        ("another", "returned str, not Dataset"),
    ],
)
def test_a_data_set_that_cannot_be_made_is_named_with_its_plugin(main, write_tiny, how, told):
    path = write_tiny(
        dataset=f"{{name: toy_data, params: {{how: {how}}}}}", limits="{cell_timeout: 3, memory: 400MiB}"
    )
    code, _, err = main("run", path, "--no-tracking")
    assert code == 4
    assert "the data set 'toy_data' of toy-samplers==1.0" in err
    assert told in err
    assert "Traceback" not in err


def test_the_exit_code_of_a_run_with_a_dead_cell_is_1(main, write_tiny):
    code, out, err = main("run", write_tiny("[{name: dies, params: {how: exit}}, draw]"), "--no-tracking")
    assert (code, err) == (1, "")
    assert "failed: dies-s0: dies (toy-samplers==1.0): its process ended with 0" in out


@pytest.mark.slow
@pytest.mark.parametrize("how", ["sleep", "SIGSTOP"])
def test_case_02_nothing_is_left_of_a_run_that_is_killed(command, write_tiny, tmp_path, how):
    process = command("run", write_tiny(f"[{{name: dies, params: {{how: {how}}}}}]"), "--no-tracking")
    started = psutil.Process(process.pid)
    while not any(path.stat().st_size for path in tmp_path.glob("runs/*/cells/*/output.txt")):
        assert process.poll() is None
        time.sleep(0.05)
    children = started.children(recursive=True)
    assert len(children) >= 3
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
