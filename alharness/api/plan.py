"""What a run will do: its cells, how many labels they have and when, and what all of them share; frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping  # noqa: TC003 - read when a plan comes back from JSON
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - the same
from typing import Any, Literal

from .dataset import DatasetFacts  # noqa: TC001 - the same

FULL_DATA = "full-data"
"""Label of the reference cells, which train once per seed with all labels of the pool."""
RANDOM = "random"
"""Name of the sampler that all others are compared with."""
Statistics = Literal["blocks", "paired_t"]
"""Whose noise a test of a difference takes: that of all samplers of the setting, or that of its own two."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One sampler x one seed; of Random with replicates, one of these.

    Attributes:
        label: the sampler's label in the spec, unique there.
        sampler: the sampler's name.
        params: its parameters, as plain data.
        distribution: the distribution it comes from, `name==version`; then the library that it adapts, if any.
        seed: the seed of every random stream.
        key: hash of sampler, params, distribution, seed and stream; the same key is the same computation.
        reference: it queries nothing, but trains once with all labels of the pool.
        replicate: 1, or the number of a replicate of Random within the seed.
        stream: name of the random streams that its sampler draws from, if they are not those of its seed: of
            replicates, and of a sampler that is in the spec twice with the same parameters.
        control: its sampler reads what is known of made-up data: it is shown and compared, and never ranked.

    >>> from alharness.api.records import Cell
    >>> cell = Cell(label="slow", sampler="grace", params={"alpha0": 0.05}, distribution="", seed=0, key="1a2b")
    >>> cell.name, cell.folder
    ('slow-s0', 'slow-s0-1a2b')
    """

    label: str
    sampler: str
    params: Mapping[str, Any] = field(hash=False)
    distribution: str
    seed: int
    key: str
    reference: bool = False
    replicate: int = 1
    stream: str = ""
    control: bool = False

    @property
    def name(self) -> str:
        """`<label>-s<seed>`, for people; with `-r<replicate>` from the second on."""
        return f"{self.label}-s{self.seed}" + (f"-r{self.replicate}" if self.replicate > 1 else "")

    @property
    def who(self) -> str:
        """`<label> (<distribution>)`, for messages on its sampler."""
        return f"{self.label} ({self.distribution})" if self.distribution else self.label

    @property
    def folder(self) -> str:
        """The name and the start of the key, for the file system: changed parameters never mix."""
        return f"{self.name}-{self.key[:8]}"


@dataclass(frozen=True, kw_only=True)
class Skip:
    """A sampler of the spec that cannot run here, and why.

    >>> from alharness.api.records import Skip
    >>> Skip(label="badge", reason="it serves classification, and 'sims' is regression").label
    'badge'
    """

    label: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How many labels there are at every cycle.

    Attributes:
        initial_pool: labels at cycle 0.
        sizes: labels bought by query 0, 1, ...; the last may be smaller than the budget.

    >>> from alharness.api.records import Schedule
    >>> Schedule(initial_pool=20, sizes=(20, 20, 5)).labeled
    (20, 40, 60, 65)
    """

    initial_pool: int
    sizes: tuple[int, ...]

    @property
    def labeled(self) -> tuple[int, ...]:
        """Labels at cycle 0, 1, ..., one more than there are queries."""
        counts = [self.initial_pool]
        for size in self.sizes:
            counts.append(counts[-1] + size)
        return tuple(counts)


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """When seeds stop: comparisons are looked at again and again, until each is decided.

    Attributes:
        at_least: seeds before the first look.
        block: seeds between two looks.
        confidence: with which all intervals of all looks hold, together.
        margin: a difference that does not matter; None if every difference does.
        pairs: what is compared: every sampler with Random, or all with each other.

    >>> from alharness.api.records import Stopping
    >>> Stopping(margin=0.003)
    Stopping(at_least=5, block=5, confidence=0.95, margin=0.003, pairs='random')
    """

    at_least: int = 5
    block: int = 5
    confidence: float = 0.95
    margin: float | None = None
    pairs: Literal["random", "all"] = "random"


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What a paper reports for the same setting.

    Attributes:
        source: the paper and the table or figure.
        labels: number of labels that its figures belong to; None for the last cycle.
        values: label of a sampler, or `full-data` -> metric -> its figure, in our units.

    >>> from alharness.api.records import Paper
    >>> Paper(source="Doe et al. 2024, Table 2", labels=800, values={"random": {"mae": 0.318}}).values["random"]
    {'mae': 0.318}
    """

    source: str
    labels: int | None
    values: Mapping[str, Mapping[str, float]] = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run will do: all cells of a spec, and what they share. Saved in the run directory.

    What is known only after the data set was loaded is empty before: `finished`, `jobs`, `groups`, `metric`,
    `lower_is_better`, `headline`, `environment`, `valid`, and the device in `params`.

    Attributes:
        name: the spec's name, with a suffix if the data replace real ones.
        experiment: name and hash of everything that all cells share; the run directory's name.
        folder: the run directory.
        facts: the data set before it is loaded; None in run directories of earlier versions.
        schedule: labels per cycle.
        pool: samples that could be labeled.
        cells: in the order in which they run: seed by seed, so that samplers can be compared early; references
            come last in a seed.
        finished: name of a cell -> cycles that earlier runs finished.
        jobs: how many groups of cells run at a time.
        groups: names of the cells of each group, which a worker takes through their cycles together, in the order
            in which they begin; empty if each cell is alone.
        skips: samplers that cannot run here, and why.
        warnings: what is allowed, but perhaps not meant.
        tracking: the same about trackers; a run warns of these itself.
        metric: the metric that ranks; see `Metrics.primary`.
        lower_is_better: metrics whose smaller values are better. The default is what run directories mean that do
            not say it.
        headline: the metrics that the closing table shows, in its order; empty for all.
        params: plain values that all cells share: dataset, model, budget, device.
        environment: versions, machine and digests.
        spec_text: the resolved spec as YAML.
        synthetic: made-up data.
        valid: validation samples that stop a training; None if that is not known.
        count_valid: they count as labels wherever results are shown, though none of them is bought.
        paper: figures of a paper to be shown next to these, if any.
        statistics: whose noise tests of differences take, see `Statistics`.
        stopping: seeds stop when they are decided, so that not all cells need to run; None if all do.
        project: of a labeling project, how its model is measured, in words; empty for a run.

    >>> from pathlib import Path
    >>> from alharness.api.records import Plan, Schedule
    >>> schedule = Schedule(initial_pool=20, sizes=(20, 20))
    >>> plan = Plan(name="x", experiment="x-1a2b3c4d", folder=Path("runs"), schedule=schedule, pool=100, cells=())
    >>> plan.better("mae"), plan.counted(schedule.labeled)
    ('lower', (20, 40, 60))
    """

    name: str
    experiment: str
    folder: Path
    facts: DatasetFacts | None = None
    schedule: Schedule
    pool: int
    cells: tuple[Cell, ...]
    finished: Mapping[str, int] = field(default_factory=dict)
    jobs: int = 1
    groups: tuple[tuple[str, ...], ...] = ()
    skips: tuple[Skip, ...] = ()
    warnings: tuple[str, ...] = ()
    tracking: tuple[str, ...] = ()
    metric: str = ""
    lower_is_better: tuple[str, ...] = ("mae", "rmse")
    headline: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    spec_text: str = ""
    synthetic: bool = False
    valid: int | None = None
    count_valid: bool = False
    paper: Paper | None = None
    statistics: Statistics = "blocks"
    stopping: Stopping | None = None
    project: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the samplers, in the order of the spec."""
        return tuple(dict.fromkeys(cell.label for cell in self.cells if not cell.reference))

    @property
    def stand_in(self) -> bool:
        """Whether the data are made up in place of real ones, see `DatasetFacts`."""
        return self.synthetic and not (self.facts and self.facts.truth)

    @property
    def controls(self) -> tuple[str, ...]:
        """Labels of the controls, which are compared with samplers and never ranked."""
        return tuple(dict.fromkeys(cell.label for cell in self.cells if cell.control))

    def better(self, metric: str) -> str:
        """Which values of a metric are better, in a word."""
        return "lower" if metric in self.lower_is_better else "higher"

    def labeled(self, cell: Cell) -> tuple[int, ...]:
        """Labels at cycle 0, 1, ... of this cell."""
        return (self.pool,) if cell.reference else self.schedule.labeled

    def counted(self, labeled: Iterable[int]) -> tuple[int, ...]:
        """Numbers of labels as results show them: with the validation samples if these count."""
        extra = (self.valid or 0) if self.count_valid else 0
        return tuple(number + extra for number in labeled)
