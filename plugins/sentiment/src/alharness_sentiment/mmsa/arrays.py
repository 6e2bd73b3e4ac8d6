"""Arrays as a pickle describes them, rebuilt from their parts: bytes in memory, bytes in the file, or a list."""

from __future__ import annotations

import codecs
import math
import re
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.importing import shown

from .opcodes import Malformed, Payload

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CODES = re.compile(r"b1|[iu][1248]|f[248]|[SU][0-9]{1,7}|O8?")
"""Types that an array may have: truth values, numbers, text, and objects, which are then plain values."""

MAX_DIMENSIONS = 32
LARGEST = 2**62
"""No axis of an array is longer."""

BLOCK = 2**22


@dataclass(eq=False)
class Kind:
    """A numpy type in the making: `numpy.dtype(code)`, to which a byte order is added."""

    code: str
    order: str = "="

    @classmethod
    def make(cls, code: Any, *_flags: Any) -> Kind:
        """`numpy.dtype(code, align, copy)`. Raises Malformed for a type that is none of those above."""
        code = as_text(code)
        if not (isinstance(code, str) and CODES.fullmatch(code)):
            raise Malformed(f"there is an array of type {shown(code)}, expected numbers or text")
        return cls(code)

    def build(self, state: Any) -> None:
        """What `numpy.dtype.__setstate__` is given. Raises Malformed for structured types."""
        match (*map(as_text, state),) if isinstance(state, tuple) else state:
            case (int(), ("<" | ">" | "|" | "=") as order, None, None, None, int(), int(), int()):
                self.order = order
            case _:
                raise Malformed("there is an array of a structured type, expected numbers or text")

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type itself."""
        return np.dtype(self.order.replace("|", "=") + self.code)


@dataclass(eq=False)
class PickledArray:
    """An array in the making, and its content.

    Attributes:
        shape: of the array.
        kind: type of the numbers.
        fortran: whether the first index runs fastest.
        content: bytes, the place of bytes in the file, or a list of plain values.
    """

    shape: tuple[int, ...] = ()
    kind: Kind | None = None
    fortran: bool = False
    content: bytes | Payload | list[Any] = b""

    @classmethod
    def from_buffer(cls, content: Any, kind: Any, shape: Any, order: Any) -> PickledArray:
        """What `numpy.core.numeric._frombuffer` is given."""
        array = cls()
        array.build((1, shape, kind, order == "F", content))
        return array

    def build(self, state: Any) -> None:
        """What `numpy.ndarray.__setstate__` is given.

        Raises:
            Malformed: it does not describe an array, or announces more than there is.
        """
        match state:
            case (int(), tuple(shape), Kind() as kind, (bool() | int()) as fortran, content):
                pass
            case _:
                raise Malformed("there is something that looks like an array and is none")
        if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < LARGEST for n in shape):
            sizes = ", ".join(shown(n) for n in shape[:MAX_DIMENSIONS])
            raise Malformed(f"there is an array of the impossible shape ({sizes})")
        expected = math.prod(shape) * (1 if kind.dtype.hasobject else kind.dtype.itemsize)
        if kind.dtype.hasobject != isinstance(content, list):
            raise Malformed(f"there is an array of {kind.dtype} without its content")
        if isinstance(content, Payload) and content.text:
            pass  # the number of bytes shows only when it is decoded
        elif (found := content.size if isinstance(content, Payload) else len(content)) != expected:
            unit = "values" if kind.dtype.hasobject else "bytes"
            raise Malformed(
                f"there is an array of shape {shape} and type {kind.dtype}, which takes {expected:,} {unit}, but "
                f"only {found:,} are there"
                if found < expected
                else f"there is an array of shape {shape} and type {kind.dtype} with {found:,} {unit}, too many"
            )
        self.shape, self.kind, self.fortran, self.content = shape, kind, bool(fortran), content

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Size of the numbers."""
        assert self.kind is not None
        return self.size * self.kind.dtype.itemsize

    def open(self, path: Path, scratch: Path) -> NDArray[Any]:
        """The array; a large one is memory-mapped and read-only.

        Args:
            path: the pickle.
            scratch: folder for the content of an array that has to be decoded first.
        """
        assert self.kind is not None
        dtype, order = self.kind.dtype, "F" if self.fortran else "C"
        if isinstance(self.content, list):
            flat = np.empty(len(self.content), object)
            for position, value in enumerate(self.content):
                flat[position] = value
            return flat.reshape(
                self.shape
            )  # numpy lists them with the last index fastest, whatever the array's order
        if isinstance(self.content, Payload):
            if self.content.text:
                return self._decoded(path, scratch, dtype, order)
            return np.memmap(path, dtype, "r", self.content.offset, self.shape, order)  # type: ignore[call-overload,no-any-return]
        return np.frombuffer(self.content, dtype).reshape(self.shape, order=order)  # type: ignore[call-overload,no-any-return]

    def _decoded(self, path: Path, scratch: Path, dtype: np.dtype[Any], order: str) -> NDArray[Any]:
        """Protocol 2 has no bytes: they are written as the text that they are the Latin-1 encoding of."""
        assert isinstance(self.content, Payload)
        decode = codecs.getincrementaldecoder("utf-8")().decode
        left = self.content.size
        with path.open("rb") as source, tempfile.TemporaryFile(dir=scratch) as target:
            source.seek(self.content.offset)
            while left:
                block = source.read(min(BLOCK, left))
                left -= len(block)
                try:
                    target.write(decode(block, not left).encode("latin-1"))
                except (UnicodeDecodeError, UnicodeEncodeError) as error:
                    raise Malformed(f"an array is not what it should be: {error.reason}") from None
            if target.tell() != math.prod(self.shape) * dtype.itemsize:
                raise Malformed(f"there is an array of shape {self.shape} with {target.tell():,} bytes")
            return np.memmap(target, dtype, "r", 0, self.shape, order)  # type: ignore[call-overload,no-any-return]


def as_text(value: Any) -> Any:
    """A string of Python 2, which is bytes, as text; anything else as it is."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def make_scalar(kind: Any, content: Any) -> Any:
    """What `numpy.core.multiarray.scalar` is given, as a plain value."""
    if not isinstance(kind, Kind) or kind.dtype.hasobject or not isinstance(content, bytes):
        raise Malformed("there is something that looks like a number and is none")
    if len(content) != kind.dtype.itemsize:
        raise Malformed(f"there is a number of type {kind.dtype} with {len(content)} bytes")
    return np.frombuffer(content, kind.dtype)[0].item()
