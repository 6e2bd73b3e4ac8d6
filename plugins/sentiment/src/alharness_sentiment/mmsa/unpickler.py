"""Reads a pickle as data: numpy arrays, text, numbers, and plain containers of them.

A pickle is a program. None of it is run here: this module follows the instructions that put values together, and
if one names one of numpy's few functions, it does what that function would do. Nothing is imported or called by
name, so there is no list of dangerous names that could be incomplete. Contents of arrays stay in the file until
they are needed, so a file may be larger than memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from alharness import DataError
from alharness.api.importing import word

from .arrays import Kind, PickledArray, as_text, make_scalar
from .opcodes import Malformed, Payload, Truncated, read_instructions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

PROTOCOLS = range(2, 6)

PLAIN = {
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
"""Instructions that push their argument."""

TAKES = {
    "POP": 1, "APPEND": 1, "SETITEM": 2, "EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3,
    "STACK_GLOBAL": 2, "REDUCE": 2, "BUILD": 1,
}  # fmt: skip
"""Instruction -> values that it takes from the stack."""

TAKES_MARKED = {"POP_MARK", "TUPLE", "APPENDS", "SETITEMS"}
"""Instructions that take all values since the last mark."""

KEYS = (str, int, float, type(None))


ADVICE = {
    "pandas": " (an object of pandas: save numpy arrays instead, as to_numpy() makes them)",
    "torch": " (an object of torch: save numpy arrays instead, in MMSA-FET with return_type='np')",
}
"""Package -> what to do about its objects."""


class Name(NamedTuple):
    """Something of a module, by its name alone."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{word(self.module, 100)}.{word(self.name, 100)}"


NDARRAY = Name("numpy", "ndarray")

INERT = {NDARRAY, Name("builtins", "list"), Name("builtins", "dict")}
"""Names that are allowed as arguments of functions, and that are not called."""


def load(path: Path) -> Any:
    """The value of the pickle; arrays as `PickledArray`.

    Raises:
        DataError: it holds anything but arrays and plain values, which is named; or it is damaged or incomplete.
    """
    try:
        with path.open("rb") as file:
            return _follow(read_instructions(file))
    except Truncated:
        raise DataError(
            f"{path}: ends in the middle, after {path.stat().st_size:,} bytes; the download is not complete, "
            "get the file again"
        ) from None
    except Malformed as error:
        raise DataError(
            f"{path}: cannot be used: {error}; get the file again, as its publishers offer it"
        ) from None
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"{path}: is a damaged pickle ({type(error).__name__}); get the file again") from None


