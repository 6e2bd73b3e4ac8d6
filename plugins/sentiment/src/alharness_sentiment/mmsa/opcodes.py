"""The instructions of a pickle, one after the other; large contents are left in the file.

The table of instructions is the standard library's (`pickletools`); nothing here or there runs any of them.
"""

from __future__ import annotations

import pickletools
import struct
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = 2**20
"""Bytes from which on a content stays in the file."""

LONGEST_INTEGER = 64
"""Bytes of an integer."""

_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}

_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: "<B",
    pickletools.TAKEN_FROM_ARGUMENT4: "<i",
    pickletools.TAKEN_FROM_ARGUMENT4U: "<I",
    pickletools.TAKEN_FROM_ARGUMENT8U: "<Q",
}


class Malformed(Exception):
    """This is no pickle, or a damaged one; says at which byte."""


class Truncated(Exception):
    """The file ends too early."""


class Payload(NamedTuple):
    """Content that is read from the file later.

    Attributes:
        offset: its first byte.
        size: number of bytes.
        text: UTF-8 text; encoded as Latin-1 it may mean bytes.
    """

    offset: int
    size: int
    text: bool


def read_instructions(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    """The name and the argument of each instruction up to STOP.

    Raises:
        Malformed: a byte is no instruction, or has an impossible argument.
        Truncated: the file ends before STOP.
    """
    end = file.seek(0, 2)
    file.seek(0)
    while True:
        position = file.tell()
        code = file.read(1)
        if not code:
            raise Truncated
        opcode = _OPCODES.get(code.decode("latin-1"))
        if opcode is None:
            raise Malformed(f"0x{code.hex()} at byte {position:,} is no instruction")
        argument = None if opcode.arg is None else _argument(file, opcode, end)
        yield opcode.name, argument
        if opcode.name == "STOP":
            return


def _argument(file: BinaryIO, opcode: pickletools.OpcodeInfo, end: int) -> Any:
    start = file.tell()
    descriptor = opcode.arg
    assert descriptor is not None
    size = descriptor.n
    if size in _LENGTHS:
        header = struct.calcsize(_LENGTHS[size])
        length = struct.unpack(_LENGTHS[size], _exactly(file, header))[0]
        size = header + length
        if length < 0 or ("LONG" in opcode.name and length > LONGEST_INTEGER):
            raise Malformed(f"the length {length} at byte {start:,} is impossible")
        if start + size > end:
            raise Truncated
        if length >= LARGE:
            file.seek(start + size)
            return Payload(start + header, length, text="UNICODE" in opcode.name)
    elif start + max(size, 0) > end:
        raise Truncated
    file.seek(start)
    try:
        return descriptor.reader(file)
    except (ValueError, UnicodeDecodeError) as error:
        if size == pickletools.UP_TO_NEWLINE and file.tell() == end:
            raise Truncated from None
        raise Malformed(f"at byte {start:,}: {str(error)[:100]}") from None


def _exactly(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) < size:
        raise Truncated
    return content
