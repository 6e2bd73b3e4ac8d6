"""What observes a run and keeps its results elsewhere, and how it is registered. No heavy imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .make import Make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .dataset import DatasetFacts
    from .params import Params


@dataclass(frozen=True, kw_only=True)
class TrackerContext:
    """What a tracker gets in addition to its parameters.

    Attributes:
        warn: shows a warning to the user; any thread may call it.
        required: whether the run must fail if this tracker cannot keep its results (`--require-tracking`).

    >>> TrackerContext(warn=print).required
    False
    """

    warn: Callable[[str], None]
    required: bool = False


class Tracker:
    """Base class of trackers: implement those of the four observer hooks that you need.

    The hooks are called in the process that the user started, one after another, and get frozen records. The run
    waits for them, so do slow things in a thread of your own. An exception costs a warning, not the run; with
    `--require-tracking` it ends the run.

    >>> from alharness import Tracker, hookimpl
    >>> class Counting(Tracker):
    ...     cycles = 0
    ...
    ...     @hookimpl
    ...     def alharness_cycle_finished(self, cycle):
    ...         self.cycles += 1
    ...
    ...     def where(self):
    ...         return f"{self.cycles} cycles"
    >>> Counting().where()
    '0 cycles'
    """

    def where(self) -> str:
        """Place of its results: a path, an address, or a command that shows them. Printed when the run ends."""
        return ""


@dataclass(frozen=True, kw_only=True)
class TrackerPlugin:
    """A tracker as the registry knows it.

    Attributes:
        name: the name in a spec, under `tracking`.
        params: model of its parameters. Use `pydantic.SecretStr` for a token: run directories keep the parameters.
        make: (params, context) -> Tracker, called before the run starts: a function, or `module:name` of one,
            which is imported then.
        review: (params, facts of the data set) -> warnings that `alharness check` shows. Raises SpecError if the
            tracker cannot be used with these parameters: nothing is run. Quick and without heavy imports.
        summary: one line for `alharness plugins`.
        title: how the last lines of a run name it; by default its name.

    >>> from alharness import Params, Tracker, TrackerPlugin
    >>> TrackerPlugin(name="nothing", params=Params, make=lambda params, context: Tracker()).name
    'nothing'
    """

    name: str
    params: type[Params]
    make: Make[Callable[[Any, TrackerContext], Tracker]] = Make("tracker")  # noqa: RUF009
    review: Callable[[Any, DatasetFacts], Iterable[str]] | None = None
    summary: str = ""
    title: str = ""
