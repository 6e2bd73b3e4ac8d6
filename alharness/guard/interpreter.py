"""What plugins can change in the Python interpreter."""

from __future__ import annotations

import decimal
import faulthandler
import gc
import locale
import logging
import operator
import random
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

from .trait import Trait, names, nothing

if TYPE_CHECKING:
    from collections.abc import Callable


def traits() -> list[Trait]:
    """Everything but what the operating system keeps."""
    return [
        # First: with little depth left, nothing else could be put back.
        Trait(name="the recursion limit", read=sys.getrecursionlimit, write=sys.setrecursionlimit),
        *_hooks(),
        *_imports(),
        *_warnings(),
        *_logging(),
        *_runtime(),
    ]


def _attribute(owner: Any, name: str, called: str) -> Trait:
    """An object that a module knows by a name."""
    return Trait(
        name=called,
        read=lambda: getattr(owner, name),
        write=lambda value: setattr(owner, name, value),
        same=operator.is_,
        shown=nothing,
    )


def _hooks() -> list[Trait]:
    return [
        Trait(name="sys.settrace", read=sys.gettrace, write=sys.settrace, same=operator.is_, shown=nothing),
        Trait(name="sys.setprofile", read=sys.getprofile, write=sys.setprofile, same=operator.is_, shown=nothing),
        *(
            _attribute(sys, name, f"sys.{name}")
            for name in (
                "stdout",
                "stderr",
                "stdin",
                "excepthook",
                "displayhook",
                "unraisablehook",
                "breakpointhook",
            )
        ),
        _attribute(threading, "excepthook", "threading.excepthook"),
    ]


def _imports() -> list[Trait]:
    return [
        Trait(name="sys.modules", read=_Packages().read, write=_restore_modules, same=_kept, shown=names),
        *(_search_list(name) for name in ("path", "meta_path", "path_hooks")),
    ]


class _Packages:
    """Entries of sys.modules by which others find most of the thousands that there are."""

    def __init__(self) -> None:
        self._modules = 0
        self._names: list[str] = []

    def read(self) -> dict[str, Any]:
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            self._names = [name for name in list(sys.modules) if _is_watched(name)]
        return {name: sys.modules.get(name) for name in self._names}


def _is_watched(name: str) -> bool:
    package, _, module = name.partition(".")
    return not module or package == "alharness" or (package in {"numpy", "torch"} and "." not in module)


