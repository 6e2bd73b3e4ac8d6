"""The value of a word in a YAML file, by the YAML 1.2 core rules, and how to write it back.

PyYAML follows YAML 1.1, in which `no` is false, `12:30` is 750, `010` is 8 and `1e-3` is text. The rules here are
those of https://yaml.org/spec/1.2.2/#103-core-schema, except that numbers with leading zeros are text, because
one reader takes them for octal, the next for decimal, and the third for an id.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

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
