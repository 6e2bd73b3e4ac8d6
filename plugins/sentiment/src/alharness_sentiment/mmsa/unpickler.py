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
from .opcodes import Instruction, Malformed, Payload, Truncated, read_instructions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROTOCOLS = range(2, 6)

PLAIN = {
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
"""Instructions that push their argument."""

STRINGS = {"SHORT_BINSTRING", "BINSTRING"}
"""Instructions that push a string of Python 2, which is bytes, and which pickletools shows as Latin-1."""

CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
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
            machine = _Machine()
            for instruction in read_instructions(file):
                machine.follow(instruction)
            return machine.result()
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


class _Machine:
    """The stack of a pickle, its marks, and its memo."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def result(self) -> Any:
        """What is left when all instructions were followed."""
        (value,) = self._stack
        return value

    def follow(self, instruction: Instruction) -> None:
        """Do what one instruction asks for, if it is one of those that put data together."""
        name, argument, _ = instruction
        if name in PLAIN:
            self._stack.append(bytes(argument) if isinstance(argument, bytearray) else argument)
        elif name in STRINGS:
            self._stack.append(argument.encode("latin-1") if isinstance(argument, str) else argument)
        elif name in CONSTANTS:
            self._stack.append(CONSTANTS[name])
        elif name in TUPLES:
            self._tuple(TUPLES[name])
        elif step := _STEPS.get(name):
            step(self, argument)
        elif name not in ("FRAME", "STOP"):
            raise Malformed(f"it has the instruction {name}, which data in arrays does not need; nothing was run")

    def proto(self, version: int) -> None:
        """The first instruction."""
        if version not in PROTOCOLS:
            raise Malformed(f"it is in pickle protocol {version}, expected {PROTOCOLS[0]} to {PROTOCOLS[-1]}")

    def mark(self, _: None) -> None:
        """Begin a group of values."""
        self._marked.append(self._stack)
        self._stack = []

    def pop_mark(self, _: None = None) -> list[Any]:
        """End the group."""
        group, self._stack = self._stack, self._marked.pop()
        return group

    def pop(self, _: None) -> None:
        """Drop a value."""
        self._stack.pop()

    def push_list(self, _: None) -> None:
        """An empty list."""
        self._stack.append([])

    def push_dict(self, _: None) -> None:
        """An empty mapping."""
        self._stack.append({})

    def tuple(self, _: None) -> None:
        """A tuple of the group."""
        group = self.pop_mark()
        self._stack.append((*group,))

    def append(self, _: None) -> None:
        """Append a value to the list below it."""
        value = self._stack.pop()
        self._list().append(value)

    def appends(self, _: None) -> None:
        """Append the group to the list below it."""
        group = self.pop_mark()
        self._list().extend(group)

    def set_item(self, _: None) -> None:
        """Put a key and its value into the mapping below them."""
        value, key = self._stack.pop(), self._stack.pop()
        self._put([key, value])

    def set_items(self, _: None) -> None:
        """Put a group of keys and values into the mapping below them."""
        self._put(self.pop_mark())

    def remember(self, key: int) -> None:
        """Keep the last value for later."""
        self._memo[key] = self._stack[-1]

    def memoize(self, _: None) -> None:
        """The same under the next free number."""
        self._memo[len(self._memo)] = self._stack[-1]

    def recall(self, key: int) -> None:
        """A value that was kept."""
        self._stack.append(self._memo[key])

    def named(self, words: str) -> None:
        """A name, `module qualname`."""
        module, _, name = words.partition(" ")
        self._stack.append(_allowed(module, name))

    def named_on_stack(self, _: None) -> None:
        """A name whose parts are on the stack."""
        name, module = self._stack.pop(), self._stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise Malformed("it has a name that is no text")
        self._stack.append(_allowed(module, name))

    def reduce(self, _: None) -> None:
        """What a function would return for these arguments."""
        arguments, function = self._stack.pop(), self._stack.pop()
        if not (isinstance(function, Name) and function in _FUNCTIONS and isinstance(arguments, tuple)):
            what = str(function) if isinstance(function, Name) else "what is no function"
            raise Malformed(f"it calls {what}; nothing was run")
        self._stack.append(_FUNCTIONS[function](*arguments))

    def build(self, _: None) -> None:
        """Complete an array or a type with its state."""
        state = self._stack.pop()
        if not isinstance(self._stack[-1], PickledArray | Kind):
            raise Malformed("it sets the state of what is no array; nothing was run")
        self._stack[-1].build(state)

    def _tuple(self, size: int) -> None:
        split = len(self._stack) - size
        if split < 0:
            raise IndexError
        self._stack[split:] = [(*self._stack[split:],)]

    def _list(self) -> list[Any]:
        if type(self._stack[-1]) is not list:
            raise Malformed("it appends to what is no list; nothing was run")
        return self._stack[-1]

    def _put(self, items: list[Any]) -> None:
        target = self._stack[-1]
        keys = [as_text(key) for key in items[::2]]
        if type(target) is not dict or not all(isinstance(key, KEYS) for key in keys):
            raise Malformed("it has a mapping whose keys are neither text nor numbers; nothing was run")
        target.update(zip(keys, items[1::2], strict=True))


def _allowed(module: str, name: str) -> Name:
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
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise Malformed("it has a mapping whose keys are neither text nor numbers; nothing was run")
    found = [(as_text(key), value) for key, value in pairs]
    if not all(isinstance(key, KEYS) for key, _ in found):
        raise Malformed("it has a mapping whose keys are neither text nor numbers; nothing was run")
    return dict(found)


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

_STEPS: dict[str, Callable[[_Machine, Any], Any]] = {
    "PROTO": _Machine.proto,
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "EMPTY_LIST": _Machine.push_list,
    "EMPTY_DICT": _Machine.push_dict,
    "TUPLE": _Machine.tuple,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "BINPUT": _Machine.remember,
    "LONG_BINPUT": _Machine.remember,
    "MEMOIZE": _Machine.memoize,
    "BINGET": _Machine.recall,
    "LONG_BINGET": _Machine.recall,
    "GLOBAL": _Machine.named,
    "STACK_GLOBAL": _Machine.named_on_stack,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
}
