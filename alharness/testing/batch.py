"""What every batch system promises, as tests to inherit."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import SkipTest

from alharness.api.batch import BatchSystem, Job
from alharness.api.executor import ExecutorContext

from .kit import Conformance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alharness.api.batch import BatchPlugin

JOBS = (
    Job(commands=(("--version",), ("plugins", "random")), cells=("random-s0",)),
    Job(commands=(("plugins", "no such plugin"),), cells=("random-s1",)),
)
"""The second one fails, and that is no fault of the batch system."""
SAYS = ("alharness", "no such plugin")
"""What each prints."""


class BatchConformance(Conformance):
    """Inherit, name the plugin, and pytest runs one test per promise.

    >>> from alharness import BatchPlugin, Params
    >>> from alharness.testing import BatchConformance
    >>> class TestLsf(BatchConformance):
    ...     plugin = BatchPlugin(name="lsf", params=Params, make="my_lsf.queue:Lsf")

    Attributes:
        plugin: the batch system's plugin.
        queue: jobs may be submitted here: two that take some seconds each. Otherwise this cannot be tested.
        patience: seconds until they must have ended.
    """

    plugin: BatchPlugin
    queue: ClassVar[bool] = False
    patience: ClassVar[float] = 300.0

    def test_it_takes_one_job_at_least(self, tmp_path: Path) -> None:
        """`most` says how many one submission may have."""
        with self._opened(tmp_path) as system:
            assert system.most >= 1, f"most is {system.most}"

    def test_a_script_calls_every_command(self, tmp_path: Path) -> None:
        """In the order of the jobs: a user reads it, and submits it."""
        with self._opened(tmp_path) as system:
            text = system.script(JOBS, "kit")
        words = [command[0] for job in JOBS for command in job.commands]
        assert re.search(".*".join(map(re.escape, words)), text, re.DOTALL), (
            f"its script does not call alharness with {', then with '.join(words)}"
        )

    def test_jobs_are_cancelled_by_one_line(self, tmp_path: Path) -> None:
        """Messages show it, and a user copies it."""
        with self._opened(tmp_path) as system:
            line = system.cancelling(["12", "13"])
        assert line.strip(), "it names no command"
        assert line.isprintable(), f"cancelling() returned {line!r}; give one line"

    def test_jobs_end_and_leave_what_they_printed(self, tmp_path: Path) -> None:
        """Also one that fails. Each has an id, which names the file in the folder of logs."""
        self._require_queue()
        with self._opened(tmp_path) as system:
            ids = system.submit(JOBS, tmp_path, "kit")
            assert len(set(ids)) == len(JOBS), f"it gives {ids} as the ids of {len(JOBS)} jobs"
            until = time.monotonic() + self.patience
            while any(state.state != "ended" for state in system.states(ids).values()):
                assert time.monotonic() < until, f"jobs have not ended in {self.patience:.0f} s"
                time.sleep(1)
        for name, said in zip(ids, SAYS, strict=True):
            log = tmp_path / f"{name}.log"
            assert log.is_file(), f"{log.name} is not in the folder of logs"
            assert said in log.read_text(), f"{log.name} has {log.read_text()!r:.200}, without {said!r}"

    def test_jobs_that_it_does_not_know_have_ended(self, tmp_path: Path) -> None:
        """It forgets them some time after their end."""
        self._require_queue()
        with self._opened(tmp_path) as system:
            states = system.states(["987654321"])
        assert all(state.state == "ended" for state in states.values()), f"it says {states}"

    # How the tests ask

    def _require_queue(self) -> None:
        if not self.queue:
            raise SkipTest("jobs are submitted only for a kit that says `queue = True`")

    @contextmanager
    def _opened(self, folder: Path) -> Iterator[BatchSystem]:
        made: Any = self.plugin.make(self._params(), ExecutorContext(folder=folder, warn=print, jobs=2))
        assert isinstance(made, BatchSystem), (
            f"`make` returned {type(made).__name__}, not an alharness.BatchSystem"
        )
        yield made
