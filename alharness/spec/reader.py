"""A spec, read and typed: every plugin's parameters by the plugin's own model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness.api.plan import RANDOM, Stopping
from alharness.errors import SpecError
from alharness.registry import Extras
from alharness.registry import load as find_plugins
from alharness.text.redaction import hide_credentials

from . import sources, yamlfile
from .bases import with_bases
from .chosen import Chosen, Reader
from .document import DEFAULT_TRACKER, trackers
from .finding import find_spec, folder_of
from .matrix import MATRIX, expanded
from .problems import Problem, combine
from .settings import SeedSettings
from .yamlfile import write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alharness.api.dataset import DatasetPlugin
    from alharness.api.model import ModelPlugin
    from alharness.api.plan import Statistics
    from alharness.api.sampler import SamplerPlugin
    from alharness.api.tracker import TrackerPlugin
    from alharness.registry import Registry

    from .settings import (
        ActiveLearningSettings,
        LimitsSettings,
        PaperSettings,
        RandomSettings,
        ReferenceSettings,
        TrainingSettings,
    )
    from .yamlfile import YamlFile


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A spec as it was written, checked against the types of its values and the installed plugins.

    Attributes:
        name: of the spec.
        path: the file it was read from; None if it was a mapping.
        folder: relative paths in it start here.
        dataset: the data set and its parameters.
        model: the task model and its parameters.
        training: how the model is trained.
        active_learning: how many labels are bought, and when.
        initial: the sampler that chooses the initial pool, and its parameters; None if it is drawn at random.
        seeds: the distinct seeds; all that may run.
        stopping: when they stop before; None if all run.
        samplers: the samplers and their parameters, with distinct labels.
        random: how often Random runs within a seed.
        statistics: whose noise tests of differences take.
        reference: what the samplers are compared with.
        paper: figures to be shown next to ours.
        limits: what an attempt at a cell may take.
        trackers: what keeps the results outside the run directory, and their parameters.
        strict: a sampler that cannot run is an error, not a skip.
        file: the places of all values.
        grid: name of the spec of whose matrix it is a setting; empty without.
        extras: plugins that it was read with, and that are not installed.

    >>> from alharness import Spec
    >>> spec = Spec.load(
    ...     {
    ...         "name": "first",
    ...         "dataset": "digits",
    ...         "active_learning": {"initial_pool": 20, "budget": 10, "cycles": 3},
    ...         "samplers": ["random"],
    ...     },
    ...     set={"seeds": 2},
    ... )
    >>> spec
    Spec('first': digits, late_fusion, random; 2 seeds)
    >>> spec.active_learning.budget
    10
    """

    name: str
    path: Path | None
    folder: Path
    dataset: Chosen[DatasetPlugin]
    model: Chosen[ModelPlugin]
    training: TrainingSettings
    active_learning: ActiveLearningSettings
    initial: Chosen[SamplerPlugin] | None
    seeds: tuple[int, ...]
    stopping: Stopping | None
    samplers: tuple[Chosen[SamplerPlugin], ...]
    random: RandomSettings
    statistics: Statistics
    reference: ReferenceSettings
    paper: PaperSettings | None
    limits: LimitsSettings
    trackers: tuple[Chosen[TrackerPlugin], ...]
    strict: bool
    file: YamlFile = field(repr=False, compare=False)
    grid: str = field(default="", compare=False)
    extras: Extras = field(default_factory=Extras, repr=False, compare=False)

    def __repr__(self) -> str:
        """In short; `resolved_yaml` writes all of it."""
        labels = ", ".join(sampler.label for sampler in self.samplers)
        fewest = f"{self.stopping.at_least} to " if self.stopping else ""
        seeds = f"{fewest}{len(self.seeds)} seed{'s' if len(self.seeds) > 1 else ''}"
        return f"Spec({self.name!r}: {self.dataset.name}, {self.model.name}, {labels}; {seeds})"

    def where(self, *keys: str | int) -> str:
        """`file:line:column: path`, the beginning of a message about this value; the path alone without a file."""
        return ": ".join(part for part in (str(self.file.locate(keys)), ".".join(map(str, keys))) if part)

    @classmethod
    def load(
        cls,
        spec: Source,
        *,
        set: Mapping[str, Any] | Iterable[str] | None = (),  # noqa: A002 - as the option of the command line
        include: str | Path | Iterable[str | Path] | None = (),
        samplers: Any = (),
        models: Any = (),
        datasets: Any = (),
        trackers: Any = (),
    ) -> Spec:
        """Read a spec that is one setting, and check all of it; nothing is run.

        Args:
            spec: as in `alharness.run`.
            set: as in `alharness.run`.
            include: as in `alharness.run`.
            samplers: as in `alharness.run`.
            models: as in `alharness.run`.
            datasets: as in `alharness.run`.
            trackers: as in `alharness.run`.

        Raises:
            SpecError: everything that is wrong with it, one line each; or it has a matrix.
            PluginError: nothing is wrong with it, but plugins are missing or broken.
        """
        given = {"samplers": samplers, "models": models, "datasets": datasets, "trackers": trackers}
        return _only(cls.load_all(spec, set=set, include=include, **given))

    @classmethod
    def load_all(
        cls,
        spec: Source,
        *,
        set: Mapping[str, Any] | Iterable[str] | None = (),  # noqa: A002 - as the option of the command line
        include: str | Path | Iterable[str | Path] | None = (),
        samplers: Any = (),
        models: Any = (),
        datasets: Any = (),
        trackers: Any = (),
    ) -> list[Spec]:
        """Read a spec and check all of it: the settings of its matrix, or without one the setting that it is.

        >>> from alharness import Spec
        >>> grid = {
        ...     "name": "grid",
        ...     "matrix": {"dataset": ["digits"], "active_learning.budget": [10, 20]},
        ...     "active_learning": {"initial_pool": 20, "cycles": 3},
        ...     "samplers": ["random"],
        ... }
        >>> [setting.name for setting in Spec.load_all(grid)]
        ['grid-budget10', 'grid-budget20']

        Args:
            spec: as in `alharness.run`.
            set: as in `alharness.run`.
            include: as in `alharness.run`.
            samplers: as in `alharness.run`.
            models: as in `alharness.run`.
            datasets: as in `alharness.run`.
            trackers: as in `alharness.run`.

        Raises:
            SpecError: everything that is wrong with it, one line each.
            PluginError: nothing is wrong with it, but plugins are missing or broken.
        """
        extras = Extras.collect(
            include=include, samplers=samplers, models=models, datasets=datasets, trackers=trackers
        )
        if isinstance(spec, Spec):
            extras = spec.extras + extras
        source = find_spec(Path(spec)) if isinstance(spec, str | Path) else spec
        return load_all(source, find_plugins(extras=extras), set, option="set=")


