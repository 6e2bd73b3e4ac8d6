"""The work of a run as it travels to workers, wherever they are."""

from __future__ import annotations

import pickle
import platform
import socket
import sys
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from typing import TYPE_CHECKING, Any

from alharness.api.executor import At, Begun, Done, Refused, Work
from alharness.errors import described, trace_of
from alharness.registry.sending import pack
from alharness.text.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.executor import Group, Message
    from alharness.spec import Chosen, Spec

    from .driver import Driver
    from .messages import Blueprint
    from .sharing import Shared

COMPARED = ("alharness", "torch", "numpy")
"""Distributions that workers must have in the same version, in addition to those of the plugins that are used."""


class Parcel(Work):
    """See `alharness.api.executor.Work`. Nothing in it is unpickled before versions were compared.

    Args:
        blueprint: what cells are computed with.
        dataset: the data set as the model wants it.
        versions: those that workers must have; see `needed`.

    Raises:
        PluginError: the parameters of a plugin cannot be sent.
    """

    def __init__(self, blueprint: Blueprint, dataset: Shared, versions: Mapping[str, str]) -> None:
        self.arrays = dataset.arrays
        self._content = pack((blueprint, dataset))
        self._versions = versions
        self._refusal = ""
        self._driver: Driver | None = None

    def begin(self, arrays: Sequence[NDArray[Any]] | None = None, *, threads: int | None = None) -> None:
        """See there."""
        host = socket.gethostname()
        try:
            if different := differences(self._versions, versions(self._versions)):
                self._refusal = f"{host} has {', '.join(different)}; the same versions are needed on every machine"
            else:
                self._load(arrays, threads)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is reported
            sys.stderr.write(redact(trace_of(error)))
            sys.stderr.flush()
            self._refusal = f"{host}: {described(error)}"

    def __call__(self, group: Group) -> Iterator[Message]:
        """See there."""
        if self._refusal:
            yield Refused(text=self._refusal)
            return
        if self._driver is None:
            raise RuntimeError("the worker has not begun: call work.begin()")
        yield Begun()
        before = None
        for message in chain(self._driver.drive(group), [At(cell=None)]):
            if isinstance(message, At):
                if message.cell == before:
                    continue
                before = message.cell
            yield message
        yield Done()

    def _load(self, arrays: Sequence[NDArray[Any]] | None, threads: int | None) -> None:
        import torch

        from alharness import registry

        from .driver import Driver

        if threads is not None:
            torch.set_num_threads(threads)
        blueprint, dataset = pickle.loads(self._content)  # noqa: S301 - of the process that sent this
        installed = registry.load(extras=blueprint.extras)
        self._driver = Driver(blueprint, installed, lambda: dataset.open(arrays))


def needed(spec: Spec) -> dict[str, str]:
    """What must be installed elsewhere, too: Python, and what a run depends on -> the version that is here.

    Plugins that are files or objects travel with the work.
    """
    used: list[Chosen[Any]] = [spec.dataset, spec.model, *spec.samplers, *([spec.initial] if spec.initial else [])]
    return needed_with({name for at in used for name in (at.registered.distribution, *at.registered.libraries)})


def needed_with(distributions: Collection[str]) -> dict[str, str]:
    """The same, of what depends on these distributions of plugins."""
    found = versions([*COMPARED, *sorted(distributions)])
    return {name: version for name, version in found.items() if version}


def versions(distributions: Collection[str]) -> dict[str, str]:
    """Of Python and of distributions, as they are installed here; empty for one that is not."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in distributions:
        if name not in found:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = ""
    return found


def differences(needed: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """What differs, in words that follow "has"."""
    return [
        f"{name} {found[name]} instead of {version}" if found[name] else f"no {name} ({version} is needed)"
        for name, version in needed.items()
        if found[name] != version
    ]
