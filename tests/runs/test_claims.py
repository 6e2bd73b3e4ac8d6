import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest

from alharness.api.records import Cell
from alharness.errors import RunError, SpecError
from alharness.runs import claims as claims_module
from alharness.runs import locks
from alharness.runs.claims import Claims
from alharness.runs.directory import RunDirectory

WORK = """
import fcntl, os, socket, sys, time
from pathlib import Path
from alharness.runs import locks
from alharness.api.records import Cell
from alharness.runs.claims import Claims
from alharness.runs.directory import RunDirectory

folder, label, host, mode = sys.argv[1:]
if mode == "lease":
    def flock(*_):
        raise OSError(37, "No locks available")
    fcntl.flock = flock
    locks.LEASE = 1.5
socket.gethostname = lambda: host
cell = Cell(label=label, sampler=label, params={}, distribution="d==1", seed=0, key=label * 8)
with Claims(RunDirectory(Path(folder)), print) as claims:
    claims.claim([cell])
    with claims.shared_samples() as samples:
        (samples / "0.npy").touch()
        print("working", flush=True)
        time.sleep(60)
"""


def cell(label, seed=0):
    return Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=label * 8)


@pytest.fixture
def work(tmp_path):
    """Start another process that works on a cell of a sampler; all of them are killed in the end."""
    started = []

    def start(label, *, host="node1", mode="kernel"):
        arguments = [sys.executable, "-c", WORK, str(tmp_path), label, host, mode]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        started.append(process)
        while process.stdout.readline() != "working\n":  # the sentence on waiting comes before
            assert process.poll() is None
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks, and short leases."""

    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    monkeypatch.setattr(locks, "LEASE", 1.5)


@pytest.fixture
def claim(tmp_path):
    """Enter the directory and claim cells; gives the texts for the user."""

    def enter(*labels, alone=False):
        told = []
        with Claims(RunDirectory(tmp_path), told.append) as claims:
            claims.claim([cell(label) for label in labels], alone=alone)
        return told

    return enter


def test_case_06_a_cell_that_another_process_works_on_is_refused_by_name(work, claim):
    other = work("grace")
    with pytest.raises(
        SpecError, match=rf": grace-s0: in use by process {other.pid} on node1; wait for it, stop it"
    ):
        claim("random", "grace")


def test_cells_that_nobody_works_on_are_free_meanwhile(work, claim, tmp_path):
    work("grace")
    assert claim("random") == []
    assert [path.name for path in tmp_path.glob("processes/*/samples/*")] == ["0.npy"]


@pytest.mark.parametrize(("host", "crowded"), [(None, True), ("another", False)])
def test_processes_on_one_host_share_its_cores(work, tmp_path, host, crowded):
    with Claims(RunDirectory(tmp_path), pytest.fail) as claims:
        assert not claims.crowded()
        work("grace", host=host or socket.gethostname())
        assert claims.crowded() == crowded


def test_in_every_cycle_only_processes_that_are_new_are_read(tmp_path, monkeypatch):
    read, original = [], claims_module._read_holder
    monkeypatch.setattr(claims_module.socket, "gethostname", lambda: "here")
    with Claims(RunDirectory(tmp_path), print) as claims:
        monkeypatch.setattr(claims_module.socket, "gethostname", lambda: "there")
        with Claims(RunDirectory(tmp_path), print), Claims(RunDirectory(tmp_path), print):
            monkeypatch.setattr(claims_module.socket, "gethostname", lambda: "here")
            monkeypatch.setattr(claims_module, "_read_holder", lambda path: read.append(path) or original(path))
            for _ in range(3):
                assert not claims.crowded()
    assert len(read) == 2


def test_what_a_process_holds_already_is_claimed_without_a_look_at_others(tmp_path, monkeypatch):
    with Claims(RunDirectory(tmp_path), print) as claims:
        claims.claim([cell("grace"), cell("random")])
        monkeypatch.setattr(Claims, "_others", pytest.fail)
        claims.claim([cell("grace"), cell("random")])
        claims.claim([cell("grace")])
        assert json.loads(next(tmp_path.glob("processes/*/holder.json")).read_text())["cells"] == [
            cell("grace").folder
        ]


def test_who_wants_to_be_alone_waits_for_all(work, claim):
    other = work("grace")
    with pytest.raises(SpecError, match=f"the directory: in use by process {other.pid}"):
        claim("random", alone=True)


@pytest.mark.parametrize(
    "holder",
    [
        "",
        "{}",
        '{"pid": "x"}',
        '{"pid": 1, "host": "a", "cells": 3}',
        '{"pid": 1, "host": "a", "cells": "abc"}',
        "[" * 10**5,
    ],
)
def test_a_living_process_that_cannot_be_read_keeps_all_cells(work, claim, tmp_path, holder):
    work("grace")
    next(tmp_path.glob("processes/*/holder.json")).write_text(holder)
    with pytest.raises(SpecError, match="random-s0: in use by another process; .* delete .*processes/"):
        claim("random")


def test_nothing_of_a_killed_process_is_in_the_way(work, claim, tmp_path):
    other = work("grace")
    other.kill()
    other.wait()
    holder = next(tmp_path.glob("processes/*/holder.json"))
    holder.write_text(
        json.dumps({"pid": os.getpid(), "host": "node1", "cells": ["grace-s0-gracegra"]})
    )  # used again
    assert claim("grace") == []
    assert not (tmp_path / "processes").exists()


def test_what_killed_processes_left_unfinished_is_removed(claim, tmp_path):
    book = tmp_path / "cells" / "a-s0-1" / "journal.jsonl"
    fit = tmp_path / "fits" / "0123.pt"
    for path in (book, tmp_path / "run.json", fit):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    kept = set(tmp_path.rglob("*"))
    for file in (".tmp-run.json-x1", ".tmp-pool.npz", "fits/.tmp-0123-1", "cells/a-s0-1/.tmp-journal.jsonl-2"):
        (tmp_path / file).touch()
    claim()
    assert set(tmp_path.rglob("*")) == {*kept, tmp_path / "lock"}


def test_what_a_living_process_has_not_finished_is_left(work, claim, tmp_path):
    work("grace")
    (tmp_path / "fits").mkdir()
    (tmp_path / "fits" / ".tmp-abc").touch()
    claim("random")
    assert (tmp_path / "fits" / ".tmp-abc").exists()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_is_told_in_a_line(claim, monkeypatch, number):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    (told,) = claim("grace")
    assert "cannot lock files, so leases are used" in told
    assert "60 seconds later, from any host" in told


def test_a_file_system_that_grants_every_lock_has_none(claim, monkeypatch):
    monkeypatch.setattr(locks.fcntl, "flock", lambda *_: None)
    assert "cannot lock files" in claim("grace")[0]


def test_a_lease_that_is_renewed_is_refused_by_name(work, claim, no_locks):
    other = work("grace", host="node2", mode="lease")
    with pytest.raises(
        SpecError, match=f"grace-s0: in use by process {other.pid} on node2; .*surely dead, delete"
    ):
        claim("grace")
    assert claim("random")  # no process waits for cells of others


def test_a_run_that_was_killed_on_another_host_can_be_continued_when_its_lease_expires(
    work, claim, no_locks, tmp_path
):
    other = work("grace", host="node2", mode="lease")
    other.kill()
    other.wait()
    told = claim("grace")
    assert f"grace-s0 is held by process {other.pid} on node2; waiting up to 2 seconds to see" in told[1]
    assert not (tmp_path / "processes").exists()


def test_of_two_that_wait_for_a_lease_one_takes_it(work, no_locks, tmp_path):
    other = work("grace", host="node2", mode="lease")
    other.kill()
    other.wait()
    outcomes, both = [], threading.Barrier(2)

    def wait():
        with Claims(RunDirectory(tmp_path), lambda _: None) as claims:
            try:
                claims.claim([cell("grace")])
                outcomes.append("taken")
            except SpecError as error:
                outcomes.append(str(error))
            both.wait(20)

    threads = [threading.Thread(target=wait) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(outcomes) == 2
    assert outcomes.count("taken") == 1
    assert any(f"grace-s0: in use by process {os.getpid()}" in outcome for outcome in outcomes)


def test_a_process_that_was_halted_finds_its_lease_lost(work, no_locks, tmp_path):
    with Claims(RunDirectory(tmp_path), lambda _: None) as claims:
        claims.claim([cell("grace")])
        claims.require_held()
        lease = next(tmp_path.glob("processes/*/lock.lease"))
        lease.unlink()
        lease.write_text("of another")
        with pytest.raises(RunError, match="its lease expired, and another may have continued"):
            for _ in range(60):
                claims.require_held()
                threading.Event().wait(0.1)


def test_a_directory_that_was_deleted_meanwhile_is_said_to_be_gone(tmp_path):
    with Claims(RunDirectory(tmp_path / "run"), lambda _: None) as claims:
        shutil.rmtree(tmp_path / "run")
        with pytest.raises(RunError, match="run/processes/.*: was moved or deleted while this process worked"):
            claims.require_held()


def test_case_07_a_halted_process_loses_its_cells_to_the_next(work, claim, no_locks):
    other = work("grace", mode="lease")
    other.send_signal(signal.SIGSTOP)
    assert len(claim("grace")) == 2


@pytest.mark.parametrize("name", ["cells", "cells/grace-s0-gracegra", "processes"])
def test_case_37_a_folder_that_leads_out_of_the_directory_is_refused(claim, tmp_path, tmp_path_factory, name):
    outside = tmp_path_factory.mktemp("outside")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to(outside)
    with pytest.raises(SpecError, match="leads out of the run directory by a symbolic link"):
        claim("grace")
    assert not list(outside.iterdir())


def test_a_directory_may_itself_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Claims(RunDirectory(tmp_path / "link" / "run"), pytest.fail) as claims:
        claims.claim([cell("grace")])


def test_case_12_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(SpecError, match="file/run: cannot be written to"),
        Claims(RunDirectory(tmp_path / "file" / "run"), pytest.fail),
    ):
        pass


def test_case_11_a_full_disk_is_told_in_a_sentence(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(locks.tempfile, "mkstemp", full)
    with (
        pytest.raises(RunError, match=r"cannot be written \(No space left on device\); make room"),
        Claims(RunDirectory(tmp_path), pytest.fail),
    ):
        pass


def test_who_only_looks_sees_a_lease_that_is_renewed_and_not_one_that_is_not(tmp_path, no_locks):
    directory = RunDirectory(tmp_path)
    with Claims(directory, print):
        ((folder, who),) = claims_module.at_work(directory)
        assert (who.pid, who.host) == (os.getpid(), socket.gethostname())
        os.utime(folder / "lock.lease", (1, 1))
        assert claims_module.at_work(directory) == []
    assert claims_module.at_work(directory) == []
