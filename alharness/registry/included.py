"""A plugin in one file: its module, and what it offers."""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from alharness.api.make import Imported
from alharness.errors import PluginError, described

from .discovery import KINDS, collected
from .objects import adapt, kind_of

if TYPE_CHECKING:
    from pathlib import Path

    import pluggy

HOOKS = "alharness_"


@dataclass(frozen=True)
class IncludedFile:
    """A file as it was when it was included. Another process that receives it imports the same text.

    Attributes:
        path: the file.
        content: its bytes.
    """

    path: Path
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> IncludedFile:
        """Read and import a file. Raises PluginError: there is none, or it raises an exception."""
        try:
            found = cls(path.absolute(), path.read_bytes())
        except OSError as error:
            what = (
                "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
            )
            hint = "; include the file itself" if path.is_dir() else ""
            raise PluginError(f"{path}: {what}{hint}") from None
        except ValueError as error:  # no path at all: a zero in it
            raise PluginError(f"{str(path)!r}: is no path: {error}") from None
        found.module()
        return found

    @property
    def name(self) -> str:
        """What messages call it: the file's name."""
        return self.path.name

    @property
    def version(self) -> str:
        """Hash of the content: an edited file is another version."""
        return hashlib.sha256(self.content).hexdigest()[:12]

    def module(self) -> ModuleType:
        """The file as a module, imported once for the same content.

        Raises:
            PluginError: it raises an exception; with the line.
        """
        name = f"_alharness_included_{self.version}_{self.path.stem}"
        if name in sys.modules:
            return sys.modules[name]
        module = ModuleType(name)
        module.__file__ = str(self.path)
        sys.modules[name] = module  # dataclasses and pickle look their module up while it is imported
        try:
            exec(compile(self.content, str(self.path), "exec"), vars(module))  # noqa: S102 - what including means
        except BaseException as error:
            del sys.modules[name]
            if isinstance(error, KeyboardInterrupt):
                raise
            place = f"{self.path}:{_line(error, self.path)}"
            raise PluginError(f"{place}: {described(error)}{_hint(error, self.path)}") from error
        return module

    def plugins(self, manager: pluggy.PluginManager) -> list[tuple[str, Any]]:
        """The (kind, plugin) pairs that its hooks offer; without hooks, those of what it defines.

        Raises:
            PluginError: a hook is not marked as one, or it offers nothing.
        """
        named = {name: value for name, value in vars(self.module()).items() if name.startswith(HOOKS)}
        for name, value in named.items():
            if inspect.isfunction(value) and not hasattr(value, f"{HOOKS}impl"):
                raise PluginError(f"{name} is not a hook; decorate it with @alharness.hookimpl")
        found = collected(manager, self.module(), self.name) if named else self._defined()
        return [(kind, self._made_here(plugin)) for kind, plugin in found]

    def _defined(self) -> list[tuple[str, Any]]:
        """Its samplers, models, data sets, trackers and plugins."""
        module = self.module()
        found: list[tuple[str, Any]] = []
        for name, value in vars(module).items():
            if name.startswith("_") or (inspect.isclass(value) and value.__module__ != module.__name__):
                continue
            if (kind := kind_of(value)) and not inspect.isabstract(value):
                found.append((kind, adapt(kind, value, None if isinstance(value, KINDS[kind]) else name)))
        if not found:
            raise PluginError(
                "offers nothing; define a subclass of alharness.Sampler, or a hook such as alharness_samplers"
            )
        return found

    def _made_here(self, plugin: Any) -> Any:
        """The plugin; `make="my_file:Class"` in my_file.py means this file, which is a module of another name."""
        make = plugin.make
        if isinstance(make, Imported) and make.path.partition(":")[0] == self.path.stem:
            return replace(plugin, make=make.found_in(self.module()))
        return plugin

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self.path, self.content)


def _arrived(path: Path, content: bytes) -> IncludedFile:
    """Import it at once, so that what follows in the same message may be of its classes."""
    found = IncludedFile(path, content)
    found.module()
    return found


def _hint(error: BaseException, path: Path) -> str:
    """What to do if a missing module is a file next to the included one: no other file is included with it."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if not name or not path.with_name(f"{name}.py").exists():
        return ""
    return f"; {name}.py is next to it, but is not included with it: put both into one file, or into a package"


def _line(error: BaseException, path: Path) -> int:
    """The last line of the file that was at work when it was raised."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return (lines[-1] if lines else 1) or 1
