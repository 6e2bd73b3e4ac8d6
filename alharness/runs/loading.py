"""Has the data set made in another process, whatever becomes of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.executor import Warned
from alharness.errors import HarnessError, PluginError
from alharness.spec.settings import LimitsSettings

from .directory import OUTPUT
from .messages import Begun, Loaded
from .watch import Exceeded, Watch, listen

if TYPE_CHECKING:
    from collections.abc import Callable

    from .messages import Wish
    from .processes import Processes


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
    output = wish.plan.folder / OUTPUT
    child = processes.start("alharness.runs.loader:load", output, wish)
    watch = Watch(child, f"making {wish.who}", limits)
    loaded: Loaded | None = None
    try:
        while True:
            for _, message in listen([watch], 0.0, warn):
                match message:
                    case Begun():
                        watch.begin()
                    case Warned(text=text):
                        warn(text)
                    case HarnessError() as error:
                        raise error
                    case Loaded() as loaded:
                        # What follows is no plugin's work.
                        watch = Watch(child, f"looking at {wish.who}", LimitsSettings())
                    case Exceeded(error=why):
                        raise PluginError(f"{wish.who} was not made: {why}")
                    case _ if loaded:
                        return loaded
                    case _:
                        seen = f"; see {output}" if output.exists() and output.stat().st_size else ""
                        why = "; the machine ran out of memory" if watch.killed_for_memory() else ""
                        raise PluginError(f"{wish.who} was not made: its process {child.fate}{why}{seen}")
    finally:
        processes.end(child)
