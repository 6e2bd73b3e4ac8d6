"""Has the data set made in another process, whatever becomes of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alharness.api.executor import Begun, Warned
from alharness.errors import HarnessError, PluginError
from alharness.spec.settings import LimitsSettings

from .directory import OUTPUT
from .local import LocalWorker, heard
from .messages import Loaded
from .watch import Exceeded, Watch, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .messages import SeedFacts, Wish
    from .processes import Processes
    from .sharing import Shared


def load(processes: Processes, wish: Wish, limits: LimitsSettings, warn: Callable[[str], None]) -> Loaded:
    """Make the data set of this wish.

    Args:
        processes: starts the process.
        wish: what to make.
        limits: hold as they do for a cell.
        warn: gets what the user should know.

    Raises:
        HarnessError: it cannot be made; names the plugin.
    """
    loaded: Loaded = _ask(processes, "load", (wish,), limits, warn)
    return loaded


def draw(
    processes: Processes,
    wish: Wish,
    dataset: Shared | None,
    seeds: Sequence[int],
    *,
    limits: LimitsSettings,
    warn: Callable[[str], None],
) -> Mapping[int, SeedFacts]:
    """What a run must know of more seeds of a data set that was made.

    Raises:
        HarnessError: it cannot be known; names the plugin.
    """
    drawn: Mapping[int, SeedFacts] = _ask(processes, "draw", (wish, dataset, seeds), limits, warn)
    return drawn


def _ask(
    processes: Processes,
    task: str,
    arguments: tuple[Any, ...],
    limits: LimitsSettings,
    warn: Callable[[str], None],
) -> Any:
    """The answer of a process of `loader`."""
    wish: Wish = arguments[0]
    output = wish.plan.folder / OUTPUT
    worker = LocalWorker(processes, processes.start(f"alharness.runs.loader:{task}", output, *arguments))
    watch = Watch(worker, f"making {wish.who}", limits)
    answer: Any = None
    try:
        while True:
            for _, exceeded in listen([watch], heard, 0.0, warn):
                match exceeded or worker.receive():
                    case Begun():
                        watch.begin()
                    case Warned(text=text):
                        warn(text)
                    case HarnessError() as error:
                        raise error
                    case Loaded() | dict() as answer:
                        # What follows is no plugin's work.
                        watch = Watch(worker, f"looking at {wish.who}", LimitsSettings())
                    case Exceeded(error=why):
                        raise PluginError(f"{wish.who} was not made: {why}")
                    case _ if answer is not None:
                        return answer
                    case _:
                        seen = f"; see {output}" if output.exists() and output.stat().st_size else ""
                        loss = worker.loss()
                        why = "; the machine ran out of memory" if loss.cause == "memory" else ""
                        raise PluginError(f"{wish.who} was not made: {loss.text}{why}{seen}")
    finally:
        worker.end()
