"""Cells in several processes: the same journals, and one that dies takes no other along."""

import json
import os
import signal
import threading

import psutil
import pytest

from alharness import hookimpl
from alharness.errors import PluginError
from alharness.runs import messages


def measured(workdir):
    """Folder of a cell without its key -> what was measured in its cycles."""
    return {
        path.parent.name: [json.loads(line)["measured"] for line in path.read_text().splitlines()[1:]]
        for path in workdir.glob("*/cells/*/journal.jsonl")
    }


@pytest.fixture(scope="module")
def compared(spec_text, run_spec, tmp_path_factory):
    """The folder of two runs of eight cells, one by one process and `several` by five."""
    folder = tmp_path_factory.mktemp("compared")
    path = folder / "trial.yaml"
    path.write_text(spec_text(samplers="[first, narrow, draw]") + "reference: {full_data: true}\n")
    for name, jobs in (("one", 1), ("several", 5)):
        _, record, _ = run_spec(path, folder / name, jobs=jobs)
        assert {cell.status for cell in record.cells} == {"ok"}
    return folder


def test_journals_are_those_of_one_process_apart_from_what_was_measured(compared, journals):
    one, several = journals(compared / "one"), journals(compared / "several")
    assert len(one) == 8
    assert one == several
    for name, timing in (("one", "exclusive"), ("several", "shared")):
        assert {cycle["timing"] for cell in measured(compared / name).values() for cycle in cell} == {timing}


@pytest.mark.parametrize(("stack", "jobs"), [(3, 1), (2, 2), (None, 1)])
def test_journals_do_not_depend_on_which_cells_train_together(
    write_spec, run_spec, journals, tmp_path, stack, jobs
):
    path = write_spec(samplers="[first, {name: raises, label: bad}, prints]")
    path.write_text(path.read_text() + "reference: {full_data: true}\n")
    run_spec(path, tmp_path / "one", stack=1)
    _, record, _ = run_spec(path, tmp_path / "groups", stack=stack, jobs=jobs)
    assert [cell.status for cell in record.cells] == ["ok", "failed", "ok", "ok"] * 2
    one, groups = journals(tmp_path / "one"), journals(tmp_path / "groups")
    for lines in (*one.values(), *groups.values()):
        for line in lines:
            line.pop("diagnostics", None)  # the number of threads
    assert groups == one
    for trace in tmp_path.glob("groups/*/cells/bad-*/traceback.txt"):
        assert "nothing here" in trace.read_text()
    outputs = [path.read_text() for path in tmp_path.glob("groups/*/cells/prints-*/output.txt")]
    assert outputs == ["one sampler was here\n" * 2] * 2


def test_the_first_fit_of_a_seed_is_made_once_by_whoever_is_first(write_spec, run_spec, tmp_path):
    path = write_spec(samplers="[first, narrow, draw]", seeds="[4]")
    path.write_text(path.read_text() + "reference: {full_data: true}\n")
    run_spec(path, tmp_path, jobs=3)
    assert len(list(tmp_path.glob("*/fits/*"))) == 2  # that of cycle 0, and that of all data
    cells = [cycles[0]["cost"] for name, cycles in measured(tmp_path).items() if "full" not in name]
    assert sorted(cost.get("train_reused", 0) for cost in cells) == [0, 1, 1]
    assert len({cost["train_seconds"] for cost in cells}) == 1


def test_nothing_of_what_processes_shared_is_left(compared):
    (folder,) = (compared / "several").iterdir()
    assert not (folder / "processes").exists()
    assert not list(folder.rglob("output.txt"))


def test_a_worker_has_its_share_of_the_cores_and_the_variables_of_the_run(
    write_spec, run_spec, tmp_path, monkeypatch
):
    monkeypatch.setenv("ALHARNESS_TEST", "42")
    monkeypatch.setattr("alharness.runs.local.cores", lambda: 6)
    _, record, _ = run_spec(write_spec(samplers="[prints]"), tmp_path, jobs=2)
    assert [cell.cycles[0].diagnostics for cell in record.cells] == [{"threads": 3, "variable": 42}] * 2


def test_case_31_what_a_plugin_prints_is_kept_beside_its_journal(write_spec, run_spec, tmp_path, capfd):
    run_spec(write_spec(samplers="[prints, first]"), tmp_path, jobs=2)
    outputs = sorted(path.parent.name[:9] for path in tmp_path.glob("*/cells/*/output.txt"))
    assert outputs == ["prints-s0", "prints-s1"]
    assert next(tmp_path.glob("*/cells/prints-s0*/output.txt")).read_text() == "one sampler was here\n" * 2
    assert "was here" not in capfd.readouterr().out


DEATHS = {
    "exit": "its process ended with 0 before the cell was finished",
    "SIGKILL": "its process was ended by SIGKILL before the cell was finished",
    "SIGSEGV": "its process was ended by SIGSEGV before the cell was finished",
}


