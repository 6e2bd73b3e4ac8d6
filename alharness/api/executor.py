"""Executors: groups of cells go out to workers, messages come back. The coordinating process writes everything.

Workers compute and keep nothing: a group holds all that they need to begin or continue, and what they find comes
back as messages. So an executor needs no shared disk, and a lost worker costs the cycle in flight.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from .records import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from typing import Any

    from .records import Cell, CycleRecord


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cells that are driven together: what they train in a cycle is trained at once. Can be pickled.

    Attributes:
        cells: which.
        chosen: name of a cell -> the ids that each of its finished cycles chose. That is the whole checkpoint: all
            else follows from seed and cycle.
        fits: (seed, whether all labels are known) -> a model of cycle 0 that was trained before, as bytes.
        contexts: seed -> what the numbers of its cells depend on: data, split, initial pool, device, versions. A
            worker refuses to compute under other conditions.
        action: run cells, or measure the queries of finished ones again.

    >>> from alharness.api.executor import Group
    >>> from alharness.api.records import Cell
    >>> cell = Cell(label="random", sampler="random", params={}, distribution="", seed=3, key="k")
    >>> group = Group(cells=(cell,), chosen={"random-s3": (("clip1", "clip2"),)})
    >>> group.name, sorted(group.seeds)
    ('random-s3', [3])
    """

    cells: tuple[Cell, ...]
    chosen: Mapping[str, tuple[tuple[str, ...], ...]]
    fits: Mapping[tuple[int, bool], bytes] = field(default_factory=dict, repr=False)
    contexts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    action: Literal["run", "retime"] = "run"

    @property
    def seeds(self) -> frozenset[int]:
        """The seeds of its cells."""
        return frozenset(cell.seed for cell in self.cells)

    @property
    def name(self) -> str:
        """For messages: the cell's name, and how many others there are."""
        others = len(self.cells) - 1
        return f"{self.cells[0].name} and {others} more" if others else self.cells[0].name


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A cell has finished a cycle. The coordinating process sets `at` and `timing` of the record.

    >>> from alharness.api.executor import Finished
    >>> from alharness.api.records import Cell, CycleRecord
    >>> cell = Cell(label="random", sampler="random", params={}, distribution="", seed=3, key="k")
    >>> message = Finished(cell=cell, cycle=CycleRecord(cycle=0, labeled=20, metrics={"f1": 0.7}))
    >>> message.cell.name, message.cycle.metrics
    ('random-s3', {'f1': 0.7})
    """

    cell: Cell
    cycle: CycleRecord


@dataclass(frozen=True, kw_only=True)
class FirstFit:
    """A model of cycle 0 was trained, which all cells of the seed need.

    Attributes:
        seed: of the cells.
        everything: trained with all labels of the pool, for references.
        content: the model as bytes.

    >>> from alharness.api.executor import FirstFit
    >>> FirstFit(seed=3, everything=False, content=b"...")
    FirstFit(seed=3, everything=False)
    """

    seed: int
    everything: bool
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Warned:
    """A warning for the user.

    >>> from alharness.api.executor import Warned
    >>> Warned(text="the random sampler changed how NumPy handles errors").text
    'the random sampler changed how NumPy handles errors'
    """

    text: str


Message = Finished | FirstFit | Warned | Outcome
"""What a worker sends. Each cell of a group ends with its `Outcome`."""


class Groups(Protocol):
    """The groups of a run, and where their messages go: the coordinator's side.

    >>> def compute_all(work, groups):  # what an executor does, here without any worker
    ...     while (group := groups.take()) is not None:
    ...         for message in work(group):
    ...             groups.receive(message)
    """

    @property
    def left(self) -> bool:
        """Whether there are groups that were not taken yet."""

    def take(self, seeds: Collection[int] = ()) -> Group | None:
        """The next group; None if none can begin now: those that are left wait for a model of cycle 0.

        Args:
            seeds: those whose data the worker has at hand.
        """

    def receive(self, message: Message) -> bool:
        """Handle a message: write to journals, call observers.

        False if the cell's journal cannot be written: the cell has ended, and no more of it is wanted.
        """

    def put_back(self, cells: Sequence[Cell]) -> None:
        """Cells of a group whose worker was lost, which are not to blame: they are a group of their own now."""


class Executor(Protocol):
    """Runs groups in workers.

    Attributes:
        exclusive: one group at a time, and while a message is handled nothing is computed: times of queries are
            those of a machine with nothing else to do.

    >>> class Here:
    ...     exclusive = True
    ...
    ...     def run(self, work, groups):
    ...         while (group := groups.take()) is not None:
    ...             for message in work(group):
    ...                 groups.receive(message)
    """

    exclusive: bool

    def run(self, work: Callable[[Group], Iterator[Message]], groups: Groups) -> None:
        """Take groups, have them computed, and pass on all their messages, until none is left.

        If a worker is lost, or takes more than it may, the cell whose work it did gets an `Outcome`, and the
        others of its group that have not ended are put back.
        Whatever `groups` raises ends the workers and is raised here; so does KeyboardInterrupt.
        """
