"""One entry point at a time: import it, register its hooks, and check what they return."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pluggy

from alharness.api import hooks
from alharness.api.dataset import DatasetPlugin
from alharness.api.executor import ExecutorPlugin
from alharness.api.make import Imported, require_params
from alharness.api.model import ModelPlugin
from alharness.api.sampler import SamplerPlugin
from alharness.api.tracker import TrackerPlugin
from alharness.api.vocabulary import Feature, Task
from alharness.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

KINDS: dict[str, type[Any]] = {
    "sampler": SamplerPlugin,
    "model": ModelPlugin,
    "dataset": DatasetPlugin,
    "tracker": TrackerPlugin,
    "executor": ExecutorPlugin,
}
HOOKS = [name for name in vars(hooks) if name.startswith(f"{hooks.NAMESPACE}_")]
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Names of specs and of samplers in them: safe as a folder's."""
PLUGIN = r"^(?=.{1,64}$)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$"
"""Names of plugins: `name`, or `family/name`."""


def misnamed(name: str, *, plugin: bool = False) -> str:
    """What is wrong with a name, and one that is near and may be used; empty if nothing is.

    Args:
        name: of a spec, of a sampler in it, or of a plugin.
        plugin: it is a plugin's, and may have a family.
    """
    if re.match(PLUGIN if plugin else NAME, name) and not name.endswith("\n"):
        return ""
    from unicodedata import normalize

    plain = normalize("NFKD", name).encode("ascii", "ignore").decode()  # é as e
    parts = plain.split("/", 1) if plugin else [plain]
    near = "/".join(filter(None, (re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip("._-") for part in parts)))[:64]
    rule = "a name is 1 to 64 letters (A to Z), digits, '.', '_' and '-', the first a letter or a digit"
    family = "; a plugin's may begin with a family and '/'" if plugin else ""
    return f"{rule}{family}; did you mean {near!r}?" if near else f"{rule}{family}"


def called(name: str) -> str:
    """What a plugin is called in tables and folders, unless a spec says something else: `family-name`."""
    return name.replace("/", "-")


def make_manager() -> pluggy.PluginManager:
    """A plugin manager that knows the hooks and has no plugin yet."""
    manager = pluggy.PluginManager(hooks.NAMESPACE)
    manager.add_hookspecs(hooks)
    return manager


def origin(entry_point: EntryPoint) -> tuple[str, str]:
    """Name and version of its distribution."""
    return describe(entry_point.dist)


@cache  # the metadata of a distribution, its readme with them, are read and parsed at every access
def describe(distribution: Distribution | None) -> tuple[str, str]:
    """Name and version of a distribution."""
    try:
        assert distribution is not None
        metadata = distribution.metadata
        return str(metadata["Name"]), str(metadata["Version"])
    except Exception:  # noqa: BLE001  what damaged metadata raises differs between Python versions
        return "unknown distribution", "?"


def offered(manager: pluggy.PluginManager, entry_point: EntryPoint) -> list[tuple[str, Any]]:
    """The (kind, plugin) pairs of this entry point, which stays registered only when all of them are sound.

    Raises:
        PluginError: it breaks the contract; and whatever its own code raises.
    """
    module = entry_point.load()
    if manager.is_registered(module):
        raise PluginError("another entry point leads to the same module already")
    return collected(manager, module, f"{entry_point.name} of {' '.join(origin(entry_point))}")


def collected(manager: pluggy.PluginManager, module: object, name: str) -> list[tuple[str, Any]]:
    """Register the hooks of a module; the (kind, plugin) pairs that they offer. Raises as `offered`."""
    register(manager, module, name)
    try:
        return [
            (kind, checked(plugin, kind))
            for kind in KINDS
            for implementation in getattr(manager.hook, f"alharness_{kind}s").get_hookimpls()
            if implementation.plugin is module
            for plugin in _listed(implementation.function(), kind)
        ]
    except BaseException:
        manager.unregister(module)
        raise


def register(manager: pluggy.PluginManager, plugin: object, name: str | None = None) -> None:
    """Register the hooks of a module or an object. Raises PluginError: it has none, or an unknown one."""
    known = f"the hooks are {', '.join(sorted(HOOKS))}"
    problem = f"it has no hook; decorate one with alharness.hookimpl; {known}"
    try:
        manager.register(plugin, name)
        manager.check_pending()
        if manager.get_hookcallers(plugin):
            return
    except pluggy.PluginValidationError as error:
        problem = _unknown_arguments(plugin) or f"{str(error).partition(' in plugin ')[0]}; {known}"
    if manager.is_registered(plugin):
        manager.unregister(plugin)
    raise PluginError(problem)


def _unknown_arguments(plugin: object) -> str:
    """Which hook asks for an argument that it does not get, if one does; pluggy says so in four lines."""
    for name in HOOKS:
        hook: Any = getattr(plugin, name, None)
        if not hasattr(hook, f"{hooks.NAMESPACE}_impl"):
            continue
        wanted = [
            argument.name
            for argument in inspect.signature(hook).parameters.values()
            if argument.kind is argument.POSITIONAL_OR_KEYWORD and argument.default is argument.empty
        ]
        known = [*inspect.signature(getattr(hooks, name)).parameters]
        if unknown := [argument for argument in wanted if argument not in known]:
            offer = f"it may take {', '.join(known)}" if known else "it takes none"
            return f"the hook {name} has no argument {', '.join(unknown)}; {offer}"
    return ""


def _listed(plugins: Any, kind: str) -> list[Any]:
    if not isinstance(plugins, list):
        expected = f"a list of {KINDS[kind].__name__}"
        raise PluginError(f"alharness_{kind}s returned {type(plugins).__name__}, not {expected}")
    return plugins


def checked(plugin: Any, kind: str) -> Any:
    """The plugin, if it keeps to the contract. Raises PluginError."""
    expected = KINDS[kind]
    if not isinstance(plugin, expected):
        raise PluginError(f"alharness_{kind}s listed a {type(plugin).__name__}, not a {expected.__name__}")
    if not isinstance(plugin.name, str) or misnamed(plugin.name, plugin=True):
        what = misnamed(str(plugin.name), plugin=True)
        raise PluginError(f"the {kind} name {plugin.name!r:.80} cannot be used: {what}")
    if not isinstance(given := vars(plugin)["params"], Imported):
        require_params(given, f"the {kind} {plugin.name!r}")
    vocabularies: dict[str, Any] = {"requires": Feature, "provides": Feature, "tasks": Task}
    for attribute, vocabulary in vocabularies.items():
        words = getattr(plugin, attribute, ())
        for word in () if callable(words) else words:  # what a function says is known with the params only
            if word not in list(vocabulary):
                raise PluginError(
                    f"{attribute} of the {kind} {plugin.name!r} has {word!r}; it may have {', '.join(vocabulary)}"
                )
    return plugin
