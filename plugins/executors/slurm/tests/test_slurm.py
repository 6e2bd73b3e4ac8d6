import subprocess

import pytest
from pydantic import ValidationError

from alharness import Job, RunError
from alharness_slurm.params import SlurmParams

TWO = [Job(commands=(("run", "a spec.yaml", "--only", "x-s0"), ("run", "b.yaml"))), Job(commands=(("fail",),))]


def options(script):
    found = (
        line.removeprefix("#SBATCH --").partition("=") for line in script.splitlines() if line[:7] == "#SBATCH"
    )
    return {name: value for name, _, value in found}


def test_a_script_says_what_was_asked_for(make):
    asked = {
        "partition": "gpu",
        "time": "4:00:00",
        "cpus": 4,
        "slurm_qos": "long",
        "exclusive": True,
        "hold": False,
    }
    found = options(make(jobs=1, notice=300, **asked).script(TWO, "digits"))
    assert found == {
        "job-name": "digits",
        "array": "0-1%1",
        "open-mode": "append",
        "requeue": "",
        "signal": "B:USR1@300",
        "nodes": "1",
        "ntasks": "1",
        "partition": "gpu",
        "time": "4:00:00",
        "cpus-per-task": "4",
        "qos": "long",
        "exclusive": "",
    }


def test_the_lower_limit_of_jobs_at_a_time_counts(make):
    many = TWO * 20
    assert options(make(jobs=30, array_parallelism=4).script(many, "x"))["array"] == "0-39%4"
    assert options(make(jobs=3, array_parallelism=4).script(many, "x"))["array"] == "0-39%3"
    assert options(make(jobs=40).script(many, "x"))["array"] == "0-39"


def test_a_script_is_sound_and_calls_what_it_should(make, tmp_path):
    script = make(setup="cd /", program="printf '<%s>'").script(TWO, "x")
    found = subprocess.run(
        ["bash"], check=False, input=script, text=True, capture_output=True, env={"SLURM_ARRAY_TASK_ID": "0"}
    )
    assert (found.returncode, found.stdout, found.stderr) == (
        0,
        "<run><a spec.yaml><--only><x-s0><run><b.yaml>",
        "",
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"partiton": "x"},
            "partiton: neither alharness nor sbatch has such an option; did you mean 'partition'?",
        ),
        ({"slurm_accout": "x"}, "did you mean 'account'?"),
        ({"array": "0-3"}, "array: cannot be set: the array holds the jobs that are needed"),
        ({"slurm_output": "x.log"}, "output: cannot be set"),
        ({"slurm_time": 3, "time": 4}, "time: is given twice"),
        ({"gpus": "0.5"}, "Slurm gives whole GPUs"),
        ({"cpus": 0}, "greater than or equal to 1"),
        ({"partition": " "}, "partition: ' ' is no value"),
        ({"comment": "a\n#SBATCH --uid=0"}, "is no value of an option"),
        ({"licenses": ["a"]}, "licenses: expected a text"),
    ],
)
def test_wrong_options_are_told(given, told):
    with pytest.raises(ValidationError, match=told.replace("?", r"\?")):
        SlurmParams(**given)


def test_jobs_run_print_and_end(make, fake, wait, tmp_path):
    slurm, logs = make(program="echo", setup="cd /"), tmp_path / "the logs"
    ids = slurm.submit(TWO, logs, "x")
    assert ids == ["1_0", "1_1"]
    wait(lambda: all(state.state == "ended" for state in slurm.states(ids).values()))
    assert (logs / "1_0.log").read_text() == "run a spec.yaml --only x-s0\nrun b.yaml\n"
    assert slurm.states(["1_1"])["1_1"].reason == "COMPLETED"
    assert slurm.states(["9_9"]) == {}
    assert slurm.most == 1000


def test_every_command_runs_and_the_worst_code_is_that_of_the_job(make, fake, wait, tmp_path):
    slurm = make(program="sh -c")
    ids = slurm.submit([Job(commands=(("exit 3",), ("echo second",)))], tmp_path, "x")
    wait(lambda: slurm.states(ids)[ids[0]].state == "ended")
    assert (tmp_path / f"{ids[0]}.log").read_text() == "second\n"
    assert slurm.states(ids)[ids[0]].reason == "FAILED"


WORK = """\
import os, signal, sys, time
if os.path.exists("stopped"):
    sys.exit(print("continues"))
signal.signal(signal.SIGUSR1, lambda *_: (open("stopped", "w"), sys.exit(75)))
open("begun", "w")
time.sleep(60)
"""


def test_a_job_that_is_asked_to_stop_goes_to_the_queue_again(make, fake, wait, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work.py").write_text(WORK)
    slurm = make(program="python3 work.py")
    (one,) = slurm.submit([Job(commands=((), ("second",)))], tmp_path, "x")
    wait((tmp_path / "begun").exists)
    subprocess.run(["scancel", "--batch", "--signal=USR1", one], check=True)
    wait(lambda: slurm.states([one])[one].state == "ended")
    assert slurm.states([one])[one].reason == "COMPLETED"
    assert (tmp_path / f"{one}.log").read_text() == "continues\ncontinues\n"


def test_what_slurm_refuses_is_told_in_its_words(make, fake, tmp_path):
    with pytest.raises(RunError, match="sbatch failed: sbatch: error: invalid partition specified: nowhere"):
        make(partition="nowhere").submit(TWO, tmp_path, "x")


def test_where_there_is_no_slurm_another_way_is_named(make, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    slurm = make()
    assert slurm.most == 1000
    with pytest.raises(RunError, match="the command sbatch is not here; .* --emit-sbatch"):
        slurm.submit(TWO, tmp_path, "x")
    assert "#SBATCH --array=0-1\n" in slurm.script(TWO, "x")


def test_the_command_that_ends_jobs_names_each_array_once(make):
    assert make().cancelling(["7_0", "7_1", "9_3"]) == "scancel 7 9"
