"""Credentials never reach a journal, a page or a message."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"(?<=//)[^/\s]*@")


def redact(text: str) -> str:
    """The text with the `user:password@` of every address replaced by `***@`."""
    return _CREDENTIALS.sub("***@", text)
