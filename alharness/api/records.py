"""What a run does and leaves behind: frozen records, handed to observers and to the report."""

from __future__ import annotations

import warnings
from collections.abc import Mapping  # noqa: TC003 - read when a record comes back from JSON
from dataclasses import dataclass, field
from typing import Any, Literal

from alharness.text.redaction import redact

from .plan import FULL_DATA, RANDOM, Cell, Paper, Plan, Schedule, Skip, Stopping

__all__ = [
    "FULL_DATA",
    "RANDOM",
    "Cell",
    "CycleRecord",
    "Look",
    "Outcome",
    "Outcomes",
    "Paper",
    "Plan",
    "Schedule",
    "Skip",
    "Status",
    "Stopping",
    "Timing",
]

Status = Literal["ok", "failed", "diverged", "timeout", "oom", "interrupted", "pending", "spared"]
"""`spared`: not needed, since seeds that stop have decided without it. `timeout` and `oom`: ended for taking
longer, or more memory, than the spec's `limits` or the machine allow."""

Timing = Literal["exclusive", "shared"]
"""Whether a query had the machine to itself, or other cells were running meanwhile."""


@dataclass(frozen=True, kw_only=True)
class CycleRecord:
    """One cycle: train, evaluate, query.

    Attributes:
        cycle: 0-based.
        labeled: number of labels the model was trained on.
        metrics: quality on the test split, by name without prefix.
        diagnostics: what the sampler logged.
        utilisation: how much the fused prediction uses each modality: `share/text`, `moved/text`, `drop/text` and
            so on, as `alharness.engine.utilisation` defines them; empty if there is one modality alone, and in
            older journals.
        chosen: ids chosen by this cycle's query, the first choice first; empty in the last cycle.
        scores: the scores they were chosen by; empty if the sampler does not score.
        cost: seconds and MiB, by name; missing measurements are left out.
        at: end of the cycle, milliseconds since the epoch.
        timing: how its query was measured.
        machine: processor, cores and accelerator that its times belong to; empty in older journals.

    >>> from alharness.api.records import CycleRecord
    >>> record = CycleRecord(cycle=0, labeled=20, metrics={"accuracy": 0.61}, chosen=("s04", "s17"))
    >>> record.metrics["accuracy"], record.timing
    (0.61, 'exclusive')
    """

    cycle: int
    labeled: int
    metrics: Mapping[str, float]
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    utilisation: Mapping[str, float] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)
    at: int = 0
    timing: Timing = "exclusive"
    machine: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a cell ended, or how far it is.

    Attributes:
        cell: which.
        status: `ok` when every cycle is there; anything else is tried again by the next run.
        cycles: the finished ones, in order.
        started: begin, milliseconds since the epoch.
        error: one paragraph if it failed, without secrets.
        context: what its numbers depend on, as its journal says: digests of data, split and initial pool, device,
            versions.
        traceback: of a plugin's bug, on its way to the cell's folder.

    >>> from alharness.api.records import Cell, Outcome
    >>> cell = Cell(label="random", sampler="random", params={}, distribution="", seed=0, key="1a2b")
    >>> Outcome(cell=cell, status="failed", error="cannot log in with token=abc123def").error
    'cannot log in with token=***'
    """

    cell: Cell
    status: Status
    cycles: tuple[CycleRecord, ...] = ()
    started: int = 0
    error: str = ""
    context: Mapping[str, Any] = field(default_factory=dict, compare=False)
    traceback: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", redact(self.error))

    @property
    def timing(self) -> Timing:
        """`shared` if a query was measured while other cells were running."""
        return "shared" if any(cycle.timing == "shared" for cycle in self.cycles) else "exclusive"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What finished seeds have decided, in a run that stops when it knows; see `Stopping`.

    Attributes:
        seeds: seeds of the last look; 0 before the first.
        lines: a sentence on each comparison that is decided, and in the end on those that are not.
        needed: cells that the looks so far have needed, and those that the next one needs.
        possible: cells that may still be needed, with these.
        over: there will be no further look.

    >>> from alharness.api.records import Look
    >>> Look(seeds=10, lines=("badge is better than random: +0.012 (0.004 to 0.020) after 10 seeds",)).over
    False
    """

    seeds: int = 0
    lines: tuple[str, ...] = ()
    needed: frozenset[Cell] = frozenset()
    possible: frozenset[Cell] = frozenset()
    over: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """How a run ended.

    Attributes:
        cells: all of them, in the order of the run.
        interrupted: it was stopped by a signal.

    >>> from alharness.api.records import Cell, Outcome, Outcomes
    >>> cell = Cell(label="random", sampler="random", params={}, distribution="", seed=0, key="1a2b")
    >>> outcomes = Outcomes(cells=(Outcome(cell=cell, status="timeout"),))
    >>> [outcome.cell.name for outcome in outcomes.failed]
    ['random-s0']
    """

    cells: tuple[Outcome, ...]
    interrupted: bool = False

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Cells that need another try."""
        return tuple(record for record in self.cells if record.status not in ("ok", "pending", "spared"))


_RENAMED = {"CellRecord": "Outcome", "Run": "Plan", "RunRecord": "Outcomes"}
"""Old name -> name."""


def __getattr__(name: str) -> Any:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = _RENAMED[name]
    warnings.warn(f"{__name__}.{name} is now {new}", DeprecationWarning, stacklevel=2)
    return globals()[new]
