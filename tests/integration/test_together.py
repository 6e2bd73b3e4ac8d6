"""Several processes in one run directory, with the real command: on cells of their own, and one after another."""

import json
import signal

import pytest

from alharness.results.run import RunResults
from alharness.runs.status import Watcher

NODE = """
import os, socket

socket.gethostname = lambda: os.environ["NODE"]
from alharness.runs import locks
locks.LEASE = 3.0
"""


@pytest.mark.long
def test_case_06_processes_on_cells_of_their_own_leave_what_one_process_leaves(
    command, write_spec, run_spec, wait_for_lines, journals, tmp_path
):
    path = write_spec(samplers="[slow, draw, raises]", seeds="[0]", cycles=8)
    long = command("run", path, "--no-tracking", "--only", "slow")
    wait_for_lines(tmp_path / "runs", 1, long)
    long.send_signal(signal.SIGSTOP)  # it is at work for as long as the others take
    short = command("run", path, "--no-tracking", "--only", "draw", "--only", "raises")
    both = command("run", path, "--no-tracking")
    _, told = both.communicate(timeout=120)
    out, _ = short.communicate(timeout=120)
    long.send_signal(signal.SIGCONT)
    assert both.returncode == 2
    assert f"slow-s0: in use by process {long.pid} on " in told
    assert short.returncode == 1
    assert "raises-s0" in out
    assert long.wait(timeout=120) == 0

    run_spec(path, tmp_path / "alone")
    assert journals(tmp_path / "runs") == journals(tmp_path / "alone")
    together, alone = (RunResults.read(next((tmp_path / name).iterdir())) for name in ("runs", "alone"))
    assert [cell.status for cell in together.records] == ["ok", "ok", "failed"]
    assert together.run.cells == alone.run.cells
    assert together.pool.ids == alone.pool.ids
    (folder,) = (tmp_path / "runs").iterdir()
    assert not (folder / "processes").exists()
    assert not list(folder.rglob(".tmp-*"))


@pytest.mark.long
def test_without_locks_a_run_that_was_killed_on_one_node_is_continued_on_another(
    command, write_spec, run_spec, wait_for_lines, journals, toy_site, no_flock, tmp_path
):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(NODE)

    def start(node):
        variables = {**no_flock, "PYTHONPATH": f"{site}:{toy_site}", "NODE": node}
        return command("run", path, "--no-tracking", "--only", "slow", variables=variables)

    path = write_spec(samplers="[slow]", seeds="[0]", cycles=8)
    first = start("node1")
    wait_for_lines(tmp_path / "runs", 2, first)
    holder = json.loads(next(tmp_path.glob("runs/*/processes/*/holder.json")).read_text())
    assert (holder["pid"], holder["host"]) == (first.pid, "node1")
    (folder,) = (tmp_path / "runs").iterdir()
    assert [process.name for process in Watcher(folder).look().processes] == [f"process {first.pid} on node1"]
    first.kill()
    first.communicate()
    again = start("node2")
    out, _ = again.communicate(timeout=120)
    assert again.returncode == 0
    assert "cannot lock files, so leases are used" in out
    assert "waiting up to 3 seconds to see whether that still lives" in out
    run_spec(path, tmp_path / "alone")
    assert journals(tmp_path / "runs") == journals(tmp_path / "alone")
