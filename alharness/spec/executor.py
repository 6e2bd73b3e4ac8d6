"""The executor of a call, with its parameters: no part of a spec, since no result depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness.errors import SpecError

from .chosen import Chosen, Reader
from .problems import combine
from .sources import changes, put_in
from .yamlfile import Place, YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alharness.api.executor import ExecutorPlugin
    from alharness.registry import P, Registered, Registry


def choose_executor(
    name: str, params: Sequence[str] | Mapping[str, Any] | None, registry: Registry
) -> Chosen[ExecutorPlugin]:
    """The executor of this name.

    Args:
        name: the executor's.
        params: its parameters: texts `key=value`, whose values are YAML, or a mapping. Paths start at the current
            folder.
        registry: the plugins.

    Raises:
        SpecError: a parameter is wrong.
        PluginError: there is no such executor, or it is broken.
    """
    if not isinstance(name, str):
        raise SpecError(f"executor: expected a name, such as 'processes', but it is {name!r:.60}")
    if not isinstance(params, Mapping | list | tuple | None):
        raise SpecError(f"executor_params: expected a mapping of keys to values, but it is {params!r:.60}")
    return choose(registry.executor(name), params, f"executor {name}", ("-x ", "executor_params"))


def choose(
    registered: Registered[P],
    params: Iterable[str] | Mapping[str, Any] | None,
    what: str,
    words: tuple[str, str] = ("", "params"),
) -> Chosen[P]:
    """A plugin with parameters from outside a spec.

    Args:
        registered: the plugin.
        params: its parameters: texts `key=value`, whose values are YAML, or a mapping.
        what: it is, for messages.
        words: what messages put before a text, and what they call a mapping.

    Raises:
        SpecError: a parameter is wrong.
    """
    name = registered.plugin.name
    given = [change._replace(path=f"params.{change.path}") for change in changes(params, *words)]
    file = put_in(YamlFile({"name": name, "params": {}}, {(): Place(what)}, {}), given, spec=False)
    reader = Reader(file, Path.cwd())
    chosen = reader.chosen((), lambda _: registered)
    if chosen is None:
        raise combine(reader.problems)
    return chosen


def is_batch(chosen: Chosen[ExecutorPlugin] | None) -> bool:
    """Whether it is a batch system, so that nothing is computed by processes of this call."""
    from alharness.api.batch import BatchPlugin

    return chosen is not None and isinstance(chosen.plugin, BatchPlugin)
