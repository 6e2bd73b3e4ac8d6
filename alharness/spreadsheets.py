"""Text for files that spreadsheets open. Light."""

from __future__ import annotations

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula; the last four are the wide forms, which some locales take for the same."""


def defused(text: str) -> str:
    """The text, behind an apostrophe if a spreadsheet would take it for a formula. Numbers stay as they are."""
    if not text.lstrip(" ").startswith(_FORMULAS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
