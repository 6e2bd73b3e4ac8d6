"""Jobs of a Slurm cluster, by its own commands: sbatch, squeue, scontrol and scancel."""

from __future__ import annotations

import getpass
import re
import shlex
import subprocess
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from alharness import BatchSystem, JobState, RunError

from .script import write

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from alharness import ExecutorContext, Job

    from .params import SlurmParams

PATIENCE = 60.0
"""Seconds within which a command of Slurm must answer."""
RUNNING = {"COMPLETING", "RESIZING", "RUNNING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED"}
QUEUED = {"CONFIGURING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
DEFAULT_MOST = 1000
"""Jobs of an array if Slurm was not set up otherwise."""


class Slurm(BatchSystem):
    """Submits arrays of jobs. The script of each is what `--emit-sbatch` prints.

    Args:
        params: options of the jobs.
        context: how many run at a time.
    """

    def __init__(self, params: SlurmParams, context: ExecutorContext) -> None:
        self._params = params
        limits = [limit for limit in (params.array_parallelism, context.jobs) if limit is not None]
        self._at_a_time = min(limits, default=None)

    @cached_property
    def most(self) -> int:  # type: ignore[override]
        """As many as the cluster's MaxArraySize allows."""
        try:
            said = _ask("scontrol", "show", "config")
        except RunError:
            return DEFAULT_MOST
        found = re.search(r"^MaxArraySize\s*=\s*(\d+)", said, re.MULTILINE)
        return max(1, int(found[1]) - 1) if found else DEFAULT_MOST

    def submit(self, jobs: Sequence[Job], logs: Path, name: str) -> list[str]:
        """See `alharness.BatchSystem`."""
        program = self._params.program or (
            "alharness" if self._params.setup else f"{shlex.quote(sys.executable)} -P -m alharness"
        )
        script = write(jobs, name, self._params, program, self._at_a_time, logs)
        logs.mkdir(parents=True, exist_ok=True)
        number = _ask("sbatch", "--parsable", text=script).strip().partition(";")[0]
        (logs / f"{number}.sh").write_text(script, encoding="utf-8")
        return [f"{number}_{index}" for index in range(len(jobs))]

    def states(self, ids: Collection[str]) -> Mapping[str, JobState]:
        """See `alharness.BatchSystem`."""
        user = getpass.getuser()
        said = _ask("squeue", "--noheader", "--array", "--states=all", f"--user={user}", "--format=%i|%T|%r|%N")
        found = (line.strip().split("|") for line in said.splitlines())
        return {words[0]: _state(*words[1:]) for words in found if len(words) == 4 and words[0] in ids}

    def cancelling(self, ids: Collection[str]) -> str:
        """See `alharness.BatchSystem`."""
        return shlex.join(["scancel", *dict.fromkeys(one.partition("_")[0] for one in ids)])

    def script(self, jobs: Sequence[Job], name: str) -> str:
        """See `alharness.BatchSystem`."""
        return write(jobs, name, self._params, self._params.program or "alharness", self._at_a_time)


def _state(word: str, reason: str, node: str) -> JobState:
    if word in QUEUED:
        return JobState(state="queued", reason="" if reason == "None" else reason)
    if word in RUNNING:
        return JobState(state="running", reason=node)
    return JobState(state="ended", reason=word if reason in ("None", "") else f"{word}, {reason}")


def _ask(*words: str, text: str | None = None) -> str:
    """What a command of Slurm answers. Raises RunError: it is not there, does not answer, or refuses."""
    try:
        found = subprocess.run(  # noqa: S603 - no shell
            words, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except FileNotFoundError:
        raise RunError(
            f"slurm: the command {words[0]} is not here; run this on a front node of the cluster, or print a "
            "script with --emit-sbatch and submit it there"
        ) from None
    except subprocess.TimeoutExpired:
        silent = f"has not answered within {PATIENCE:.0f} seconds"
        raise RunError(f"slurm: {words[0]} {silent}{_ping('no connection')}") from None
    if found.returncode:
        said = "; ".join(line.strip() for line in found.stderr.splitlines() if line.strip()) or "it says nothing"
        raise RunError(f"slurm: {words[0]} failed: {said[:1000]}{_ping(said)}")
    return found.stdout


def _ping(said: str) -> str:
    """Which controller it is that does not answer, if that is the reason."""
    if not re.search("contact|connect", said, re.IGNORECASE):
        return ""
    try:
        found = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"; scontrol ping: {' '.join(found.stdout.split()) or 'no answer'}"
