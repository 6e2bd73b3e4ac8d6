"""What can be said of jobs: the options of sbatch, and a few of our own."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from alharness import Params

PREFIX = "slurm_"

OPTIONS = """
    account batch bb bbf begin cluster-constraint comment constraint container container-id
    contiguous core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot dependency
    distribution exclude exclusive export export-file extra extra-node-info get-user-env gid gpu-bind gpu-
    freq gpus gpus-per-node gpus-per-socket gpus-per-task gres gres-flags hint hold ignore-pbs input kill-on-
    invalid-dep licenses mail-type mail-user mcs-label mem mem-bind mem-per-cpu mem-per-gpu mincpus network
    nice no-kill nodefile nodelist nodes ntasks ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-
    socket overcommit oversubscribe partition power prefer priority profile propagate qos reboot reservation
    resv-ports sockets-per-node spread-job stepmgr switches thread-spec threads-per-core time time-min tmp
    tres-bind tres-per-task uid use-min-nodes wckey
"""
"""Long options of sbatch, of Slurm 20 to 25."""

OURS = {
    "array": "the array holds the jobs that are needed; array_parallelism says how many run at a time",
    "chdir": "jobs run in the folder from which they are submitted",
    "clusters": "jobs are followed on the cluster that they are submitted to; call the command on that one",
    "error": "what a job prints goes to the folder jobs of the run directory",
    "job-name": "jobs have the name of the spec",
    "no-requeue": "a job that has more to do goes to the queue again; leave out time to have no limit",
    "open-mode": "what a job prints goes to the folder jobs of the run directory",
    "output": "what a job prints goes to the folder jobs of the run directory",
    "requeue": "jobs go to the queue again in any case",
    "signal": "notice says how many seconds before its end a job gets the signal",
    "test-only": "--emit-sbatch shows what would be submitted",
    "wait": "the command waits without --submit",
    "wrap": "jobs run alharness; setup says what they do before",
}
"""Options of sbatch that are set here -> what is said to who sets them."""


class SlurmParams(Params):
    """Of each job. Every long option of sbatch, such as `qos` or `mem_per_cpu`, is one too, also with `slurm_`."""

    model_config = ConfigDict(extra="allow")

    partition: str | None = None
    """Where jobs run; by default where Slurm puts them."""

    time: str | int | None = None
    """How long a job may take: minutes, or `4:00:00`. Before it is over the job stops between cycles, and goes to
    the queue again. By default what the partition allows."""

    cpus: int | None = Field(None, ge=1)
    """Cores of a job (`--cpus-per-task`)."""

    gpus: int | str | None = None
    """GPUs of a job (`--gpus`): a number, or a kind and a number, such as `a100:1`."""

    mem: str | int | None = None
    """Memory of a job: MiB, or with a unit, such as `16G`."""

    array_parallelism: int | None = Field(None, ge=1)
    """Jobs that run at a time, at most; the lower one of this and `--jobs` counts."""

    notice: int = Field(120, ge=1, le=65_535)
    """Seconds before the end of `time` at which a job gets the signal to stop: more than a slow cycle takes."""

    setup: str = ""
    """Shell commands that a job begins with, such as `module load cuda; source ~/venv/bin/activate`."""

    program: str = ""
    """How jobs call alharness. By default as the Python that submits them has it; in a script, or after `setup`,
    as `alharness`."""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        """Names as sbatch has them, without `slurm_`; `cpus_per_task` is `cpus`."""
        if not isinstance(given, dict):
            return given
        found: dict[str, Any] = {}
        for key, value in given.items():
            name = str(key).removeprefix(PREFIX).replace("-", "_")
            name = {"cpus_per_task": "cpus"}.get(name, name)
            if name in found:
                raise ValueError(f"{key}: is given twice")
            found[name] = value
        return found

    @model_validator(mode="after")
    def _known(self) -> SlurmParams:
        for key, value in (self.model_extra or {}).items():
            name = key.replace("_", "-")
            if name in OURS:
                raise ValueError(f"{key}: cannot be set: {OURS[name]}")
            if name not in OPTIONS.split():
                known = [*type(self).model_fields, *(option.replace("-", "_") for option in OPTIONS.split())]
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else "; see man sbatch for its long options"
                raise ValueError(f"{key}: neither alharness nor sbatch has such an option{hint}")
            if not isinstance(value, str | int | float):
                raise ValueError(  # noqa: TRY004 - pydantic reports it
                    f"{key}: expected a text, a number, true or false, but it is {value!r:.60}"
                )
        for name, value in self.options():
            if isinstance(value, str) and (not value.strip() or not value.isprintable()):
                raise ValueError(f"{name.replace('-', '_')}: {value!r:.60} is no value of an option")
        if isinstance(self.gpus, str) and self.gpus.replace(".", "", 1).isdigit() and "." in self.gpus:
            raise ValueError(
                f"gpus: {self.gpus}: Slurm gives whole GPUs; where shares are set up, ask for gres=shard:1"
            )
        return self

    def options(self) -> list[tuple[str, Any]]:
        """Options of sbatch and their values."""
        given = {
            "partition": self.partition,
            "time": self.time,
            "cpus-per-task": self.cpus,
            "gpus": self.gpus,
            "mem": self.mem,
            **{key.replace("_", "-"): value for key, value in (self.model_extra or {}).items()},
        }
        return [(name, value) for name, value in given.items() if value is not None and value is not False]
