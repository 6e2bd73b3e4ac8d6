import pytest

from benchmarks import commands, experiments
from benchmarks.experiments import Experiment
from benchmarks.kernels import Lap
from benchmarks.machine import ONE_THREAD

GRANDCHILD = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
"""
FORSAKEN = """
import os, subprocess, sys
work = subprocess.Popen([sys.executable, "-c", sys.argv[1] + "\\nprint('done', flush=True)\\ntime.sleep(0.3)"],
                        stdout=subprocess.PIPE)
work.stdout.readline()
os._exit(0)
"""
WORK = """
import time
held = bytearray(200_000_000)
while time.process_time() < 0.6:
    pass
"""


def test_a_command_has_every_core(monkeypatch):
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    commands.start(
        "-c", f"import os; assert not {set(ONE_THREAD)} & set(os.environ) and os.environ['OMP_WAIT_POLICY']"
    )


def test_a_command_that_fails_is_no_figure():
    with pytest.raises(RuntimeError, match=r"(?s)ended with 3:.*the reason"):
        commands.start("-c", "import sys; print('the reason'); sys.exit(3)")


def test_seconds_and_memory_are_those_of_all_processes(monkeypatch):
    monkeypatch.setattr(commands, "INTERVAL", 0.05)
    ended = commands.start("-c", GRANDCHILD, WORK)
    assert 0.5 < ended.lap.cpu <= ended.lap.wall * 2
    assert 200 < ended.memory < 300  # MB


def test_seconds_of_a_process_that_nobody_waits_for_count(monkeypatch):
    monkeypatch.setattr(commands, "INTERVAL", 0.05)
    assert commands.start("-c", FORSAKEN, WORK).lap.cpu > 0.4


def test_a_median_of_so_many_starts(monkeypatch):
    walls = iter([5.0, 1.0, 3.0])
    monkeypatch.setattr(
        commands, "start", lambda *_: commands.Ended(Lap(cpu=1.0, wall=next(walls)), started=0, memory=9.0)
    )
    cost = commands.repeated(3, "-c", "pass")
    assert (cost.wall, cost.rounds, cost.memory) == (3.0, 3, None)


def test_an_experiment_is_a_command(monkeypatch, tmp_path):
    started = []

    def start(*arguments):
        started.append([*arguments])
        return commands.Ended(Lap(cpu=3.0, wall=2.0), started=1_000, memory=80.0)

    monkeypatch.setattr(commands, "start", start)
    found = {"b": [{"measured": {"at": 9_000}}], "a": [{"measured": {"at": 3_500}}]}
    monkeypatch.setattr("benchmarks.journals.read", lambda workdir: found)
    result = experiments.run(Experiment(spec="s.yaml", settings=("seeds=2", "a.b=1")), 2, tmp_path)
    command = ["-m", "alharness", "run", "s.yaml", "--no-tracking", "--jobs", "2", "--workdir", str(tmp_path)]
    assert started == [[*command, "--set", "seeds=2", "--set", "a.b=1"]]
    assert result.lead == 2.5
    assert (result.cost.wall, result.cost.memory, result.journals) == (2.0, 80.0, found)