@pytest.mark.slow
def test_case_09_a_sampler_that_ends_its_process_fails_alone(write_spec, compared, run_spec, journals, tmp_path):
    dying = (f"{{name: dies, label: {how.lower()}, params: {{how: {how}, after: 1}}}}" for how in DEATHS)
    _, record, _ = run_spec(write_spec(samplers=f"[first, {', '.join(dying)}, draw]"), tmp_path, jobs=2)
    assert [cell.status for cell in record.cells] == ["ok", "failed", "failed", "failed", "ok"] * 2
    for dead, (how, told) in zip(record.cells[1:4], DEATHS.items(), strict=True):
        assert dead.error.startswith(f"{dead.cell.label} (toy-samplers==1.0): {told}; see ")
        assert len(dead.cycles) == 1  # what it finished is kept
        output = next(tmp_path.glob(f"*/cells/{dead.cell.label}-s0-*/output.txt")).read_text()
        assert output.startswith("these are my last words")
        assert ("Segmentation fault" in output) == (how == "SIGSEGV")
    alive = ("first-", "draw-")
    found = {name: lines for name, lines in journals(tmp_path).items() if name.startswith(alive)}
    assert found == {n: lines for n, lines in journals(compared / "one").items() if n.startswith(alive)}


def test_a_sampler_that_breaks_its_contract_fails_as_in_one_process(write_spec, run_spec, tmp_path):
    path = write_spec(samplers="[twice, raises, exits, unmakable, first]", seeds="[0]")
    _, alone, _ = run_spec(path, tmp_path / "one")
    _, several, _ = run_spec(path, tmp_path / "several", jobs=2)
    assert [cell.status for cell in several.cells] == ["failed"] * 4 + ["ok"]
    for mine, theirs in zip(alone.cells, several.cells, strict=True):
        assert mine.error.replace("/one/", "/several/") == theirs.error
    assert len(list(tmp_path.glob("several/*/cells/*/traceback.txt"))) == 3


@pytest.mark.slow
def test_a_damaged_journal_is_told_and_restart_reaches_the_workers(write_spec, run_spec, journals, tmp_path):
    path = write_spec()
    run_spec(path, tmp_path)
    whole = journals(tmp_path)
    for book in tmp_path.glob("*/cells/first-*/journal.jsonl"):
        book.write_bytes(book.read_bytes().replace(b'"cycle": 1', b'"cycle": 9'))
    _, record, _ = run_spec(path, tmp_path, jobs=2)
    assert [cell.status for cell in record.cells] == ["failed", "ok", "failed", "ok"]
    _, record, warnings = run_spec(path, tmp_path, jobs=2, restart=True)
    assert [cell.status for cell in record.cells] == ["ok"] * 4
    assert sum("is kept as" in warning for warning in warnings) == 2
    assert journals(tmp_path) == whole


@pytest.mark.slow
def test_an_interrupted_run_leaves_no_process_and_goes_on(write_spec, run_spec, journals, tmp_path):
    class Stop:
        @hookimpl
        def alharness_cycle_finished(self, cycle):
            if cycle.cycle == 1:
                raise KeyboardInterrupt

    path = write_spec(samplers="[slow, draw]")
    before = descendants()
    _, record, _ = run_spec(path, tmp_path / "parts", observers=[Stop()], jobs=2)
    assert record.interrupted
    assert "interrupted" in {cell.status for cell in record.cells}
    assert descendants() <= before | forkservers()
    _, record, _ = run_spec(path, tmp_path / "parts", jobs=2)
    assert [cell.status for cell in record.cells] == ["ok"] * 4
    run_spec(path, tmp_path / "whole")
    assert journals(tmp_path / "parts") == journals(tmp_path / "whole")


def test_parameters_that_cannot_be_sent_are_told(write_spec, run_spec, tmp_path, monkeypatch):
    def unsendable(**values):
        return messages.Blueprint(**{**values, "sampler_params": {"first": threading.Lock()}})

    monkeypatch.setattr("alharness.runs.run.Blueprint", unsendable)
    with pytest.raises(PluginError, match="cannot be sent to another process .*locks"):
        run_spec(write_spec(), tmp_path, jobs=2)


def descendants():
    return {child.pid for child in psutil.Process().children(recursive=True)}


def forkservers():
    return {child.pid for child in psutil.Process().children()}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)])
def test_case_04_and_case_05_a_signal_to_the_whole_group_ends_the_run_and_tells_how_to_go_on(
    command, write_spec, wait_for_lines, tmp_path, number, code
):
    path = write_spec(samplers="[slow]", cycles=20)
    process = command("run", path, "--no-tracking", "--jobs", "2", start_new_session=True)
    wait_for_lines(tmp_path / "runs", 2, process)
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "continue with: " in out
    assert "--jobs 2" in out
    assert "Traceback" not in out + err


@pytest.mark.slow
def test_case_02_workers_end_when_the_run_is_killed_and_the_same_command_goes_on(
    command, write_spec, run_spec, wait_for_lines, journals, tmp_path
):
    path = write_spec(samplers="[slow]", cycles=4)
    process = command("run", path, "--no-tracking", "--jobs", "2")
    wait_for_lines(tmp_path / "runs", 2, process)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 3
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
    (folder,) = (tmp_path / "runs").iterdir()
    assert list(folder.glob("processes/*/samples/*.npy"))  # no one could remove them
    again = command("run", path, "--no-tracking", "--jobs", "2")
    again.communicate(timeout=120)
    assert again.returncode == 0
    assert not (folder / "processes").exists()
    run_spec(path, tmp_path / "quiet")
    assert journals(tmp_path / "runs") == journals(tmp_path / "quiet")


@pytest.mark.slow
def test_another_alharness_in_the_current_folder_is_not_taken_for_this_one(command, write_spec, tmp_path):
    (tmp_path / "alharness").mkdir()
    (tmp_path / "alharness" / "__init__.py").write_text("raise ImportError('the wrong one')")
    spec = write_spec(samplers="[first]")
    process = command("run", spec, "--no-tracking", "--jobs", "2", isolated=True)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
