"""The words of a drawing, without those that give its class, its author or its series away."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .drawings import Drawing

SHORTEST = 3
"""Letters of a word at least."""
DESCRIBED = 60
"""Words that are read of a description."""
SHARED = 6
"""Letters from which on a word and a class name are the same if one begins with the other."""
SERIES = 8
"""Drawings in which a word of a series is at least, and nine tenths of them are of one author."""
PLAIN = frozenset(
    (
        *("and", "are", "but", "can", "for", "from", "has", "her", "his", "its", "not", "off", "one", "out"),
        *("own", "set", "she", "some", "that", "the", "their", "them", "then", "there", "these", "this"),
        *("too", "two", "use", "very", "was", "were", "what", "when", "which", "who", "will", "with", "you"),
        *("your", "art", "clip", "clipart", "collection", "drawing", "eps", "file", "graphic", "html", "http"),
        *("icon", "image", "inkscape", "jpeg", "jpg", "openclipart", "org", "picture", "png", "simple", "svg"),
        *("theme", "vector", "www"),
    )
)
"""Words that are left out everywhere: of grammar, of files and of drawing."""


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The words of n drawings.

    Attributes:
        words: of each drawing, in their order: title, description, name of the file.
        removed: reason -> how many words were removed for it.
        series: the words that were removed because they mark a series, sorted.
    """

    words: list[list[str]]
    removed: dict[str, int]
    series: list[str]


def texts(drawings: Sequence[Drawing], folders: Sequence[str]) -> Texts:
    """The words that a model may read.

    Args:
        drawings: those of the data set.
        folders: names of all classes.
    """
    classes = {word for folder in folders for word in split(folder)}
    removed: Counter[str] = Counter()
    kept = []
    often = _often(drawings)
    for drawing in drawings:
        author = split(drawing.author)
        words = []
        for text in (drawing.title, drawing.description):
            removed["a title or description that many share"] += text in often
        for word in _read(drawing, often):
            if _names(word, classes):
                removed["the name of a class"] += 1
            elif any(name.startswith(word) or (len(name) > SHORTEST and word.startswith(name)) for name in author):
                removed["the name of the author, or its beginning"] += 1
            else:
                words.append(word)
        kept.append(words)
    series = _series(kept, [drawing.author for drawing in drawings])
    removed["a word of a series"] = sum(word in series for words in kept for word in words)
    return Texts(
        words=[[word for word in words if word not in series] for words in kept],
        removed=dict(removed),
        series=sorted(series),
    )


def split(text: str) -> list[str]:
    """Its words, in small letters without accents and plurals; digits separate words.

    >>> split("Église de Saint-Rémy_01.svg")
    ['eglise', 'saint', 'remy']
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = (stem(word) for word in re.findall(r"[^\W\d_]+", plain) if word not in PLAIN)
    return [word for word in words if len(word) >= SHORTEST and word not in PLAIN]


def stem(word: str) -> str:
    """Without a plural's s."""
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > SHORTEST else word


def _often(drawings: Sequence[Drawing]) -> set[str]:
    """Titles and descriptions that many drawings share, word for word: they are of a series."""
    used = Counter(text for drawing in drawings for text in {drawing.title, drawing.description} - {""})
    return {text for text, n in used.items() if n >= SERIES}


def _read(drawing: Drawing, often: set[str]) -> list[str]:
    title, description = ("" if text in often else text for text in (drawing.title, drawing.description))
    return split(title) + split(description)[:DESCRIBED] + split(PurePosixPath(drawing.path).stem)


def _names(word: str, classes: set[str]) -> bool:
    """Whether a word is the name of a class, or they begin alike: `signs`, `transport`."""
    return any(
        word == name or (min(len(word), len(name)) >= SHARED and (word.startswith(name) or name.startswith(word)))
        for name in classes
    )


def _series(kept: Sequence[Sequence[str]], authors: Sequence[str]) -> set[str]:
    """Words that are nearly only used by one author, and often."""
    users: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, author in zip(kept, authors, strict=True):
        for word in set(words):
            users[word][author] += 1
    return {
        word
        for word, used in users.items()
        if used.total() >= SERIES and 10 * max(used.values()) >= 9 * used.total()
    }
