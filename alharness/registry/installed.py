"""The installed plugins: who offers what, from which distribution, and what is broken or clashes and why.

A loader of its own over pluggy's public interface, because pluggy alone keeps one of two entry points of the same
name silently, lets one plugin that raises end the program, and leaves a misspelt hook silent.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, PackageNotFoundError, distributions, version
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from alharness.api.dataset import DatasetPlugin
from alharness.api.executor import ExecutorPlugin
from alharness.api.hooks import NAMESPACE
from alharness.api.model import ModelPlugin
from alharness.api.sampler import SamplerPlugin
from alharness.api.tracker import TrackerPlugin
from alharness.errors import PluginError, blaming, described, text_of
from alharness.text.redaction import redact
from alharness.text.words import did_you_mean, grouped

from .discovery import KINDS, describe, make_manager, offered, origin, register
from .extras import Extras

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import pluggy

P = TypeVar("P", SamplerPlugin, ModelPlugin, DatasetPlugin, TrackerPlugin, ExecutorPlugin)

ONLY = "ALHARNESS_PLUGINS"
"""Environment variable: entry points to load, separated by commas, in addition to those of alharness itself."""


@dataclass(frozen=True, kw_only=True)
class Registered(Generic[P]):
    """A plugin and its distribution."""

    plugin: P
    distribution: str
    version: str
    entry_point: str

    @property
    def origin(self) -> str:
        """`distribution==version`, and that of the library that it adapts: `adapter==0.1, library==1.0`."""
        return self._of(self.distribution)

    @property
    def identity(self) -> str:
        """What runs know it by: its origin, or what that was before the plugin moved between distributions."""
        return self._of(getattr(self.plugin, "formerly", "") or self.distribution)

    @property
    def libraries(self) -> tuple[str, ...]:
        """The library that it adapts, if it adapts one."""
        adapted = getattr(self.plugin, "adapts", "")
        return (adapted,) if adapted else ()

    def _of(self, distribution: str) -> str:
        return ", ".join([f"{distribution}=={self.version}", *(f"{n}=={_version(n)}" for n in self.libraries)])


def _listing(asked: str, known: Iterable[str]) -> Iterator[str]:
    """Known names; those of a family one by one only if this family is asked for."""
    for (family, slash), names in grouped((name.partition("/")[:2], name) for name in sorted(known)).items():
        if slash and len(names) > 1 and family != asked.partition("/")[0]:
            yield f"{len(names)} of {family}/"
        else:
            yield from names


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "none"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """An entry point that could not be used, and why."""

    entry_point: str
    distribution: str
    version: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A name that more than one plugin of a kind offers; none of them can be used."""

    kind: str
    name: str
    origins: tuple[str, ...]

    def __str__(self) -> str:
        return f"the {self.kind} {self.name!r} is offered by {' and by '.join(self.origins)}"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """What is installed.

    Attributes:
        samplers: name -> plugin.
        models: name -> plugin.
        datasets: name -> plugin.
        trackers: name -> plugin.
        executors: name -> plugin.
        broken: entry points that could not be used.
        clashes: names offered more than once.
        left_out: entry points that `ALHARNESS_PLUGINS` does not list.
        extras: plugins of this call that are not installed.
        manager: calls the observer hooks.
    """

    samplers: Mapping[str, Registered[SamplerPlugin]]
    models: Mapping[str, Registered[ModelPlugin]]
    datasets: Mapping[str, Registered[DatasetPlugin]]
    trackers: Mapping[str, Registered[TrackerPlugin]] = field(default_factory=dict)
    executors: Mapping[str, Registered[ExecutorPlugin]] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()
    clashes: tuple[Clash, ...] = ()
    left_out: tuple[str, ...] = ()
    extras: Extras = field(default_factory=Extras, repr=False)
    manager: pluggy.PluginManager = field(default_factory=make_manager, repr=False)

    def sampler(self, name: str) -> Registered[SamplerPlugin]:
        """The sampler of this name. Raises PluginError if it is missing, broken or offered twice."""
        return self._find("sampler", self.samplers, name)

    def model(self, name: str) -> Registered[ModelPlugin]:
        """The model of this name. Raises PluginError if it is missing, broken or offered twice."""
        return self._find("model", self.models, name)

    def dataset(self, name: str) -> Registered[DatasetPlugin]:
        """The data set of this name. Raises PluginError if it is missing, broken or offered twice."""
        return self._find("dataset", self.datasets, name)

    def tracker(self, name: str) -> Registered[TrackerPlugin]:
        """The tracker of this name. Raises PluginError if it is missing, broken or offered twice."""
        return self._find("tracker", self.trackers, name)

    def executor(self, name: str) -> Registered[ExecutorPlugin]:
        """The executor of this name. Raises PluginError if it is missing, broken or offered twice."""
        return self._find("executor", self.executors, name)

    @property
    def hook(self) -> pluggy.HookRelay:
        """Calls a hook of all plugins and observers: `registry.hook.alharness_run_started(run=run)`."""
        return self.manager.hook

    def register(self, observer: object) -> None:
        """Let this object's hooks see the run as well. Raises PluginError if it has none, or a misspelt one."""
        register(self.manager, observer)

    def _find(self, kind: str, known: Mapping[str, Registered[P]], name: str) -> Registered[P]:
        if name in known:
            return known[name]
        reason = self.obstacle(name, kind) or (
            f"no {kind} named {name[:80]!r} is installed{did_you_mean(name, known) or ';'} "
            f"installed: {', '.join(_listing(name, known)) or 'none'}"
        )
        raise PluginError(reason)

    def obstacle(self, name: str, kind: str = "plugin") -> str:
        """What keeps a plugin from being used, and what to do; empty if nothing is known of it.

        Args:
            name: the plugin's.
            kind: of the plugin; by default any.
        """
        for clash in self.clashes:
            if clash.name == name and kind in (clash.kind, "plugin"):
                return f"{clash}; uninstall one, or list the plugins you want in {ONLY}"
        from . import elsewhere  # only what is wrong needs it

        where = elsewhere.find(name)
        entry_points = {name} if where is None else {name, where.entry_point}
        for broken in self.broken:
            if broken.entry_point in entry_points:
                return (
                    f"the {kind} {name!r} cannot be used, because the plugin {broken.entry_point!r} of "
                    f"{broken.distribution} {broken.version} is broken: {broken.reason}"
                )
        if left_out := entry_points.intersection(self.left_out):
            return f"the plugin {left_out.pop()!r} is installed, but left out: {ONLY} does not list it"
        return f"the {kind} {name!r} {where.advice}" if where and not where.installed else ""


