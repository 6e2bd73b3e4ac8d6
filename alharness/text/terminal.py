"""Standard output and error in any encoding, and for readers that leave: printing never ends a command."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from .redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_OTHER_WORDS = {
    "±": "+-",
    "→": "->",
    "←": "<-",
    "↓": "(lower is better)",
    "↑": "(higher is better)",
    "▲": "(better)",
    "▼": "(worse)",
    "–": "-",
    "—": "-",
    "−": "-",
    "…": "...",
    "×": "x",
    "·": "*",
    "•": "*",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "²": "^2",
    "½": "1/2",
    "∞": "infinity",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "\u00a0": " ",
    "\u2009": " ",
    "\u202f": " ",
}
"""What an encoding without these characters gets. Arrows follow the names of metrics."""


def plain(text: str) -> str:
    """The text with control characters as escapes, so that it cannot play with the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def safe(text: str) -> str:
    """The same of what others' code said, an error or a warning: also without secrets."""
    return plain(redact(text))


def translate(text: str, encoding: str | None) -> str:
    r"""The text in characters that the encoding has: in other words, or else as escapes such as `\xe9`.

    A letter of a name or a path is never replaced by one that looks like it: that would be another name.
    """
    encoding = encoding or "utf-8"
    return text.encode(encoding, _SAY_OTHERWISE).decode(encoding)


def _say_otherwise(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    words = (IN_OTHER_WORDS.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lost)
    return "".join(words), error.end


_SAY_OTHERWISE = "alharness.say_otherwise"
codecs.register_error(_SAY_OTHERWISE, _say_otherwise)


class Output(io.TextIOBase):
    """A stream that takes every text, and drops it once its reader has left.

    It offers no `buffer`: click would write UTF-8 there even if the terminal is set to ASCII.

    Attributes:
        failure: why nothing more is written, if that is more than a reader who has left: a full disk, say.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._ended = False
        self.failure: OSError | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's own."""
        return self._stream.encoding or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """The stream's own."""
        return self._stream.errors

    def fileno(self) -> int:
        """The stream's own."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether a person sees it at once."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """It takes whatever is written."""
        return True

    def write(self, text: str) -> int:
        """Write the text, in other words if need be."""
        if not self._ended:
            with self._forgiving():
                self._stream.write(translate(text, self.encoding))
        return len(text)

    def flush(self) -> None:
        """Pass everything on."""
        if not self._ended:
            with self._forgiving():
                self._stream.flush()

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._ended = True
            self.failure = None if isinstance(error, BrokenPipeError) else error
            self._discard()

    def _discard(self) -> None:
        """Lead what is still buffered, and what anything else writes to this descriptor, to nowhere."""
        with suppress(OSError, ValueError):  # a stream without a descriptor has no buffer to write at exit
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def guarded_streams() -> Iterator[Output]:
    """Print through `Output` inside, also errors; gives standard output."""
    _occupy()
    before = sys.stdout, sys.stderr
    out, err = (Output(stream) for stream in before)
    sys.stdout, sys.stderr = out, err
    try:
        yield out
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before


def _occupy() -> None:
    """Open what the caller has closed (`>&-`): a file that got its number would be printed into."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - as long as the process