def _kept(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether all old entries are the old objects; new ones are imports, and stay."""
    return before.items() <= after.items()


def _restore_modules(before: dict[str, Any]) -> None:
    sys.modules.update(before)


def _search_list(name: str) -> Trait:
    """Where imports look. New entries stay, since a plugin may import late, but behind the old ones."""

    def write(before: tuple[list[Any], list[Any]]) -> None:
        entries, old = before
        new = [entry for entry in getattr(sys, name) if not any(entry is known for known in old)]
        entries[:] = [*old, *new]
        setattr(sys, name, entries)

    return Trait(
        name=f"sys.{name}",
        read=lambda: (getattr(sys, name), list(getattr(sys, name))),
        write=write,
        same=lambda before, after: before[0] is after[0] and _begins(before[1], after[1]),
        shown=nothing,
        loudness="quiet after imports",
    )


def _begins(before: list[Any], after: list[Any]) -> bool:
    return after[: len(before)] == before


def _warnings() -> list[Trait]:
    return [
        Trait(
            name="the filters of warnings",
            read=lambda: list(warnings.filters),
            write=_restore_filters,
            shown=nothing,
            loudness="quiet after imports",
        ),
        _attribute(warnings, "showwarning", "warnings.showwarning"),
        _attribute(warnings, "formatwarning", "warnings.formatwarning"),
    ]


def _restore_filters(before: list[Any]) -> None:
    warnings.resetwarnings()  # also forgets what was already shown under other filters
    warnings.filters[:] = before  # type: ignore[index]


def _logging() -> list[Trait]:
    return [
        Trait(
            name="the level that logging disables",
            read=lambda: logging.root.manager.disable,
            write=logging.disable,
        ),
        Trait(
            name="logging",
            read=_loggers,
            write=_restore_loggers,
            same=_same_loggers,
            shown=lambda before, after: names(before, {name: after.get(name) for name in before}),
            loudness="quiet after imports",
        ),
        _attribute(logging, "lastResort", "logging.lastResort"),
        _attribute(logging, "raiseExceptions", "logging.raiseExceptions"),
    ]


Logged = tuple[logging.Logger, int, bool, bool, list[logging.Handler], list[Any]]


def _loggers() -> dict[str, Logged]:
    found = [logging.root, *(x for x in logging.root.manager.loggerDict.values() if isinstance(x, logging.Logger))]
    return {x.name: (x, x.level, x.propagate, x.disabled, [*x.handlers], [*x.filters]) for x in found}


def _same_loggers(before: dict[str, Logged], after: dict[str, Logged]) -> bool:
    return all(after.get(name) == entry for name, entry in before.items())


def _restore_loggers(before: dict[str, Logged]) -> None:
    for logger, level, propagate, disabled, handlers, filters in before.values():
        if logger.level != level:
            logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled
        logger.handlers[:], logger.filters[:] = handlers, filters


def _of(module: str, read: Callable[[Any], Any]) -> Any:
    """Of a module that was imported; None before that."""
    found = sys.modules.get(module)
    return None if found is None else read(found)


def _runtime() -> list[Trait]:
    return [
        Trait(name="Python's random generator", read=random.getstate, write=random.setstate, loudness="quiet"),
        Trait(name="the switch interval of threads", read=sys.getswitchinterval, write=sys.setswitchinterval),
        Trait(
            name="the limit of digits in integers",
            read=sys.get_int_max_str_digits,
            write=sys.set_int_max_str_digits,
        ),
        Trait(name="the stack size of threads", read=threading.stack_size, write=threading.stack_size),
        Trait(name="garbage collection", read=gc.isenabled, write=lambda on: gc.enable() if on else gc.disable()),
        Trait(
            name="the thresholds of garbage collection",
            read=gc.get_threshold,
            write=lambda numbers: gc.set_threshold(*numbers),
        ),
        Trait(name="the debug flags of garbage collection", read=gc.get_debug, write=gc.set_debug),
        Trait(
            name="the callbacks of garbage collection",
            read=lambda: list(gc.callbacks),
            write=lambda before: gc.callbacks.__setitem__(slice(None), before),
            shown=nothing,
            loudness="quiet after imports",
        ),
        Trait(
            name="the decimal context",
            read=lambda: decimal.getcontext().copy(),
            write=lambda before: decimal.setcontext(before.copy()),
            same=lambda before, after: repr(before) == repr(after),
            shown=nothing,
        ),
        Trait(
            name="the locale",
            read=lambda: locale.setlocale(locale.LC_ALL),
            write=lambda before: locale.setlocale(locale.LC_ALL, before),
        ),
        Trait(
            name="how other processes are started",
            read=lambda: _of("multiprocessing", lambda module: module.get_start_method(allow_none=True)),
            write=lambda before: sys.modules["multiprocessing"].set_start_method(before, force=True),
        ),
        Trait(
            name="the timeout of sockets",
            read=lambda: _of("socket", lambda module: module.getdefaulttimeout()),
            write=sys.modules["socket"].setdefaulttimeout,
        ),
        Trait(
            name="the tracing of memory",
            read=lambda: bool(_of("tracemalloc", lambda module: module.is_tracing())),
            write=lambda on: sys.modules["tracemalloc"].start() if on else sys.modules["tracemalloc"].stop(),
        ),
        Trait(
            name="the fault handler",
            read=faulthandler.is_enabled,
            write=lambda on: faulthandler.enable(file=2) if on else faulthandler.disable(),
        ),
    ]
