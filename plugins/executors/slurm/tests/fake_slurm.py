# ruff: noqa: T201
"""sbatch, squeue, scontrol and scancel as far as they are used here, with two cores and no cluster.

Programs of these names call this file with their name first. Jobs are processes, and what is known of them is in
the folder that FAKE_SLURM names.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

HOME = Path(os.environ["FAKE_SLURM"])
CORES = 2


def option(script, name):
    found = re.search(rf"^#SBATCH --{name}=(.*)$", script, re.MULTILINE)
    return shlex.split(found[1])[0] if found else ""


def put(path, state):
    """Write it so that no reader finds the file empty."""
    new = HOME / f".new{os.getpid()}"  # what looks for jobs does not find it
    new.write_text(state)
    new.replace(path)


def sbatch():
    script = sys.stdin.read()
    if option(script, "partition") == "nowhere":
        sys.exit("sbatch: error: invalid partition specified: nowhere")
    number = str(1 + len(list(HOME.glob("*.sh"))))
    (HOME / f"{number}.sh").write_text(script)
    last = re.match(r"0-(\d+)", option(script, "array"))[1]
    for index in range(int(last) + 1):
        put(HOME / f"{number}_{index}", "PENDING")
    subprocess.Popen(
        [sys.executable, __file__, "serve", number],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(number)


def serve(number):
    """Run the jobs of an array, each again if that was asked for."""
    script = HOME / f"{number}.sh"
    limit = option(script.read_text(), "array").partition("%")[2]
    output = option(script.read_text(), "output")
    jobs, at_work = sorted(HOME.glob(f"{number}_*"), key=lambda path: int(path.name.partition("_")[2])), {}
    while any(path.read_text() in ("PENDING", "RUNNING", "REQUEUED") for path in jobs):
        for path in jobs:
            index = path.name.partition("_")[2]
            if path in at_work and at_work[path].poll() is not None:
                ended = at_work.pop(path)
                if path.read_text() == "RUNNING":
                    put(path, "COMPLETED" if ended.returncode == 0 else "FAILED")
                elif path.read_text() == "REQUEUED":
                    put(path, "PENDING")
            elif path.read_text() == "PENDING" and len(at_work) < min(CORES, int(limit or CORES)):
                put(path, "RUNNING")
                names = {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": index}
                with Path(output.replace("%A", number).replace("%a", index)).open("a") as log:
                    at_work[path] = subprocess.Popen(
                        ["bash", script],
                        env={**os.environ, **names},
                        stdout=log,
                        stderr=log,
                        stdin=subprocess.DEVNULL,
                        start_new_session=True,
                    )
                path.with_suffix(".pid").write_text(str(at_work[path].pid))
        time.sleep(0.05)


def squeue():
    for path in sorted(HOME.glob("*_*")):
        if not path.suffix:
            print(f"{path.name}|{path.read_text()}|None|node1")


def scontrol():
    if sys.argv[1] == "requeue":
        put(HOME / sys.argv[2], "REQUEUED")
    elif sys.argv[1] == "ping":
        print("Slurmctld(primary) at here is UP")
    else:
        print("Configuration data\nMaxArraySize            = 1001\nMaxJobCount = 7")


def scancel():
    """`scancel [--signal=USR1 --batch] ID`."""
    path = HOME / sys.argv[-1]
    pid = int(path.with_suffix(".pid").read_text())
    if "--batch" in sys.argv:
        os.kill(pid, signal.SIGUSR1)
    else:
        put(path, "CANCELLED")
        os.killpg(pid, signal.SIGTERM)


if __name__ == "__main__":
    command = sys.argv.pop(1)
    globals()[command](*sys.argv[1:] if command == "serve" else ())
