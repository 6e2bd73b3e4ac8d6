"""Plugins of one call next to the installed ones: included files, and objects of the caller's program."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness.api.make import Imported
from alharness.errors import PluginError, blaming, described
from alharness.text.words import several

from .discovery import checked

if TYPE_CHECKING:
    from .included import IncludedFile


@dataclass(frozen=True, kw_only=True)
class Given:
    """A plugin that is an object of the caller's program.

    Attributes:
        kind: `sampler`, `model`, `dataset` or `tracker`.
        plugin: the plugin.
        origin: class or function that it was made from, with its module.
        version: hash of its code and of what it holds.
    """

    kind: str
    plugin: Any
    origin: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Extras:
    """Plugins of one call; can be sent to other processes, which then know the same plugins.

    Attributes:
        files: included files. They come first: what follows may be of their classes.
        given: objects.
    """

    files: tuple[IncludedFile, ...] = ()
    given: tuple[Given, ...] = ()

    @classmethod
    def collect(cls, *, include: str | Path | Iterable[str | Path] | None = (), **objects: Any) -> Extras:
        """Read files, and make plugins of objects.

        Args:
            include: files with plugins.
            objects: `samplers`, `models`, `datasets`, `trackers`: each a mapping of names to objects, or several
                objects, or one; see `EXPECTED` in `registry.objects`.

        Raises:
            PluginError: a file or an object offers no plugin, or cannot be sent to another process.
        """
        paths = dict.fromkeys(map(Path, several(include, "include")))
        return cls(
            files=tuple(map(_read, paths)),
            given=tuple(
                _given(kinds.removesuffix("s"), name, thing)
                for kinds, things in objects.items()
                for name, thing in _named(things)
            ),
        )

    def __add__(self, other: Extras) -> Extras:
        """Both; what is in both alike is there once."""
        known = {(given.kind, given.plugin.name, given.version) for given in self.given}
        more = [given for given in other.given if (given.kind, given.plugin.name, given.version) not in known]
        return Extras(files=tuple(dict.fromkeys([*self.files, *other.files])), given=(*self.given, *more))

    def without(self, kind: str) -> Extras:
        """The same for processes that need no objects of this kind: arrays are large, trackers hold files open."""
        return replace(self, given=tuple(given for given in self.given if given.kind != kind))


# Most calls have neither files nor objects, and commands start without what reads them.


def _read(path: Path) -> IncludedFile:
    from .included import IncludedFile

    return IncludedFile.read(path)


def _named(things: Any) -> Iterable[tuple[str | None, Any]]:
    if isinstance(things, Mapping):
        return things.items()
    several = things if isinstance(things, list | tuple | set | frozenset) else [things]
    return [(None, thing) for thing in several if thing is not None]


def _given(kind: str, name: str | None, thing: Any) -> Given:
    from .identity import identify
    from .objects import adapt

    with blaming(f"{kind}s{'' if name is None else f'[{name!r}]'}", PluginError):
        plugin = checked(adapt(kind, thing, name), kind)
        if kind in ("sampler", "model"):
            _require_sendable(plugin)
    # The class or function that it comes from, with its module.
    source = thing if isinstance(thing, type) else getattr(thing, "make", type(thing))
    module, named = getattr(source, "__module__", ""), getattr(source, "__qualname__", type(thing).__name__)
    origin = source.path if isinstance(source, Imported) else f"{module}.{named}"
    return Given(kind=kind, plugin=plugin, origin=origin, version=identify(thing))


def _require_sendable(plugin: Any) -> None:
    """Have its code sent as it is known here: a file that was edited after its import holds other code.

    Raises:
        PluginError: it cannot be sent.
    """
    import cloudpickle

    from .identity import modules_of
    from .sending import dumps

    known = cloudpickle.list_registry_pickle_by_value()
    for name in modules_of(plugin) - known - {"__main__"}:
        if name in sys.modules:
            cloudpickle.register_pickle_by_value(sys.modules[name])
    try:
        plugin.params.model_rebuild()  # pydantic before 2.14.4 cannot unpickle one that was not built
        dumps(plugin)
    except Exception as error:
        raise PluginError(
            f"it cannot be sent to another process, in which samplers and models run ({described(error)}); leave "
            "out what cannot be pickled, such as open files and locks"
        ) from error
