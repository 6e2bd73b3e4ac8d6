"""The script of an array of jobs: what is submitted, and what `--emit-sbatch` prints."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from alharness import Job

    from .params import SlurmParams

RUN = """\
# USR1 comes some time before the end: alharness stops between two cycles, and the job goes to the queue again.
asked= worst=0 child=
trap 'asked=1; [ -z "$child" ] || kill -USR1 "$child"' USR1
trap 'asked=end; [ -z "$child" ] || kill -TERM "$child"' TERM
alharness() {
  [ "$asked" != end ] || exit 143
  local code=75
  if [ -z "$asked" ]; then
    command "${program[@]}" "$@" &
    child=$!
    while wait "$child"; code=$?; kill -0 "$child" 2> /dev/null; do :; done # a signal ends a wait, too
    child=
    [ "$asked" != 1 ] || [ $code != 138 ] || code=75 # it had not begun yet
  fi
  if [ $code = 75 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ||
      echo "This job has more to do, and Slurm takes it no more: submit the rest by the same alharness command."
    exit 75
  fi
  [ $code = 0 ] || worst=$code
}
"""


def write(
    jobs: Sequence[Job],
    name: str,
    params: SlurmParams,
    program: str,
    at_a_time: int | None,
    logs: Path | None = None,
) -> str:
    """Write it.

    Args:
        jobs: what each job of the array does.
        name: of the jobs.
        params: options of sbatch.
        program: how alharness is called, as shells have it.
        at_a_time: jobs that run at a time, at most.
        logs: folder of what they print; None for the folder from which the script is submitted.
    """
    lines = ["#!/bin/bash", *_options(len(jobs), name, params, at_a_time, logs)]
    if logs is None:
        lines += ["# Submit it from this folder: sbatch <this file>. Run it again for what is not finished."]
    lines += ["", *([params.setup] if params.setup else []), f"program=({program})", RUN]
    lines += ['case "$SLURM_ARRAY_TASK_ID" in', *(_case(number, job) for number, job in enumerate(jobs)), "esac"]
    return "\n".join([*lines, 'exit "$worst"', ""])


def _options(
    count: int, name: str, params: SlurmParams, at_a_time: int | None, logs: Path | None
) -> Iterator[str]:
    throttle = f"%{at_a_time}" if at_a_time is not None and at_a_time < count else ""
    yield f"#SBATCH --job-name={name}"
    yield f"#SBATCH --array=0-{count - 1}{throttle}"
    if logs is not None:
        yield f"#SBATCH --output={shlex.quote(f'{logs}/%A_%a.log')}"
    yield "#SBATCH --open-mode=append"
    yield "#SBATCH --requeue"
    yield f"#SBATCH --signal=B:USR1@{params.notice}"
    given = params.options()
    names = {option for option, _ in given}
    for option, value in {"nodes": 1, "ntasks": 1}.items():
        if option not in names:
            yield f"#SBATCH --{option}={value}"
    for option, value in given:
        yield f"#SBATCH --{option}" if value is True else f"#SBATCH --{option}={shlex.quote(str(value))}"


def _case(number: int, job: Job) -> str:
    commands = "\n".join(f"    alharness {shlex.join(command)}" for command in job.commands)
    return f"  {number})\n{commands}\n    ;;"
