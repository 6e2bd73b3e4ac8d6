"""Batch systems: where jobs wait in a queue. A job is commands, which write their results themselves.

Nothing has to live for as long as the jobs do: each is a process of its own on its node, which works in the run
directory on a disk that all nodes share. So the front node may be left, and what a lost job did not finish is
submitted again by the same command.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .executor import ExecutorPlugin
from .make import Make

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from .executor import ExecutorContext

AGAIN = 75
"""Exit code of a command that was asked to stop by SIGUSR1 and has more to do: its job goes to the queue again."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a node is to do: commands, one after the other, whatever becomes of each.

    Attributes:
        commands: the words of each, without the program, which is `alharness`.
        cells: names of the cells that they compute, for people.

    >>> from alharness.api.batch import Job
    >>> Job(commands=(("run", "specs/digits_quick.yaml", "--only", "random-s0"),), cells=("random-s0",)).cells
    ('random-s0',)
    """

    commands: tuple[tuple[str, ...], ...]
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JobState:
    """What a batch system says of a job.

    Attributes:
        state: it waits in the queue, is on a node, or will not be there any more.
        reason: why it waits, or how it ended, in the words of the batch system; empty if it says nothing.

    >>> from alharness.api.batch import JobState
    >>> JobState(state="queued", reason="Priority").state
    'queued'
    """

    state: Literal["queued", "running", "ended"]
    reason: str = ""


class BatchSystem(ABC):
    """Puts jobs into a queue, and says what became of them.

    Each command of a job is called with the environment of the process that submits it, in its folder. While it
    runs, SIGUSR1 asks it to stop soon: it finishes what it is at, and ends with the code `AGAIN`. Then its job
    goes to the queue again. A batch system sends the signal before the time of a job is over.

    One that runs them at once, without a queue:

    >>> import shlex, subprocess
    >>> from alharness import BatchSystem, JobState
    >>> class AtOnce(BatchSystem):
    ...     def submit(self, jobs, logs, name):
    ...         for number, job in enumerate(jobs):
    ...             with open(logs / f"{name}-{number}.log", "a") as log:
    ...                 for command in job.commands:
    ...                     subprocess.run(["alharness", *command], stdout=log, stderr=log)
    ...         return [f"{name}-{number}" for number in range(len(jobs))]
    ...
    ...     def states(self, ids):
    ...         return {one: JobState(state="ended") for one in ids}
    ...
    ...     def cancelling(self, ids):
    ...         return "nothing"
    ...
    ...     def script(self, jobs, name):
    ...         return "; ".join(f"alharness {shlex.join(command)}" for job in jobs for command in job.commands)
    >>> AtOnce().most
    1000

    Attributes:
        most: jobs of one submission, at most.
    """

    most: int = 1000

    @abstractmethod
    def submit(self, jobs: Sequence[Job], logs: Path, name: str) -> list[str]:
        """Put jobs into the queue.

        Args:
            jobs: what to do, at most `most`.
            logs: a folder; what the job with an id prints goes to the file `<id>.log` there, at its end.
            name: of the jobs, for lists.

        Returns:
            The id of each, as a name that a file may have.

        Raises:
            HarnessError: they cannot be submitted; says why, with what the batch system has said.
        """

    @abstractmethod
    def states(self, ids: Collection[str]) -> Mapping[str, JobState]:
        """What is known of jobs; those that are missing have ended.

        Raises:
            HarnessError: the batch system does not answer.
        """

    @abstractmethod
    def cancelling(self, ids: Collection[str]) -> str:
        """The command by which a user ends these jobs, for messages."""

    @abstractmethod
    def script(self, jobs: Sequence[Job], name: str) -> str:
        """A script that does the same as `submit` when the user submits it; says in comments how that is done."""


@dataclass(frozen=True, kw_only=True)
class BatchPlugin(ExecutorPlugin):
    """A batch system as the registry knows it: offered by the hook of executors, and used like these.

    Attributes:
        make: (params, context) -> BatchSystem: a function, or `module:name` of one, which is imported then.

    >>> from alharness import BatchPlugin, Params
    >>> BatchPlugin(name="lsf", params=Params, make="my_lsf.queue:Lsf").name
    'lsf'
    """

    make: Make[Callable[[Any, ExecutorContext], BatchSystem]] = Make("executor")  # type: ignore[assignment]  # noqa: RUF009