Source = str | Path | Mapping[str, Any] | Spec
"""What a spec may be given as."""


def load(
    source: Source,
    registry: Registry,
    assignments: Iterable[str] | Mapping[str, Any] | None = (),
    option: str = "--set ",
) -> Spec:
    """Read a spec that is one setting, and check all of it; see `load_all`.

    Raises:
        SpecError: everything that is wrong with it, one line each; or it has a matrix.
        PluginError: nothing is wrong with it, but plugins are missing or broken.
    """
    return _only(load_all(source, registry, assignments, option))


def load_all(
    source: Source,
    registry: Registry,
    assignments: Iterable[str] | Mapping[str, Any] | None = (),
    option: str = "--set ",
    folder: Path | None = None,
) -> list[Spec]:
    """Read a spec and check all of it: a spec for each setting of its matrix, or the one that it is without.

    Args:
        source: the YAML file, in which relative paths start at its folder; or the same as a mapping, in which they
            start at the current folder; or a spec that was read already.
        registry: the plugins.
        assignments: values that replace those of the source; see `alharness.spec.sources`. They also win over what
            the source extends and varies.
        option: what messages put before an assignment that is a text.
        folder: where relative paths start, if not at the folder of the file.

    Raises:
        SpecError: everything that is wrong with the file, one line each.
        PluginError: nothing is wrong with it, but plugins are missing or broken.
    """
    changes = sources.changes(assignments, option)
    match source:
        case Spec():
            path, start, file = source.path, source.folder, source.file
        case Mapping():
            path, start, file = None, Path.cwd(), with_bases(sources.of_mapping(source))
        case str() | Path():
            path, start = Path(source), folder_of(Path(source))
            file = with_bases(yamlfile.read(source), path)
        case _:
            raise SpecError(f"spec: expected a path, a name, a mapping or a Spec, but it is {source!r:.60}")
    _require_read(changes)
    file = sources.put_in(file, changes)
    grid = source.grid if isinstance(source, Spec) else ""
    if MATRIX in file.data:
        grid = str(file.data.get("name", ""))
    again = [change for change in changes if sources.split(change.path)[0] not in (MATRIX, "name")]
    found, problems = list[Spec | None](), list[Problem]()
    settings = [sources.put_in(setting, again) for setting in expanded(file, changes)]
    sources.require_used(settings, registry)
    for setting in settings:
        reader = Reader(sources.add_samplers(setting, registry), folder.absolute() if folder else start)
        found.append(_read(reader, registry, path, grid))
        problems += reader.problems
    if problems:
        raise combine(dict.fromkeys(problems))
    return [spec for spec in found if spec is not None]


