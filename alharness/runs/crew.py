"""The workers of a run: what they are given, what they may take, and what becomes of the cells of a lost one."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from alharness.api.executor import At, Begun, Done, Finished, FirstFit, Group, Refused, Warned
from alharness.api.records import Outcome
from alharness.errors import RunError

from .directory import RunDirectory
from .processes import remove_empty
from .watch import Exceeded, Watch, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from alharness.api.executor import Finding, Message, Worker
    from alharness.api.records import Cell, Status
    from alharness.spec.settings import LimitsSettings

    from .executors import SafeExecutor

LOSSES = 3
"""A cell fails if so many machines were lost while it was computed: it may be what ends them."""
STATUSES: dict[str, Status] = {"memory": "oom"}
"""Cause of a loss -> how a cell ends that is to blame."""


class Groups(Protocol):
    """The groups of a run, and where what is found goes: the coordinator, as its workers see it."""

    @property
    def left(self) -> bool:
        """Whether there are groups that were not taken yet."""

    @property
    def stopping(self) -> bool:
        """Whether the run is to stop: none is given out any more, and a cell ends with its cycle."""

    def take(self, seeds: Collection[int] = ()) -> Group | None:
        """The next group; None if none can begin now: those that are left wait for a model of cycle 0.

        Args:
            seeds: those whose data the worker has at hand.
        """

    def receive(self, message: Finding) -> bool:
        """Handle a message: write to journals, call observers.

        False if the cell has ended by it, since its journal cannot be written or the run is to stop: no more of it
        is wanted.
        """

    def put_back(self, cells: Sequence[Cell]) -> None:
        """Cells of a group whose worker was lost, which are not to blame: they are a group of their own now."""


class Crew:
    """Has groups computed by the workers of an executor, as many at a time as it has.

    A worker that is lost, or is ended, ends the cell whose work it did; the others continue in another one. If
    models of several were trained together, or memory ran out, they continue in two groups, so that what cannot
    continue is alone in the end. If its machine was lost, all continue. A worker in which a cell was not completed
    is replaced, since what has failed in it may have left anything.

    Args:
        executor: starts workers.
        folder: the run directory; processes of this machine print to files in it.
        limits: what an attempt at a cell may take. Cells that train together share the time that this takes.
        warn: called with what the user should know.
        at_leisure: called once when a worker has nothing to do any more and others still compute.
    """

    def __init__(
        self,
        executor: SafeExecutor,
        folder: Path,
        limits: LimitsSettings,
        warn: Callable[[str], None],
        at_leisure: Callable[[], None] = lambda: None,
    ) -> None:
        self._executor, self._limits, self._warn = executor, limits, warn
        self._at_leisure: Callable[[], None] | None = at_leisure
        self._directory = RunDirectory(folder)
        self._idle: list[_Post] = []
        self._busy: list[_Post] = []
        self._longest = 0.0
        self._refused = 0
        self._losses: Counter[Cell] = Counter()

    def compute(self, groups: Groups) -> None:
        """Take groups, have them computed, and pass on what is found, until none is left.

        What `groups` raises ends the workers and is raised here; so does KeyboardInterrupt.

        Raises:
            PluginError: the executor failed.
            RunError: all workers refuse to compute.
        """
        try:
            while groups.left or self._busy:
                self._begin(groups)
                if self._at_leisure and self._idle and self._busy and not groups.left:
                    self._at_leisure()
                    self._at_leisure = None
                if groups.stopping:  # a worker that waits for a place in a cluster is too late
                    for post in [post for post in self._busy if not post.begun]:
                        self._end(post)
                posts = {post.watch: post for post in self._busy}
                for watch, exceeded in listen(posts, self._executor.wait, self._longest, self._warn):
                    self._hear(posts[watch], exceeded or self._executor.receive(watch.worker), groups)
        finally:
            for post in [*self._busy, *self._idle]:
                self._end(post)

    def _begin(self, groups: Groups) -> None:
        """Give groups to idle workers. If all groups wait for a model, a worker starts meanwhile."""
        while groups.left and len(self._busy) < self._executor.width - self._refused:
            post = self._idle.pop() if self._idle else self._start()
            if (group := groups.take(post.group.seeds)) is None:
                self._idle.append(post)
                return
            self._busy.append(post)
            post.begin(group, self._limits, self._executor.grace)
            self._executor.send(post.worker, group)

    def _start(self) -> _Post:
        worker = self._executor.start()
        if self._limits.memory is not None and worker.memory() is None:
            self._warn("limits.memory is not watched: the workers of this executor do not say what they hold")
        return _Post(worker)

    def _hear(self, post: _Post, message: Message | Exceeded | None, groups: Groups) -> None:
        match message:
            case Exceeded(status="timeout"):
                self._lose(post, groups, *message, guilty=post.at_work)
            case Exceeded():
                self._lose(post, groups, *message)
            case Begun():
                post.begun = True
                post.watch.begin()
            case At():
                self._longest = max(self._longest, post.watch.heard())
                post.turn(message.cell)
            case Finished() | FirstFit() | Warned() | Outcome():
                self._hand_over(post, groups, message)
            case Refused(text=text):
                self._do_without(post, groups, text)
            case Done() if not post.left:
                self._release(post)
            case _:  # None, or what no worker says: a plugin wrote to its pipe
                self._lose_dead(post, groups)

    def _hand_over(self, post: _Post, groups: Groups, message: Finding) -> None:
        self._longest, began = max(self._longest, post.watch.heard()), time.monotonic()
        cell = message.cell if isinstance(message, Finished | Outcome) else None
        wanted = True
        if cell is None or cell in post.left:
            wanted = groups.receive(message)
        if cell in post.left and (isinstance(message, Outcome) or not wanted):
            post.left.remove(cell)  # and what it still says of a cell that is not wanted is heard no more
            post.sound = post.sound and isinstance(message, Outcome) and message.status == "ok"
        if not wanted and not post.left:
            self._end(post)
        elif self._executor.exclusive:  # it waits, so that observers disturb no query
            post.watch.excuse(time.monotonic() - began)
            self._executor.proceed(post.worker)

    def _release(self, post: _Post) -> None:
        if not post.sound:
            self._end(post)
            return
        self._busy.remove(post)
        self._idle.append(post)
        self._remove_empty(post)

    def _do_without(self, post: _Post, groups: Groups, reason: str) -> None:
        """Do without a worker that refuses to compute, and end the run if there is no other."""
        self._refused += 1
        if self._refused >= self._executor.width:
            raise RunError(f"no worker can compute: {reason}{self._hint([])}")
        self._warn(f"a worker computes nothing, and the others continue: {reason}")
        left = [*post.left]
        self._end(post)
        groups.put_back(left)

    def _lose_dead(self, post: _Post, groups: Groups) -> None:
        """See to the cells of a worker that says nothing more."""
        loss = self._executor.loss(post.worker)
        reason = f"; {loss.reason}" if loss.reason else ""
        error = f"{loss.text} before the cell was finished{self._hint(post.at_work)}{reason}"
        if loss.cause == "machine":
            self._losses.update(post.left)
            guilty = [cell for cell in post.left if self._losses[cell] >= LOSSES]
            others = [cell for cell in post.left if cell not in guilty]
            self._warn(f"{post.group.name}: {loss.text}{reason}; tried again after the last finished cycles")
            self._part(post, groups, "failed", error, guilty, [others])
            return
        known = post.cell is not None and loss.cause == "work"
        self._lose(post, groups, STATUSES.get(loss.cause, "failed"), error, post.at_work if known else ())

    def _lose(self, post: _Post, groups: Groups, status: Status, error: str, guilty: Sequence[Cell] = ()) -> None:
        """End a worker. Its cells continue in other ones, except those that are guilty of its end.

        If that cannot be said, it is the only one that is left, or one in either half of them.
        """
        guilty = [*guilty] or (post.left if len(post.left) == 1 else [])
        others = [cell for cell in post.left if cell not in guilty]
        if guilty:
            parts = [others]
        else:
            half = len(others) // 2
            parts = [others[:half], others[half:]]
            self._warn(f"{post.group.name} continue in two groups, after their last finished cycles: {error}")
        self._part(post, groups, status, error, guilty, parts)

    def _part(
        self,
        post: _Post,
        groups: Groups,
        status: Status,
        error: str,
        guilty: Sequence[Cell],
        others: Sequence[Sequence[Cell]],
    ) -> None:
        """End a worker, with the cells that are guilty; the others continue, each part in a group."""
        self._end(post)
        for cell in [*guilty]:
            groups.receive(Outcome(cell=cell, status=status, error=f"{cell.who}: {error}"))
        for part in reversed(others):
            if part:
                groups.put_back(part)

    def _end(self, post: _Post) -> None:
        for posts in (self._busy, self._idle):
            if post in posts:
                posts.remove(post)
        self._executor.end(post.worker)
        self._remove_empty(post)

    def _remove_empty(self, post: _Post) -> None:
        for cell in post.group.cells:
            remove_empty(self._directory.output(cell))

    def _hint(self, cells: Sequence[Cell]) -> str:
        """The file that a worker has written to, if there is one."""
        written = [self._directory.output(cell) for cell in (*cells, None)]
        return next((f"; see {path}" for path in written if path.exists() and path.stat().st_size), "")


class _Post:
    """A worker, and the group that it computes.

    Attributes:
        worker: computes groups.
        group: its last one.
        left: its cells that have not ended yet.
        cell: the one whose work is done; None if several train together.
        begun: it has begun with it.
        sound: all cells were completed in it.
    """

    watch: Watch

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.group = Group(cells=(), chosen={})  # none yet
        self.left: list[Cell] = []
        self.cell: Cell | None = None
        self.begun = False
        self.sound = True

    @property
    def at_work(self) -> list[Cell]:
        """The cells whose work is done."""
        return [self.cell] if self.cell in self.left else [*self.left]

    def begin(self, group: Group, limits: LimitsSettings, grace: float) -> None:
        self.group, self.left, self.cell, self.begun = group, [*group.cells], None, False
        self._limit = limits.cell_timeout
        self._spent = dict.fromkeys(group.cells, 0.0)
        self.watch = Watch(self.worker, group.name, limits, grace)
        self.watch.allowed = self._allowed()

    def turn(self, cell: Cell | None) -> None:
        """Another cell's work is done from now on. What was done together is shared."""
        took, before = self.watch.lap(), self.at_work
        for one in before:
            self._spent[one] += took / len(before)
        self.cell = cell
        self.watch.allowed = self._allowed()

    def _allowed(self) -> float | None:
        """Seconds that the cells at work have left."""
        if self._limit is None:
            return None
        return sum(max(0.0, self._limit - self._spent[cell]) for cell in self.at_work)
