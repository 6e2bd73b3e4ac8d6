"""What a drawing's file says: title, description, author and terms, and what it is made of.

Files are parsed by expat, which loads nothing from outside; a file that declares an external entity is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from xml.parsers import expat

from alharness import DataError

SVG = "http://www.w3.org/2000/svg"
DC = "http://purl.org/dc/elements/1.1/"
TERMS = ("http://web.resource.org/cc/", "http://creativecommons.org/ns#")
"""Namespaces of the element that names the terms."""
PUBLIC_DOMAIN = "publicdomain"
DRAWN = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "image", "use"})


@dataclass(frozen=True, kw_only=True)
class Element:
    """One element of a drawing that has to do with what one sees.

    Attributes:
        tag: its name without the namespace.
        attributes: without namespaces; those of `style` are spread out.
        depth: how many elements it is in.
    """

    tag: str
    attributes: dict[str, str]
    depth: int


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One file of the package.

    Attributes:
        path: below the folder of drawings.
        title: as its author wrote it, or empty.
        description: the same.
        author: the same.
        terms: address of its licence, or empty.
        elements: what is drawn, in the order of the file.
    """

    path: str
    title: str
    description: str
    author: str
    terms: str
    elements: tuple[Element, ...]

    @property
    def folder(self) -> str:
        """The folder at the top, which is its class."""
        return PurePosixPath(self.path).parts[0]

    @property
    def theme(self) -> str:
        """Author and folder: drawings of one series share it."""
        return f"{PurePosixPath(self.path).parent}:{self.author.casefold()}"

    @property
    def free(self) -> bool:
        """Whether its file says that it is in the public domain."""
        return PUBLIC_DOMAIN in self.terms.casefold()


def parse(path: str, content: bytes) -> Drawing:
    """Read a drawing. Raises DataError if it is no XML, or wants to read another file."""
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as error:
        raise DataError(f"{path}: is no drawing: {error}") from None
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None
    found = {name: " ".join(words.split()) for name, words in reader.texts.items()}
    return Drawing(
        path=path,
        title=found.get("title", ""),
        description=found.get("description", ""),
        author=found.get("author", ""),
        terms=reader.terms,
        elements=tuple(reader.elements),
    )


class _Reader:
    """Collects what is wanted while expat goes through a file."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.terms = ""
        self.elements: list[Element] = []
        self._open: list[str] = []
        self._into = ""
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        self._open.append(name)
        if space == DC:
            inside = Counter(self._open)
            if f"{DC} creator" in inside and tag == "title":
                self._into = "author"
            elif tag in {"title", "description"} and not any(
                f"{DC} {role}" in inside for role in ("creator", "publisher", "rights", "contributor")
            ):
                self._into = tag
            if self._into in self.texts:  # the first one counts
                self._into = ""
        elif space in TERMS and tag == "license":
            self.terms = self.terms or next((v for k, v in attributes.items() if k.endswith(" resource")), "")
        elif space in {SVG, ""}:
            plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
            self.elements.append(
                Element(tag=tag, attributes=plain | style(plain.pop("style", "")), depth=len(self._open) - 1)
            )

    def _end(self, _name: str) -> None:
        self._open.pop()
        self._into = ""

    def _text(self, words: str) -> None:
        if self._into:
            self.texts[self._into] = self.texts.get(self._into, "") + words

    def _entity(self, name: str, *about: Any) -> None:
        if about[1] is None:  # no value of its own: it is somewhere else
            raise ValueError(f"declares the entity {name!r} outside the file")


def style(text: str) -> dict[str, str]:
    """The declarations of a `style` attribute.

    >>> style("fill:#ff0000; stroke : none;")
    {'fill': '#ff0000', 'stroke': 'none'}
    """
    pairs = (part.partition(":") for part in text.split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip() and value.strip()}


COLOUR = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")


def colour(value: str) -> tuple[int, int, int] | None:
    """Red, green and blue of a colour in hexadecimal digits; None for anything else.

    >>> colour("#f00"), colour("url(#a)")
    ((255, 0, 0), None)
    """
    if not (found := COLOUR.match(value)):
        return None
    digits = found[1] if len(found[1]) == 6 else "".join(2 * digit for digit in found[1])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
