import time

import pytest

from benchmarks import commands
from benchmarks.commands import ONE_THREAD
from benchmarks.rows import Cost
from benchmarks.suites import runs

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


def test_a_command_keeps_what_it_compiled(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    commands.start("-c", "import sys; assert not sys.dont_write_bytecode")


def test_a_command_that_fails_is_no_figure():
    with pytest.raises(RuntimeError, match=r"(?s)ended with 3:.*the reason"):
        commands.start("-c", "import sys; print('the reason'); sys.exit(3)")


def test_seconds_and_memory_are_those_of_all_processes(monkeypatch):
    monkeypatch.setattr(commands, "INTERVAL", 0.05)
    monkeypatch.setattr(commands, "SELDOM", 1)
    ended = commands.start("-c", GRANDCHILD, WORK)
    assert 0.5 < ended.cost.cpu <= ended.cost.wall * 2
    assert 200 < ended.cost.memory < 300  # MB


def test_memory_is_asked_for_so_seldom_that_it_costs_next_to_nothing(monkeypatch):
    asked = []

    def ask(process):
        asked.append(process.pid)
        time.sleep(0.02)
        return 1_000_000

    monkeypatch.setattr(commands, "INTERVAL", 0.01)
    monkeypatch.setattr(commands, "SELDOM", 20)
    monkeypatch.setattr(commands, "_memory", ask)
    assert commands.start("-c", "import time; time.sleep(1)").cost.memory == 1
    assert 1 <= len(asked) <= 4


def test_seconds_of_a_process_that_nobody_waits_for_count(monkeypatch):
    monkeypatch.setattr(commands, "INTERVAL", 0.05)
    assert commands.start("-c", FORSAKEN, WORK).cost.cpu > 0.4


def test_commands_in_turn_have_the_quickest_of_their_starts_after_the_first(monkeypatch):
    walls = {"a": iter([0.5, 5.0, 1.0, 3.0]), "b": iter([98.0, 7.0, 9.0, 8.0])}
    started = []

    def start(name):
        started.append(name)
        return commands.Ended(Cost(cpu=1.0, wall=next(walls[name]), memory=9.0), started=0)

    monkeypatch.setattr(commands, "start", start)
    a, b = commands.in_turn(3, ["a"], ["b"])
    assert started == ["a", "b"] * 4
    assert (a.wall, a.rounds, a.memory, b.wall) == (1.0, 3, None, 7.0)


def test_a_run_is_a_command(monkeypatch, tmp_path):
    started = []

    def start(*arguments):
        started.append([*arguments])
        return commands.Ended(Cost(cpu=3.0, wall=2.0, memory=80.0), started=1_000)

    monkeypatch.setattr(commands, "start", start)
    found = {"b": [{"measured": {"at": 9_000}}], "a": [{"measured": {"at": 3_500}}]}
    monkeypatch.setattr("benchmarks.journals.read", lambda workdir: found)
    result = runs.run("s.yaml", 2, tmp_path, ("seeds=2", "a.b=1"))
    command = ["-m", "alharness", "run", "s.yaml", "--no-tracking", "--jobs", "2", "--workdir", str(tmp_path)]
    assert started == [[*command, "--set", "seeds=2", "--set", "a.b=1"]]
    assert result.lead == 2.5
    assert (result.cost.wall, result.cost.memory, result.journals) == (2.0, 80.0, found)
