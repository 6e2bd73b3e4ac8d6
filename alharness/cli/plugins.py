"""`alharness plugins`: what is installed, from where, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from alharness import registry
from alharness.errors import PluginError
from alharness.text.terminal import plain, safe
from alharness.text.words import command_line, did_you_mean

from .options import include_option, load_plugins
from .page import make_console, make_list, make_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from alharness.registry import Registered, Registry

KINDS = ("sampler", "model", "dataset", "tracker", "executor")


@click.command
@click.argument("name", required=False)
@include_option
def plugins(name: str | None, include: tuple[Path, ...]) -> None:
    """List what is installed: samplers, models, data sets, trackers, executors; with NAME, describe one of them.

    NAME may be a family, the part of names before a /: its members are listed.

    \b
        alharness plugins
        alharness plugins late_fusion
        alharness plugins skactiveml
        alharness plugins --include my_sampler.py

    The variable ALHARNESS_PLUGINS, a list with commas, loads only those entry points and alharness's own.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    installed = load_plugins(include)
    kinds: dict[str, Mapping[str, Registered[Any]]] = {kind: getattr(installed, f"{kind}s") for kind in KINDS}
    if name is None:
        _print_all(installed, kinds)
        return
    found = [(kind, known[name]) for kind, known in kinds.items() if name in known]
    kin = {kind: {n: known[n] for n in known if n.startswith(f"{name}/")} for kind, known in kinds.items()}
    if not found and any(kin.values()):
        _print_lists({kind: known for kind, known in kin.items() if known})
        click.echo(f"More on one of them: {command_line('plugins', f'{name}/NAME')}")
        return
    if not found:
        near = did_you_mean(name, sorted(name for known in kinds.values() for name in known))
        raise PluginError(installed.obstacle(name) or f"no plugin named {name!r} is installed{near}")
    page = make_console()
    for kind, registered in found:
        _print_one(page, kind, registered)


def _print_all(installed: Registry, kinds: Mapping[str, Mapping[str, Registered[Any]]]) -> None:
    _print_lists(kinds)
    wrong = [(b.entry_point, f"broken: {safe(b.reason)} ({b.distribution} {b.version})") for b in installed.broken]
    wrong += [
        (c.name, f"clash: more than one {c.kind} of this name ({', '.join(c.origins)})") for c in installed.clashes
    ]
    if wrong:
        click.echo(make_list("cannot be used", wrong))
    if installed.left_out:
        click.echo(plain(f"left out by {registry.ONLY}: {', '.join(installed.left_out)}\n"))
    click.echo(f"More on one of them: {command_line('plugins', 'NAME')}")


def _print_lists(kinds: Mapping[str, Mapping[str, Registered[Any]]]) -> None:
    for kind, known in kinds.items():
        texts = {name: f"{known[name].plugin.summary} ({_origin(known[name])})".lstrip() for name in sorted(known)}
        click.echo(make_list(f"{kind}s", texts.items()))


def _origin(registered: Registered[Any]) -> str:
    return f"{registered.distribution} {registered.version}"


def _print_one(page: Console, kind: str, registered: Registered[Any]) -> None:
    from alharness.spec.schema import describe

    plugin = registered.plugin
    facts = {"from": registered.origin.replace("==", " "), "summary": plugin.summary}
    facts |= {name: _words(plugin, name) for name in ("tasks", "requires", "provides") if hasattr(plugin, name)}
    facts |= {name: text for name in ("inputs", "reference", "license") if (text := getattr(plugin, name, ""))}
    page.print(make_table((kind, plugin.name), facts.items()))
    if rows := describe(plugin.params):
        page.print(make_table(("parameter", "type", "default", "description"), rows))
    else:
        page.print("It has no parameters.")


def _words(plugin: Any, attribute: str) -> str:
    words = getattr(plugin, attribute)
    if not callable(words):
        return ", ".join(sorted(words)) or "nothing"
    try:
        found = ", ".join(sorted(words(plugin.params()))) or "nothing"
    except ValidationError:
        return "depends on its parameters"
    return f"{found}; depends on its parameters"
