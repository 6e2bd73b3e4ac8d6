"""YAML as specs use it: text in, plain data and the place of every node out.

A subset of YAML on purpose: one document, no aliases, no tags, no key twice, nothing huge, nothing deep. So a
file of a few hundred bytes cannot expand to gigabytes, nor run code, and what a reader sees is what counts.

Words mean what the YAML 1.2 core rules say (https://yaml.org/spec/1.2.2/#103-core-schema). PyYAML follows YAML
1.1, in which `no` is false, `12:30` is 750, `010` is 8 and `1e-3` is text. Numbers with leading zeros are text,
because one reader takes them for octal, the next for decimal, and the third for an id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import yaml

from alharness.errors import SpecError
from alharness.text.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Keys = tuple[str | int, ...]
"""Path of a node: the keys and the 0-based indices on the way to it."""

MAX_BYTES = 1_000_000
MAX_DEPTH = 50

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Place(NamedTuple):
    """A place in a source, line and column counted from 1; line 0 if the source has no lines.

    `folder` is where relative paths at this place start, if that is not the folder of the spec.
    """

    source: str
    line: int = 0
    column: int = 0
    folder: Path | None = None

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True)
class YamlFile:
    """What was read.

    Attributes:
        data: dict, list, str, int, float, bool and None, nested.
        values: place of each value.
        keys: place of each key of a mapping, under the same `Keys` as its value.
    """

    data: Any
    values: Mapping[Keys, Place]
    keys: Mapping[Keys, Place]

    def locate(self, keys: Keys, *, key: bool = False) -> Place:
        """Place of this value (with `key`, of its key), or of the nearest node above it that is there."""
        if key and keys in self.keys:
            return self.keys[keys]
        while keys not in self.values:
            keys = keys[:-1]
        return self.values[keys]


def read(path: str | Path) -> YamlFile:
    """Read a file whose top is a mapping.

    Raises:
        SpecError: `file:line:column: what is wrong and what to do`, for whatever cannot be used.
    """
    content = _read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        place = Place(str(path), *_line_and_column(before))
        raise SpecError(f"{place}: this is not UTF-8; save the file as UTF-8") from None
    file = parse(text, str(path))
    if file.data is None:
        raise SpecError(f"{path}:1:1: the file is empty; a spec begins with `name: ...`")
    if not isinstance(file.data, dict):
        kind = "a list" if isinstance(file.data, list) else "a single value"
        raise SpecError(
            f"{file.locate(())}: the top of the file is {kind}; it must be a mapping, `key: value` in every line"
        )
    return file


def parse(text: str, source: str) -> YamlFile:
    """Read a text that holds at most one document of any kind; an empty one is None. Raises SpecError."""
    return _Composer(text, source).compose()


def _read_bytes(path: str | Path) -> bytes:
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        near = did_you_mean(str(path), map(str, _neighbors(Path(path))))
        raise SpecError(f"{path}: there is no such file{near}") from None
    except IsADirectoryError:
        raise SpecError(f"{path}: this is a folder; name the YAML file itself") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_BYTES:
        raise SpecError(f"{path}: larger than {MAX_BYTES:,} bytes, but a spec is a page; is it the right file?")
    return content


def _neighbors(path: Path) -> Iterable[Path]:
    try:
        return sorted(p for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml"))
    except OSError:
        return ()


def _line_and_column(before: str) -> tuple[int, int]:
    """Of the character that follows this text."""
    lines = _LINE_BREAK.split(before)
    return len(lines), len(lines[-1]) + 1


class _Composer:
    """Turns PyYAML's parse events into plain data, by a recursion that `MAX_DEPTH` bounds."""

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source = text, source
        self.values: dict[Keys, Place] = {}
        self.keys: dict[Keys, Place] = {}
        self.events: Any = None

    def compose(self) -> YamlFile:
        try:
            self.events = yaml.SafeLoader(self.text)
            return YamlFile(self._document(), self.values, self.keys)
        except yaml.reader.ReaderError as error:
            place = Place(self.source, *_line_and_column(self.text[: error.position]))
            self._refuse(place, f"the character U+{int(error.character):04X} is not allowed; delete it")
        except yaml.MarkedYAMLError as error:
            self._refuse(self._place(error.problem_mark or error.context_mark), _explain(error))
        except (ValueError, OverflowError):
            # PyYAML hands escapes such as "\UFFFFFFFF" and the numbers of %YAML to chr() and int() unchecked.
            self._refuse(self._place(self.events.get_mark()), "a number or an escape here is out of range")

    def _document(self) -> Any:
        self.events.get_event()  # the stream begins
        if isinstance(self.events.peek_event(), yaml.StreamEndEvent):
            self.values[()] = Place(self.source, 1, 1)
            return None
        self.events.get_event()  # the document begins
        data = self._node(())
        self.events.get_event()  # the document ends
        after = self.events.get_event()
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(self._place(after.start_mark), "a second document begins; keep one in a file")
        return data

    def _node(self, keys: Keys) -> Any:
        event, place = self._event()
        self.values[keys] = place
        if len(keys) > MAX_DEPTH:
            self._refuse(place, f"nested more than {MAX_DEPTH} deep; a spec needs five levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(keys)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(keys)
        return self._scalar(event, place)

    def _mapping(self, keys: Keys) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(self.events.peek_event(), yaml.MappingEndEvent):
            event, place = self._event()
            key = self._scalar(event, place) if isinstance(event, yaml.ScalarEvent) else None
            if not isinstance(key, str):
                self._refuse(place, "a key must be text; if it is meant as text, write it in quotes")
            path = (*keys, key)
            if key in result:
                before = self.keys[path].line
                self._refuse(place, f"the key {key[:40]!r} is in line {before} already; keep one of the two")
            self.keys[path] = place
            result[key] = self._node(path)
        self.events.get_event()
        return result

    def _sequence(self, keys: Keys) -> list[Any]:
        result: list[Any] = []
        while not isinstance(self.events.peek_event(), yaml.SequenceEndEvent):
            result.append(self._node((*keys, len(result))))
        self.events.get_event()
        return result

    def _scalar(self, event: Any, place: Place) -> Any:
        try:
            event.value.encode()
        except UnicodeEncodeError:
            self._refuse(place, "half of a surrogate pair is not a character; write the character itself")
        return resolve(event.value) if event.style is None else event.value

    def _event(self) -> tuple[Any, Place]:
        event = self.events.get_event()
        place = self._place(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(place, "anchors (&) and aliases (*) are not supported; write the value out, or quote it")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")[:40]
            self._refuse(place, f"tags such as {tag} are not supported; remove it, or quote the value")
        return event, place

    def _place(self, mark: Any) -> Place:
        return Place(self.source, mark.line + 1, mark.column + 1)

    def _refuse(self, place: Place, what: str) -> NoReturn:
        """Raise SpecError that shows the line, with a caret under the column."""
        line = _LINE_BREAK.split(self.text)[place.line - 1]
        start = max(0, place.column - 60)
        shown = "".join(c if c.isprintable() else " " for c in line[start : start + 100])
        raise SpecError(f"{place}: {what}\n  {shown}\n  {'^':>{place.column - start}}") from None


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be read"
    if "'\\t'" in problem:
        return "a tab; indent with spaces"
    context = f", {error.context}" if error.context else ""
    if error.context and error.context_mark:
        context += f" that begins in line {error.context_mark.line + 1}"
    return f"not valid YAML: {problem}{context}; check brackets, quotes, colons and the indentation"


_WORDS = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})|0o[0-7]{1,99}|0x[0-9a-fA-F]{1,99}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolve(word: str) -> Any:
    """The value of a scalar without quotes: None, bool, int, float or str."""
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word, 0)
    if _FLOAT.fullmatch(word):
        return float(word)
    if _NOT_FINITE.fullmatch(word):
        return float(word.replace(".", ""))
    return word


def write(data: Any) -> str:
    """Plain data as YAML; read back, it is the same data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Also quotes what these rules, and not only PyYAML's, would take for a number; writes no alias."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        # PyYAML writes some Unicode line breaks bare, and they do not survive.
        style = None if isinstance(resolve(data), str) and data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)
