"""`alharness check --plugin`: the promises of a plugin, by the kit of its kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from alharness import testing
from alharness.api.batch import BatchPlugin
from alharness.errors import PluginError
from alharness.spec.executor import choose
from alharness.text.terminal import safe
from alharness.text.words import counted, did_you_mean, grouped

from .console import PageConsole
from .page import make_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alharness.registry import Registered, Registry
    from alharness.testing import Conformance, Verdict


def check_plugin(name: str, assignments: Sequence[str], installed: Registry) -> None:
    """Run the kit of every plugin of this name, and say what became of each promise.

    Args:
        name: the plugin's.
        assignments: its parameters, as `key=value`.
        installed: the plugins.

    Raises:
        PluginError: there is no such plugin, or it breaks a promise.
        SpecError: a parameter is wrong.
    """
    found = {kind: plugins[name] for kind in testing.KITS if name in (plugins := getattr(installed, f"{kind}s"))}
    if not found:
        known = {name for kind in testing.KITS for name in getattr(installed, f"{kind}s")}
        raise PluginError(
            installed.obstacle(name) or f"no plugin named {name!r} is installed{did_you_mean(name, sorted(known))}"
        )
    broken = [f"{kind} {name}" for kind, registered in found.items() if not _keeps(kind, registered, assignments)]
    if broken:
        raise PluginError(f"the {' and the '.join(broken)} breaks a promise: see above")


def _keeps(kind: str, registered: Registered[Any], assignments: Sequence[str]) -> bool:
    """Whether it keeps all promises, once they were shown."""
    params = choose(registered, list(assignments), f"{kind} {registered.plugin.name}", ("--set ", "params")).params
    given = {name: getattr(params, name) for name in params.model_fields_set}
    verdicts: list[Verdict] = []
    with PageConsole(stderr=True).status("asking it") as status:  # on a terminal
        base = "BatchConformance" if isinstance(registered.plugin, BatchPlugin) else testing.KITS[kind]
        kit = getattr(testing, base).of(registered.plugin, given)
        for verdict in testing.examine(kit):
            verdicts.append(verdict)
            status.update(counted(len(verdicts), "test"))
    origin = f"{registered.distribution} {registered.version}"
    rows = [("kept", _kept(verdicts)), *_taken(kit), *_not_tested(verdicts)]
    click.echo(make_list(f"{kind} {registered.plugin.name} ({origin})", [(a, safe(b)) for a, b in rows]))
    for reason, promises in _broken(registered.plugin.name, verdicts).items():
        for promise, cases in promises.items():
            click.secho(promise, bold=True, nl=False)
            click.echo(f" ({'; '.join(cases)})" if cases else "")
        click.echo(f"    {safe(reason)}\n")
    return all(verdict.status != "failed" for verdict in verdicts)


def _broken(name: str, verdicts: Sequence[Verdict]) -> dict[str, dict[str, Sequence[str]]]:
    """Reason -> each promise that is broken for it -> in which cases; none, if in all that there are."""
    known = rf"^(?:{re.escape(name)}|the sampler)(?: at [^:]*?)?(?:, cycle \d+)?: |, in cycle \d+$"
    failed = [(re.sub(known, "", v.reason), v) for v in verdicts if v.status == "failed"]
    tried = Counter(verdict.promise for verdict in verdicts)
    return {
        reason: {
            promise: cases if len(cases) < tried[promise] else ()
            for promise, cases in grouped((v.promise, v.case) for v in broken).items()
        }
        for reason, broken in grouped(failed).items()
    }


def _kept(verdicts: Sequence[Verdict]) -> str:
    """How many promises are."""
    tests = {verdict.test for verdict in verdicts}
    kept = {verdict.test for verdict in verdicts if verdict.status == "passed"}
    kept -= {verdict.test for verdict in verdicts if verdict.status == "failed"}
    runs = counted(sum(verdict.status != "skipped" for verdict in verdicts), "test")
    return f"{len(kept)} of {counted(len(tests), 'promise')}, in {runs}"


def _not_tested(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, str]]:
    """What cannot be said here, each with its reason, for all arguments at once."""
    reasons = {verdict.promise: verdict.reason for verdict in verdicts if verdict.status == "skipped"}
    return (("not tested", f"{promise}: {reason}") for promise, reason in reasons.items())


def _taken(kit: type[Conformance]) -> Iterator[tuple[str, str]]:
    """What was found out, and not promised."""
    for name, value in kit().supposed().items():
        if not isinstance(value, Mapping):  # other parameters, which are no finding
            yield (
                name.replace("_", " "),
                str(value).lower() if isinstance(value, bool) else ", ".join(sorted(value)),
            )