def _follow(instructions: Iterable[tuple[str, Any]]) -> Any:  # noqa: PLR0912 - a case for each kind of instruction
    """Do what the instructions ask for, if all put data together; the value that is left on the stack."""
    stack: list[Any] = []
    marked: list[list[Any]] = []
    memo: dict[int, Any] = {}
    for name, argument in instructions:
        if name in TAKES_MARKED:
            taken, stack = stack, marked.pop()
        else:
            taken = _take(stack, TAKES.get(name, 0))
        match name:
            case _ if name in PLAIN:
                stack.append(bytes(argument) if isinstance(argument, bytearray) else argument)
            case "SHORT_BINSTRING" | "BINSTRING":  # of Python 2, which pickletools shows as Latin-1
                stack.append(argument.encode("latin-1") if isinstance(argument, str) else argument)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
            case "EMPTY_LIST" | "EMPTY_DICT":
                stack.append([] if name == "EMPTY_LIST" else {})
            case "EMPTY_TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3" | "TUPLE":
                stack.append((*taken,))
            case "APPEND" | "APPENDS":
                _extend(stack[-1], taken)
            case "SETITEM" | "SETITEMS":
                _update(stack[-1], taken)
            case "MARK":
                marked.append(stack)
                stack = []
            case "BINPUT" | "LONG_BINPUT" | "MEMOIZE":
                memo[len(memo) if argument is None else argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                module, _, qualified = argument.partition(" ")
                stack.append(_allowed(module, qualified))
            case "STACK_GLOBAL":
                stack.append(_allowed(*taken))
            case "REDUCE":
                stack.append(_call(*taken))
            case "BUILD":
                _build(stack[-1], *taken)
            case "PROTO":
                if argument not in PROTOCOLS:
                    raise Malformed(
                        f"it is in pickle protocol {argument}, expected {PROTOCOLS[0]} to {PROTOCOLS[-1]}"
                    )
            case "FRAME" | "STOP" | "POP" | "POP_MARK":
                pass
            case _:
                raise Malformed(
                    f"it has the instruction {name}, which data in arrays does not need; nothing was run"
                )
    (value,) = stack
    return value


def _take(stack: list[Any], count: int) -> list[Any]:
    """The last values, taken from the stack. Raises IndexError if there are fewer."""
    split = len(stack) - count
    if split < 0:
        raise IndexError
    taken = stack[split:]
    del stack[split:]
    return taken


def _extend(target: Any, values: list[Any]) -> None:
    if type(target) is not list:
        raise Malformed("it appends to what is no list; nothing was run")
    target.extend(values)


def _update(target: Any, items: list[Any]) -> None:
    """Put keys and values, which take turns, into the mapping."""
    keys = [as_text(key) for key in items[::2]]
    if type(target) is not dict or not all(isinstance(key, KEYS) for key in keys):
        raise Malformed("it has a mapping whose keys are neither text nor numbers; nothing was run")
    target.update(zip(keys, items[1::2], strict=True))


def _call(function: Any, arguments: Any) -> Any:
    """What the function would return."""
    if not (isinstance(function, Name) and function in _FUNCTIONS and isinstance(arguments, tuple)):
        what = str(function) if isinstance(function, Name) else "what is no function"
        raise Malformed(f"it calls {what}; nothing was run")
    return _FUNCTIONS[function](*arguments)


def _build(target: Any, state: Any) -> None:
    """Complete an array or a type with its state."""
    if not isinstance(target, PickledArray | Kind):
        raise Malformed("it sets the state of what is no array; nothing was run")
    target.build(state)


def _allowed(module: Any, name: Any) -> Name:
    if not (isinstance(name, str) and isinstance(module, str)):
        raise Malformed("it has a name that is no text")
    # numpy 2 calls its inner package _core, numpy 1 called it core; Python 2 called builtins __builtin__.
    inner = module.replace("numpy._core", "numpy.core", 1).replace("__builtin__", "builtins", 1)
    found = Name(inner, name)
    if found in _FUNCTIONS or found in INERT:
        return found
    package = module.partition(".")[0]
    advice = ADVICE.get(package, "")
    raise Malformed(
        f"it holds {Name(module, name)}{advice}, and only numpy arrays, text, numbers and plain containers are "
        "read; nothing was run"
    )


def _reconstruct(kind: Any, _shape: Any, _code: Any) -> PickledArray:
    if kind != NDARRAY:
        raise Malformed("it holds an array of another class than numpy.ndarray; nothing was run")
    return PickledArray()


def _encode(text: Any, encoding: Any) -> bytes | Payload:
    if encoding not in ("latin1", "latin-1") or not (isinstance(text, str) or getattr(text, "text", False)):
        raise Malformed("it encodes something else than bytes that were written as text; nothing was run")
    return text.encode("latin-1") if isinstance(text, str) else text


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise Malformed("it has a mapping whose keys are neither text nor numbers; nothing was run")
    _update(found, [value for pair in pairs for value in pair])
    return found


_FUNCTIONS: dict[Name, Callable[..., Any]] = {
    Name("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    Name("numpy.core.multiarray", "scalar"): make_scalar,
    Name("numpy.core.numeric", "_frombuffer"): PickledArray.from_buffer,
    Name("numpy", "dtype"): Kind.make,
    Name("_codecs", "encode"): _encode,
    Name("builtins", "bytes"): lambda: b"",
    Name("collections", "OrderedDict"): _ordered,
    Name("collections", "defaultdict"): lambda _factory=None: {},
}
"""What is done instead of the functions that numpy's pickles name."""
