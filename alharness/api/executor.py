"""Executors: where groups of cells are computed. An executor starts workers; alharness does all else.

Workers compute and keep nothing: a group holds all that they need to begin or continue, and what they find comes
back as messages, which the coordinating process writes. So an executor needs no shared disk, and a lost worker
costs the cycles in flight. Who is to blame, what is tried again and how long it may take is the same for all
executors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from alharness.errors import RunError

from .make import Make
from .records import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any, Self

    from numpy.typing import NDArray

    from .params import Params
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
        initial: seed -> ids of the initial pool, if a sampler has chosen it; otherwise each worker draws it.

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
    initial: Mapping[int, tuple[str, ...]] = field(default_factory=dict, repr=False)

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
class Begun:
    """The worker has started, and works now: its time begins to run.

    >>> from alharness.api.executor import Begun
    >>> Begun() == Begun()
    True
    """


@dataclass(frozen=True, kw_only=True)
class At:
    """Whose work is done from now on.

    Attributes:
        cell: which; None if models of several cells are trained together, or none at all.

    >>> from alharness.api.executor import At
    >>> At(cell=None).cell
    """

    cell: Cell | None


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


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The worker computes nothing: it would compute something else than the coordinating process has asked for.

    >>> from alharness.api.executor import Refused
    >>> Refused(text="node-7 has torch 2.8.0, and this run has torch 2.9.1").text
    'node-7 has torch 2.8.0, and this run has torch 2.9.1'
    """

    text: str


@dataclass(frozen=True, kw_only=True)
class Done:
    """A group has ended, with all its cells.

    >>> from alharness.api.executor import Done
    >>> Done() == Done()
    True
    """


Finding = Finished | FirstFit | Warned | Outcome
"""What a worker finds, and the coordinating process keeps. Each cell of a group ends with its `Outcome`."""
Message = Begun | At | Finding | Refused | Done
"""What a worker sends. An executor passes on all of them, in their order, and need not know what they mean."""


@dataclass(frozen=True, kw_only=True)
class ArrayFile:
    """An array of the data set, in a file of the coordinating process's machine.

    Attributes:
        path: the file; other arrays may be in it, too.
        offset: bytes before the array.
        shape: its shape.
        dtype: its type, as numpy writes it.

    >>> import numpy as np, tempfile, os
    >>> from alharness.api.executor import ArrayFile
    >>> path = os.path.join(tempfile.mkdtemp(), "values")
    >>> np.arange(6, dtype="<f4").tofile(path)
    >>> ArrayFile(path=path, offset=8, shape=(2, 2), dtype="<f4").open().tolist()
    [[2.0, 3.0], [4.0, 5.0]]
    """

    path: str
    offset: int
    shape: tuple[int, ...]
    dtype: str

    def open(self) -> NDArray[Any]:
        """The array, mapped: what is written to it is seen in this process alone."""
        import numpy as np

        return np.memmap(self.path, self.dtype, mode="c", offset=self.offset, shape=self.shape)


