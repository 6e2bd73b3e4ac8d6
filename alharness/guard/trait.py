"""One thing of the process that a plugin may change, how it is read, and how it is put back."""

from __future__ import annotations

import operator
import sys
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Loudness = Literal["reported", "quiet", "quiet after imports"]


@dataclass(frozen=True)
class Trait:
    """One thing of the process.

    Attributes:
        name: what it is called in a message.
        read: gives its value now, which must not change with it.
        write: puts a value back, or raises.
        same: whether two values are one.
        shown: the difference of two values in words; empty if the name says enough.
        loudness: `reported` warns of a change; `quiet` puts it back without a word, since no other plugin notices;
            `quiet after imports` does so if modules were imported meanwhile, many of which change it.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    _: KW_ONLY
    same: Callable[[Any, Any], bool] = operator.eq
    shown: Callable[[Any, Any], str] = lambda before, after: f"{before!r:.40} → {after!r:.40}"
    loudness: Loudness = "reported"

    def value(self) -> Any:
        """Its value, or `Unreadable`."""
        try:
            return self.read()
        except Exception as error:  # noqa: BLE001 - a closed file, a folder that is gone, a flag that torch keeps
            return Unreadable(type(error).__name__)

    def unchanged(self, before: Any, after: Any) -> bool:
        """Whether nothing is to be put back."""
        if isinstance(before, Unreadable):
            return True
        return not isinstance(after, Unreadable) and self.same(before, after)

    def difference(self, before: Any, after: Any) -> str:
        """Its name, and what became of it."""
        detail = "it cannot be read any more" if isinstance(after, Unreadable) else self.shown(before, after)
        return f"{self.name} ({detail})" if detail else self.name


@dataclass(frozen=True)
class Unreadable:
    """In place of a value that could not be read."""

    why: str


def imported(module: str, function: str, **arguments: Any) -> Any:
    """What a function of a module returns; None if it was not imported, or not yet as far as that."""
    found = getattr(sys.modules.get(module), function, None)
    return None if found is None else found(**arguments)


def nothing(_before: Any, _after: Any) -> str:
    """No words for a difference."""
    return ""


def cannot(_: object) -> None:
    """In place of a function that would put a value back."""
    raise NotImplementedError


def names(before: dict[str, Any], after: dict[str, Any]) -> str:
    """The names under which two mappings differ; never the values, which may be secret."""
    changed = [name for name in {**before, **after} if before.get(name) is not after.get(name)]
    return listed([name for name in changed if name not in before or before.get(name) != after.get(name)])


def listed(parts: list[str], limit: int = 6) -> str:
    """A few of them, and how many more there are."""
    more = f" and {len(parts) - limit} more" if len(parts) > limit else ""
    return ", ".join(parts[:limit]) + more