def load(
    available: Iterable[EntryPoint] | None = None,
    only: Collection[str] | None = None,
    *,
    extras: Extras | None = None,
) -> Registry:
    """Import the entry points of the group `alharness` and collect what they offer.

    A plugin that cannot be used is remembered with its reason and disturbs no other.

    Args:
        available: entry points; by default those of the installed distributions.
        only: names of those to load with alharness's own; by default the list in `ALHARNESS_PLUGINS`, if any.
        extras: plugins that are not installed.

    Raises:
        PluginError: `only` names an entry point that is not there, or an extra cannot be used.
    """
    found = sorted(
        _entry_points() if available is None else available,
        key=lambda entry_point: (entry_point.name, origin(entry_point)),
    )
    kept = _keep(found, _listed() if only is None else only)
    manager = make_manager()
    offers: dict[tuple[str, str], list[Registered[Any]]] = {}
    broken: list[Broken] = []
    for entry_point in kept:
        source = dict(zip(("distribution", "version"), origin(entry_point), strict=True))
        source["entry_point"] = entry_point.name
        try:
            for kind, plugin in offered(manager, entry_point):
                offers.setdefault((kind, plugin.name), []).append(Registered(plugin=plugin, **source))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  whatever a plugin does, the others keep working
            broken.append(Broken(**source, reason=_one_line(error)))
    extras = extras or Extras()
    for kind, extra in _extra(extras, manager):
        if taken := offers.get((kind, extra.plugin.name)):
            raise PluginError(
                f"the {kind} {extra.plugin.name!r} of {extra.distribution} has the name of one of "
                f"{taken[0].distribution} {taken[0].version}; give it another name"
                + (f': {kind}s={{"name": ...}}' if extra.entry_point == extra.distribution else "")
            )
        offers[kind, extra.plugin.name] = [extra]
    usable: dict[str, dict[str, Registered[Any]]] = {f"{kind}s": {} for kind in KINDS}
    clashes: list[Clash] = []
    for (kind, name), registered in offers.items():
        if len(registered) == 1:
            usable[f"{kind}s"][name] = registered[0]
        else:
            origins = tuple(f"{r.distribution} {r.version}" for r in registered)
            clashes.append(Clash(kind=kind, name=name, origins=origins))
    return Registry(
        **usable,
        broken=tuple(broken),
        clashes=tuple(clashes),
        left_out=tuple(entry_point.name for entry_point in found if entry_point not in kept),
        extras=extras,
        manager=manager,
    )


def _entry_points() -> Iterator[EntryPoint]:
    """Those of the group; of two distributions of one name, those of the first on the path.

    `importlib.metadata.entry_points` parses all entry points of all distributions: 2 % of the time of a start.
    """
    known: set[str] = set()
    for distribution in distributions():
        if f"[{NAMESPACE}]" in (distribution.read_text("entry_points.txt") or ""):
            name, _ = describe(distribution)
            if name not in known:
                yield from distribution.entry_points.select(group=NAMESPACE)
            known.add(name)


def _extra(extras: Extras, manager: pluggy.PluginManager) -> Iterator[tuple[str, Registered[Any]]]:
    """The plugins of files and objects. Raises PluginError if a file cannot be used: it was asked for."""
    for file in extras.files:
        with blaming(str(file.path), PluginError):
            plugins = file.plugins(manager)
        about = {"distribution": file.name, "version": file.version, "entry_point": str(file.path)}
        yield from ((kind, Registered(plugin=plugin, **about)) for kind, plugin in plugins)
    for given in extras.given:
        about = {"distribution": given.origin, "version": given.version, "entry_point": given.origin}
        yield given.kind, Registered(plugin=given.plugin, **about)


def _listed() -> list[str] | None:
    listed = os.environ.get(ONLY)
    return None if listed is None else [name.strip() for name in listed.split(",") if name.strip()]


def _keep(found: list[EntryPoint], only: Collection[str] | None) -> list[EntryPoint]:
    if only is None:
        return found
    known = [entry_point.name for entry_point in found]
    for name in only:
        if name not in known:
            near = did_you_mean(name, known) or f"; installed: {', '.join(known)}"
            raise PluginError(f"{ONLY} lists {name!r}, which is not installed{near}")
    return [e for e in found if e.name in only or origin(e)[0] == NAMESPACE]


def _one_line(error: BaseException) -> str:
    text = text_of(error) if isinstance(error, PluginError) else described(error)
    return redact(" ".join(text.split()))[:300]