class Work(ABC):
    """What every worker of a run does. Can be pickled, and is small: the data set's arrays are apart.

    A worker calls `begin` once, and then the object itself with each group that it gets:

    >>> def compute(work, groups, send):
    ...     work.begin()
    ...     for group in groups:
    ...         for message in work(group):
    ...             send(message)

    Attributes:
        arrays: those of the data set, by number.
    """

    arrays: Sequence[ArrayFile]

    @abstractmethod
    def begin(self, arrays: Sequence[NDArray[Any]] | None = None, *, threads: int | None = None) -> None:
        """Make this process a worker: compare versions, load plugins. Never raises; what is wrong is a message.

        Args:
            arrays: those of the data set as this worker has them, one for each of `self.arrays`. By default the
                files are opened, which must be on a disk of this machine.
            threads: of torch, in queries and evaluation; by default torch decides, and takes all cores.
        """

    @abstractmethod
    def __call__(self, group: Group) -> Iterator[Message]:
        """Compute a group: `Begun`, what is found, with `At` before it if another cell's work is done, and `Done`.

        Each message is yielded as soon as there is something to say, and the next one is computed when it is asked
        for. What plugins print goes to the standard output and error of the worker.
        """


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Why a worker says nothing more.

    Attributes:
        text: what has become of it, as in "its process was ended by SIGKILL".
        reason: what is known or supposed of the reason; empty if nothing is.
        cause: `work`: the cell that it worked for ended it. `memory`: memory ran out, and all its cells held some;
            `killed`: perhaps it did. `machine`: any work on it would have been lost, and its cells are tried
            again.

    >>> from alharness.api.executor import Loss
    >>> Loss(text="its node was lost", cause="machine").cause
    'machine'
    """

    text: str
    reason: str = ""
    cause: Literal["work", "memory", "killed", "machine"] = "work"


class Worker(ABC):
    """A process that computes one group after another, as the coordinating process sees it.

    Attributes:
        where: what machine it is on, for messages; empty if it is this one.

    >>> from alharness import Worker
    >>> class Here(Worker):  # computes in the coordinating process, when it is asked for a message
    ...     def __init__(self, work):
    ...         self.work = work
    ...         work.begin()
    ...
    ...     def send(self, group):
    ...         self.messages = self.work(group)
    ...
    ...     def receive(self):
    ...         return next(self.messages)
    ...
    ...     def end(self):
    ...         pass
    """

    where: str = ""

    @abstractmethod
    def send(self, group: Group) -> None:
        """Have it compute a group. It has none now. If it is lost, `receive` says so: this raises nothing."""

    @abstractmethod
    def receive(self) -> Message | None:
        """Its next message; None if it is lost. Called when `Executor.wait` has given it."""

    @abstractmethod
    def end(self) -> None:
        """End it, also in the middle of a computation, and what it has started; it may have ended already."""

    def loss(self) -> Loss:
        """Why it is lost. Asked for once, after `receive` has given None and before `end`."""
        return Loss(text=f"its process on {self.where} was lost" if self.where else "its process was lost")

    def proceed(self) -> None:  # noqa: B027 - most have nothing to do
        """Its last `Finding` was handled. Called if the executor is `exclusive`: then the worker waits for it."""

    def memory(self) -> int | None:
        """Bytes that it holds, without what it maps from files; None if that is not known."""
        return None

    def state(self) -> str:
        """What it seems to do, for messages on one that is silent, as in "its process computes"."""
        return f"it is on {self.where}" if self.where else "nothing else is known of it"


class Held(Protocol):
    """Objects that workers hold, one each, such as the parts of a pool that is too large for one machine.

    >>> class HeldHere:  # in this process
    ...     def __init__(self, makes):
    ...         self.things = [make() for make in makes]
    ...
    ...     def __len__(self):
    ...         return len(self.things)
    ...
    ...     def call(self, name, *arguments):
    ...         each = zip(self.things, *arguments)
    ...         return [getattr(thing, name)(*of) for thing, *of in each]
    """

    def __len__(self) -> int: ...

    def call(self, name: str, *arguments: Sequence[Any]) -> list[Any]:
        """Call that method of all objects at the same time; what each returns, in their order.

        Args:
            name: of the method.
            arguments: each has a value for every object. One that is the same for all should be sent to a machine
                once.

        Raises:
            HarnessError: what a method raised, as it is; or RunError if a worker was lost, which names it.
        """
        ...


_W = TypeVar("_W", bound=Worker)


class Executor(ABC, Generic[_W]):
    """Starts workers. Calls come from one thread: `open`, then `start` and `wait` in any order, then `close`.

    Attributes:
        width: most workers at a time. It may change during a run.
        grace: seconds that a worker may take to start; then the time of its cells begins to run.
        exclusive: nothing else is computed on the machine while its only worker computes, and this waits while a
            message is handled. Otherwise times of queries are marked as shared.
        device: type of device that workers compute on, as torch calls it; empty for the one that the coordinating
            process would take on its own machine.
        work: what workers do; set by `open`.

    >>> from alharness import Executor
    >>> class InThisProcess(Executor):  # with the worker above
    ...     width, exclusive = 1, True
    ...
    ...     def start(self):
    ...         return Here(self.work)
    ...
    ...     def wait(self, workers, seconds):
    ...         return workers
    """

    width: int
    grace: float = 60.0
    exclusive: bool = False
    device: str = ""
    work: Work

    def open(self, work: Work, most: int) -> None:
        """Called once, when it is known what is to be done: bring to the workers' side what all of them need.

        Args:
            work: what workers do.
            most: so many workers are of use, as there are no more groups.
        """
        self.work, self.width = work, min(self.width, most)

    @abstractmethod
    def start(self) -> _W:
        """A new worker. Returns at once if it can: the first message says when it has started.

        Raises:
            HarnessError: there can be none; says why, and ends the run.
        """

    @abstractmethod
    def wait(self, workers: Sequence[_W], seconds: float) -> Collection[_W]:
        """Those of these workers that have something to say, or are lost. Waits until there is one.

        Args:
            workers: those that were given a group, and have not finished it.
            seconds: wait so long at most; then there may be none.
        """

    def hold(self, makes: Sequence[Callable[[], Any]]) -> Held:  # noqa: ARG002 - others do
        """Workers that hold an object each, until `close`; for pools in parts, and apart from `open` and `start`.

        Args:
            makes: makes an object, in its worker; can be pickled. A worker each, on as many machines as there are.

        Raises:
            RunError: these workers cannot hold anything; what a call of `makes` raised.
        """
        raise RunError(
            f"{type(self).__name__} starts workers for groups of cells alone; it cannot hold a pool in parts"
        )

    def close(self) -> None:
        """Called in the end, when all workers were ended, also after an error."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(frozen=True, kw_only=True)
class ExecutorContext:
    """What an executor gets in addition to its parameters.

    Attributes:
        folder: the run directory.
        warn: shows a warning to the user.
        jobs: groups to compute at a time, if the user says how many; None for what the executor has.
        memory: bytes that a worker may hold, without what it maps from files; None for no limit. Workers that say
            how much they hold are ended when it is more; others may be started with such a limit.

    >>> from pathlib import Path
    >>> from alharness.api.executor import ExecutorContext
    >>> ExecutorContext(folder=Path("runs/first"), warn=print).jobs
    """

    folder: Path
    warn: Callable[[str], None]
    jobs: int | None = None
    memory: int | None = None


@dataclass(frozen=True, kw_only=True)
class ExecutorPlugin:
    """An executor as the registry knows it.

    Attributes:
        name: the name after `--executor`.
        params: model of its parameters, which are given by `-x key=value`.
        make: (params, context) -> Executor, called before the data set is made: a function, or `module:name` of
            one, which is imported then. Raises HarnessError if nothing can be computed there, soon and with the
            address or the numbers that are wrong.
        summary: one line for `alharness plugins`.

    >>> from alharness import ExecutorPlugin, Params
    >>> ExecutorPlugin(name="pipes", params=Params, make="my_pipes.executor:Pipes").name
    'pipes'
    """

    name: str
    params: type[Params]
    make: Make[Callable[[Any, ExecutorContext], Executor[Any]]] = Make("executor")  # noqa: RUF009
    summary: str = ""