def _only(found: list[Spec]) -> Spec:
    if len(found) > 1:
        first = found[0]
        raise SpecError(
            f"{first.file.locate((MATRIX,), key=True)}: matrix: {first.grid!r} has {len(found)} settings, and one "
            "is asked for; Spec.load_all reads all of them"
        )
    return found[0]


def _require_read(changes: Iterable[sources.Change]) -> None:
    for change in changes:
        if sources.split(change.path)[0] == "extends":
            raise SpecError(f"{change.place}: extends: what a spec extends is read before; write it in the file")


def _read(reader: Reader, registry: Registry, path: Path | None, grid: str) -> Spec | None:
    """One setting; None if anything is wrong with it, which the reader knows."""
    file = reader.file
    document = reader.document()
    dataset = reader.chosen(("dataset",), registry.dataset)
    model = reader.chosen(("model",), registry.model)
    initial = reader.chosen(("initial",), registry.sampler, file.data.get("initial") or {})
    samplers = file.data.get("samplers")
    count = len(samplers) if isinstance(samplers, list) else 0
    chosen = [reader.chosen(("samplers", index), registry.sampler) for index in range(count)]
    tracking = file.data.get("tracking", {"name": DEFAULT_TRACKER})
    observing = [
        reader.chosen(("tracking", *keys), registry.tracker, choice) for keys, choice in trackers(tracking).items()
    ]
    used = {tracker.name for tracker in observing if tracker}
    for given in registry.extras.given:
        name = given.plugin.name
        if given.kind == "tracker" and name not in used:
            observing.append(reader.chosen(("trackers", name), registry.tracker, {"name": name}))
    if reader.problems:
        return None
    assert document is not None
    assert dataset is not None
    assert model is not None
    return Spec(
        name=document.name,
        path=path,
        folder=reader.folder,
        grid=grid,
        dataset=dataset,
        model=model,
        training=document.training,
        active_learning=document.active_learning,
        initial=None if initial is None or initial.name == RANDOM else initial,
        seeds=_seeds(document.seeds),
        stopping=_stopping(document.seeds),
        samplers=tuple(sampler for sampler in chosen if sampler is not None),
        random=document.random,
        statistics=document.statistics,
        reference=document.reference,
        paper=document.paper,
        limits=document.limits,
        trackers=tuple(tracker for tracker in observing if tracker is not None),
        strict=document.strict,
        file=file,
        extras=registry.extras,
    )


def _seeds(asked: int | list[int] | SeedSettings) -> tuple[int, ...]:
    if isinstance(asked, list):
        return tuple(asked)
    return tuple(range(asked.at_most if isinstance(asked, SeedSettings) else asked))


def _stopping(asked: int | list[int] | SeedSettings) -> Stopping | None:
    if not isinstance(asked, SeedSettings):
        return None
    return Stopping(**asked.model_dump(exclude={"until", "at_most"}))


def resolved_yaml(spec: Spec) -> str:
    """The whole spec with its defaults, as YAML. Credentials in addresses are replaced by `***`."""
    numbered = spec.seeds == tuple(range(len(spec.seeds)))
    seeds: Any = len(spec.seeds) if numbered else list(spec.seeds)
    if spec.stopping:
        seeds = {"until": "decided", "at_most": len(spec.seeds), **asdict(spec.stopping)}
    return hide_credentials(
        write(
            {
                "name": spec.name,
                "dataset": {"name": spec.dataset.name, "params": spec.dataset.plain},
                "model": {"name": spec.model.name, "params": spec.model.plain},
                "training": spec.training.model_dump(),
                "active_learning": spec.active_learning.model_dump(),
                "initial": {"name": spec.initial.name, "params": spec.initial.plain} if spec.initial else None,
                "seeds": seeds,
                "samplers": [{"name": s.name, "label": s.label, "params": s.plain} for s in spec.samplers],
                "random": spec.random.model_dump(),
                "statistics": spec.statistics,
                "reference": spec.reference.model_dump(),
                "paper": spec.paper.model_dump() if spec.paper else None,
                "limits": spec.limits.model_dump(),
                "tracking": [{"name": t.name, "params": t.plain} for t in spec.trackers],
                "strict": spec.strict,
            }
        )
    )
