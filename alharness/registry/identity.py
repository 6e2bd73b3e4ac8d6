"""What an object of the caller's program is known by: a hash of its code and of what it holds.

The same class in another process, or in a notebook that was started again, has the same hash; one that computes
something else has another. Comments and line numbers do not count. Installed libraries count by their names: their
versions are kept elsewhere.
"""

from __future__ import annotations

import dis
import enum
import hashlib
import inspect
import sys
import sysconfig
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

from alharness.api.dataset import Dataset
from alharness.api.make import Imported

from .sending import Cached

PLAIN = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis), range, slice)
LIBRARIES = frozenset({"site-packages", "dist-packages"})
STANDARD = Path(sysconfig.get_path("stdlib"))


def identify(thing: Any) -> str:
    """The first 12 digits of the hash."""
    return hashlib.sha256(_Reader().text(thing).encode()).hexdigest()[:12]


def modules_of(thing: Any) -> set[str]:
    """The modules that hold its code, of those that may change without a new version of anything."""
    reader = _Reader()
    reader.text(thing)
    return reader.modules


class _Reader:
    """Writes objects as texts, which depend on what they hold and not on which parts are shared."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self._texts: dict[int, str] = {}
        self._open: list[int] = []  # objects that are being written: one may hold itself
        self._kept: list[Any] = []  # an object that is gone could leave its number to another

    def text(self, thing: Any) -> str:
        if isinstance(thing, enum.Enum):
            return f"{_name(thing.__class__)}.{thing.name}"
        if isinstance(thing, PLAIN):
            return repr(thing)
        if isinstance(thing, ModuleType):
            return thing.__name__
        if isinstance(thing, FunctionType | BuiltinFunctionType | Cached | type):
            if not _is_own(thing):
                return _name(thing)
            self.modules.add(thing.__module__)
        number = id(thing)
        if number in self._open:
            return f"#{self._open.index(number)}"
        if number not in self._texts:
            self._kept.append(thing)
            self._open.append(number)
            written = self._write(thing)
            self._open.pop()
            self._texts[number] = hashlib.sha256(written.encode()).hexdigest()
        return self._texts[number]

    def _write(self, thing: Any) -> str:
        match thing:
            case dict() | MappingProxyType():
                parts = [f"{self.text(key)}:{self.text(value)}" for key, value in thing.items()]
            case set() | frozenset():  # in no order
                parts = sorted(map(self.text, thing))
            case list() | tuple():
                parts = [*map(self.text, thing)]
            case CodeType():  # a docstring counts, as a constant
                parts = [
                    thing.co_code.hex(),
                    *map(self.text, (thing.co_consts, thing.co_names, thing.co_varnames)),
                ]
            case FunctionType():
                parts = self._function(thing)
            case Cached():
                parts = [self.text(thing.__wrapped__)]
            case MethodType() | staticmethod() | classmethod():
                parts = [self.text(thing.__func__), self.text(getattr(thing, "__self__", None))]
            case property():
                parts = [self.text(function) for function in (thing.fget, thing.fset, thing.fdel)]
            case type():
                parts = self._class(thing)
            case Dataset():
                facts = (thing.task, thing.classes, thing.fractions, thing.synthetic, thing.metrics)
                parts = [self.text(thing.digest), self.text(facts)]
            case Imported():  # by the code that it names
                parts = [thing.path, self.text(_imported(thing.path))]
            case _:
                parts = self._object(thing)
        return f"{type(thing).__name__}({', '.join(parts)})"

    def _function(self, function: FunctionType) -> list[str]:
        """Its code, its defaults, and the values that the code takes from its module and its surroundings."""
        loads = [step for code in _codes(function.__code__) for step in dis.get_instructions(code)]
        names = {step.argval for step in loads if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
        taken = {name: function.__globals__[name] for name in sorted(names) if name in function.__globals__}
        cells = []
        for cell in function.__closure__ or ():
            try:
                cells.append(cell.cell_contents)
            except ValueError:  # nothing in it yet
                cells.append(None)
        held = (function.__code__, function.__defaults__, function.__kwdefaults__, taken, cells)
        return [self.text(part) for part in held]

    def _class(self, cls: type[Any]) -> list[str]:
        """Its bases, methods and attributes. What Python and pydantic add themselves is left out."""
        held = {
            name: value
            for name, value in sorted(vars(cls).items())
            if name != "_abc_impl"
            and (not name.startswith("__") or inspect.isroutine(value) or isinstance(value, property))
        }
        return [self.text(part) for part in (cls.__qualname__, cls.__bases__, held)]

    def _object(self, thing: Any) -> list[str]:
        """Its class and what it holds: the bytes of an array, the attributes of anything else."""
        if hasattr(thing, "__array__"):
            import numpy as np

            with suppress(Exception):  # a tensor on a GPU, or one with a gradient: taken apart below
                array = np.ascontiguousarray(thing)
                if array.dtype != object:
                    return [array.dtype.str, str(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
        try:
            state = thing.__reduce_ex__(4)
        except Exception:  # noqa: BLE001 - it cannot be taken apart
            state = getattr(thing, "__dict__", None)
        if isinstance(state, tuple):  # items of a list or a mapping come one by one
            state = [list(part) if hasattr(part, "__next__") else part for part in state]
        return [self.text(type(thing)), self.text(state)]


def _imported(path: str) -> Any:
    """What `module:name` names; None if it is not there, which is reported when it is used."""
    module, _, name = path.partition(":")
    with suppress(Exception):
        return getattr(import_module(module), name)
    return None


def _codes(code: CodeType) -> list[CodeType]:
    inner = [found for part in code.co_consts if isinstance(part, CodeType) for found in _codes(part)]
    return [code, *inner]


def _is_own(thing: Any) -> bool:
    """Whether its code may change without a new version of anything: it is neither Python's nor installed."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "builtins")
    if module is None or module.__name__ == "__main__":
        return True
    if module.__name__.partition(".")[0] == "alharness":
        return False
    file = getattr(module, "__file__", None)
    if file is None:
        return not hasattr(module, "__spec__") or module.__spec__ is None
    path = Path(file)
    return not (LIBRARIES & set(path.parts) or path.is_relative_to(STANDARD))


def _name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', None)}.{getattr(thing, '__qualname__', repr(type(thing)))}"
