"""Plain words in docstrings, comments, messages and documentation, for readers whose second language is English.

`WORDS` has each pattern with the plain word. `EXCEPTIONS` has what is right all the same.
"""

import re
import subprocess
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUBJECT = (
    "(?:a|all|an|any|both|each|every|he|it|its|most|no|none|nothing|one|only|some|that|the|there|these|they|this|those"
    "|two|we|you)"
)
WORDS = {
    r"\banew\b": "again",
    r"\bas against\b|\b(?:held|hold) against\b": "compared with",
    r"\bbesides?\b": "next to, with, also",
    r"\bbut for\b(?! any)": "except",
    r"\beverybody\b": "all, everyone",
    r"\bfor want of\b|\bin want of\b": "because there is no",
    r"\b(?:goes|go|going|went|gone) on\b": "continue",
    r"\bhands? on\b": "forward",
    r"\bhence\b|\bthereof\b|\bwhence\b": "so, of it, from which",
    r"\b(?:in|out)side of\b": "inside, outside",
    r"\blearns? of\b": "is updated for",
    r"\blies?\b|\blain\b": "is",
    r"\bmend(?:s|ed|ing)?\b": "repair, correct",
    r"\b(?:nobody|somebody|nobody's|somebody's)\b": "no other, another, someone",
    r"\breckon(?:s|ed)?\b": "count",
    r"\bstands?\b(?!-)|\bstood\b": "is",
    r"\btells?\b(?!\()|\btelling\b|\b(?:is|are|was|were|be|been|as) told\b|[:,] told\b(?! =)": "say, show, report",
    r"\bto be had\b": "available",
    r"\bwhere " + SUBJECT + r"\b": "if",
    r"\bwhoever\b": "who, the one who",
    r"\bwhat it cannot\b": "name the thing",
}
ANY = re.compile("|".join(WORDS), re.IGNORECASE)
EXCEPTIONS = ()
"""Parts of lines that are right as they are, such as the title of a paper."""


def prose(path):
    """Lines of text and their numbers: of Python the comments and strings, of other files all but code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in kinds:
                for number, line in enumerate(token.string.splitlines()):
                    yield token.start[0] + number, line


def odd(path):
    """The lines of a file with a word that has a plainer one."""
    for number, line in prose(path):
        if not ANY.search(line) or any(right in line for right in EXCEPTIONS):
            continue
        for pattern, plain in WORDS.items():
            if found := re.search(pattern, line, flags=re.IGNORECASE):
                yield f"{path}:{number}: {found[0]!r}, plainly: {plain}: {line.strip()}"


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split()
    written = (".py", ".md", ".yaml", ".ipynb")
    return [ROOT / name for name in names if name.endswith(written) and (ROOT / name).is_file()]


@pytest.mark.parametrize("line", ["# It stands beside it.", '"""Told anew where it is."""', "nobody goes on"])
def test_an_odd_word_is_found(tmp_path, line):
    page = tmp_path / "page.md"
    page.write_text(line)
    assert list(odd(page))


def test_words_are_plain():
    found = [line for path in tracked() if path != Path(__file__) for line in odd(path)]
    assert not found, "\n".join(found)
