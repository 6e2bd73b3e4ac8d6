import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from alharness import ExecutorContext
from alharness_slurm.plugin import alharness_executors

COMMANDS = ("sbatch", "scancel", "scontrol", "squeue")


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Slurm's commands on the path, without a cluster."""
    programs, home = tmp_path / "programs", tmp_path / "slurm"
    for folder in (programs, home):
        folder.mkdir()
    for name in COMMANDS:
        program = programs / name
        program.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("fake_slurm.py")}" {name} "$@"\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM", str(home))
    return home


@pytest.fixture
def make(tmp_path):
    """Slurm with these options."""
    (plugin,) = alharness_executors()

    def build(jobs=None, **params):
        context = ExecutorContext(folder=tmp_path, warn=pytest.fail, jobs=jobs)
        return plugin.make(plugin.params(**params), context)

    return build


def until(found, seconds=30):
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it never was"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def wait():
    """Wait until something is true."""
    return until


CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SchedulerParameters=sched_interval=1,bf_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
"""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory, need):
    """A Slurm of one node on this machine, with ports and folders of its own; gives its slurm.conf."""
    if os.geteuid():
        pytest.skip("only root can start a Slurm cluster")
    for program in ("slurmctld", "slurmd", "munged", "sbatch"):
        need(shutil.which(program), f"{program} is not installed (make clusters says how to install Slurm)")
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    conf = folder / "slurm.conf"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 * 9 // 10
    values = {"host": socket.gethostname().partition(".")[0], "folder": folder, "memory": memory}
    conf.write_text(CONF.format(ports=free_ports(2), **values))
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("SLURM_CONF", str(conf))
        if not munged_answers():
            subprocess.run(["install", "-d", "-o", "munge", "-g", "munge", "/run/munge"], check=True)
            stack.enter_context(started("runuser", "-u", "munge", "--", "munged", "--foreground", "--force"))
            until(munged_answers)
        for program in (["slurmctld", "-D", "-i"], ["slurmd", "-D"]):
            stack.enter_context(started(*program, log=folder / f"{program[0]}.log"))
        until(lambda: "idle" in said("sinfo", "--noheader", "--format=%T"))
        yield conf


@pytest.fixture(autouse=True)
def empty(request):
    """No job is left by a test that has failed."""
    yield
    if "cluster" in request.fixturenames:
        said("scancel", f"--user={getpass.getuser()}")
        until(lambda: not said("squeue", "--noheader"))


@contextmanager
def started(*command, log=Path(os.devnull)):
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            yield
        finally:
            process.terminate()


def free_ports(number):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in sockets]


def said(*command):
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def munged_answers():
    sealed = subprocess.run(["munge", "-n"], check=False, capture_output=True).stdout
    return subprocess.run(["unmunge"], check=False, input=sealed, capture_output=True).returncode == 0
