"""Around each call of a plugin: changes to the process are put back, exceptions name the plugin."""

from __future__ import annotations

import sys
import warnings
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from alharness.errors import HarnessError, blaming

from . import functions, interpreter, libraries, process, pytorch
from .trait import Trait, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet
    from types import TracebackType

TRAITS: tuple[Trait, ...] = (
    # First what the other traits need to be put back.
    *interpreter.traits(),
    *functions.traits(),
    *process.traits(),
    *libraries.traits(),
    *pytorch.traits(),
)


class Snapshot:
    """The state of the process at one moment."""

    def __init__(self) -> None:
        self._values = [trait.value() for trait in TRAITS]
        self._modules = len(sys.modules)

    def changes(self) -> list[str]:
        """What differs now, in words; nothing is put back."""
        return [trait.difference(before, after) for trait, before, after in self._differing()]

    def put_back(self) -> tuple[list[str], list[str]]:
        """Put back what differs.

        Returns what was put back and should be reported, and what could not be put back, in words.
        """
        imported = len(sys.modules) > self._modules
        reported: list[str] = []
        lasting: list[str] = []
        for trait, before, after in self._differing():
            words = trait.difference(before, after)
            if not _written(trait, before):
                lasting.append(words)
            elif trait.loudness == "reported" or (trait.loudness == "quiet after imports" and not imported):
                reported.append(words)
        return reported, lasting

    def _differing(self) -> Iterator[tuple[Trait, Any, Any]]:
        for trait, before in zip(TRAITS, self._values, strict=True):
            after = trait.value()
            if not trait.unchanged(before, after):
                yield trait, before, after


def _written(trait: Trait, before: Any) -> bool:
    try:
        trait.write(before)
    except Exception:  # noqa: BLE001 - whatever the reason, the next plugin would meet it
        return False
    return trait.unchanged(before, trait.value())


class Border:
    """Between the harness and one plugin.

    Args:
        culprit: the plugin and its distribution, for messages.
        kind: what its errors become.
        warn: gets the changes that were put back; by default it makes a Python warning.
        passing: errors that the harness itself raises inside; they are not the plugin's fault.
        known: changes of another plugin whose code runs inside too: they are not reported again.

    Attributes:
        told: changes that were reported.
    """

    def __init__(
        self,
        culprit: str,
        kind: type[HarnessError],
        warn: Callable[[str], None] = warnings.warn,
        *,
        passing: tuple[type[HarnessError], ...] = (),
        known: AbstractSet[str] = frozenset(),
    ) -> None:
        self.culprit, self.kind = culprit, kind
        self.warn, self._passing, self._known = warn, passing, known
        self.reported: set[str] = set()

    def crossed(self, moment: str = "") -> AbstractContextManager[None]:
        """Inside, the plugin's code runs.

        Args:
            moment: when, for messages; such as `cycle 2`.

        Raises:
            HarnessError: of the border's kind, with its culprit: the code raised, or changed something of the
                process that cannot be put back.
        """
        return _Crossing(self, moment)

    @contextmanager
    def blamed(self, moment: str = "") -> Iterator[None]:
        """As `crossed`, but without reading the process: for short and frequent calls."""
        with blaming(self.culprit, self.kind, moment=moment, passing=self._passing):
            yield

    def settle(self, reported: list[str], lasting: list[str]) -> None:
        """Report what was put back, and refuse what could not be."""
        if new := [words for words in reported if words not in self._known]:
            self.reported.update(new)
            self.warn(f"{self.culprit} changed {listed(new)}; it was put back, so that no other plugin meets it")
        if lasting:
            raise self.kind(
                f"it changed {listed(lasting)}, which cannot be put back; the call is refused, since every other "
                "plugin would meet it"
            )


class _Crossing(AbstractContextManager[None]):
    """See `Border.crossed`. Not a generator: those need more calls than a plugin may have left."""

    def __init__(self, border: Border, moment: str) -> None:
        self._border, self._blamed = border, border.blamed(moment)

    def __enter__(self) -> None:
        self._blamed.__enter__()
        # Bound now: the plugin may replace even these.
        self._put_back, self._settle = Snapshot().put_back, self._border.settle
        self._depth = sys.getrecursionlimit()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        depth = ["the recursion limit"] if sys.getrecursionlimit() != self._depth else []
        sys.setrecursionlimit(self._depth)
        try:
            reported, lasting = self._put_back()
            self._settle([*depth, *reported], lasting)
        except BaseException as worse:
            self._blamed.__exit__(type(worse), worse, worse.__traceback__)
            raise
        return self._blamed.__exit__(kind, error, trace)
