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
from typing import Any

from .trait import Trait, imported, names, nothing


def traits() -> list[Trait]:
    """Everything but what the operating system keeps."""
    return [
        # First: with little depth left, nothing else could be put back.
        Trait("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
        *_hooks(),
        *_imports(),
        *_warnings(),
        *_logging(),
        *_runtime(),
    ]


def _attribute(owner: Any, name: str, called: str) -> Trait:
    """An object that a module knows by a name."""
    return Trait(
        called,
        lambda: getattr(owner, name),
        lambda value: setattr(owner, name, value),
        same=operator.is_,
        shown=nothing,
    )


def _hooks() -> list[Trait]:
    return [
        Trait("sys.settrace", sys.gettrace, sys.settrace, same=operator.is_, shown=nothing),
        Trait("sys.setprofile", sys.getprofile, sys.setprofile, same=operator.is_, shown=nothing),
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
        Trait("sys.modules", _Packages().read, _restore_modules, same=_kept, shown=names),
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
        f"sys.{name}",
        lambda: (getattr(sys, name), list(getattr(sys, name))),
        write,
        same=lambda before, after: before[0] is after[0] and _begins(before[1], after[1]),
        shown=nothing,
        loudness="quiet after imports",
    )


def _begins(before: list[Any], after: list[Any]) -> bool:
    return after[: len(before)] == before


def _warnings() -> list[Trait]:
    return [
        Trait(
            "the filters of warnings",
            lambda: list(warnings.filters),
            _restore_filters,
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
        Trait("the level that logging disables", lambda: logging.root.manager.disable, logging.disable),
        Trait(
            "logging",
            _loggers,
            _restore_loggers,
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


def _start_method() -> Any:
    """None as long as none was chosen."""
    return imported("multiprocessing", "get_start_method", allow_none=True)


def _set_start_method(before: Any) -> None:
    sys.modules["multiprocessing"].set_start_method(before, force=True)


def _starts_alike(before: Any, after: Any) -> bool:
    return before == after or (before is None and after == imported("multiprocessing", "get_all_start_methods")[0])


def _runtime() -> list[Trait]:
    return [
        Trait("Python's random generator", random.getstate, random.setstate, loudness="quiet"),
        Trait("the switch interval of threads", sys.getswitchinterval, sys.setswitchinterval),
        Trait("the limit of digits in integers", sys.get_int_max_str_digits, sys.set_int_max_str_digits),
        Trait("the stack size of threads", threading.stack_size, threading.stack_size),
        Trait("garbage collection", gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
        Trait(
            "the thresholds of garbage collection", gc.get_threshold, lambda numbers: gc.set_threshold(*numbers)
        ),
        Trait("the debug flags of garbage collection", gc.get_debug, gc.set_debug),
        Trait(
            "the callbacks of garbage collection",
            lambda: list(gc.callbacks),
            lambda before: gc.callbacks.__setitem__(slice(None), before),
            shown=nothing,
            loudness="quiet after imports",
        ),
        Trait(
            "the decimal context",
            lambda: decimal.getcontext().copy(),
            lambda before: decimal.setcontext(before.copy()),
            same=lambda before, after: repr(before) == repr(after),
            shown=nothing,
        ),
        Trait(
            "the locale",
            lambda: locale.setlocale(locale.LC_ALL),
            lambda before: locale.setlocale(locale.LC_ALL, before),
        ),
        Trait("how other processes are started", _start_method, _set_start_method, same=_starts_alike),
        # A pool of threads settles for the default, which is no news, and would keep others from choosing.
        Trait("how other processes are started", _start_method, _set_start_method, loudness="quiet"),
        Trait(
            "the timeout of sockets",
            lambda: imported("socket", "getdefaulttimeout"),
            sys.modules["socket"].setdefaulttimeout,
        ),
        Trait(
            "the tracing of memory",
            lambda: bool(imported("tracemalloc", "is_tracing")),
            lambda on: sys.modules["tracemalloc"].start() if on else sys.modules["tracemalloc"].stop(),
        ),
        Trait(
            "the fault handler",
            faulthandler.is_enabled,
            lambda on: faulthandler.enable(file=2) if on else faulthandler.disable(),
        ),
    ]
