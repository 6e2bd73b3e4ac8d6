"""Pools in parts: rows are in several places, and the sampler asks them instead of reading views of everything.

A sampler opts in with two methods, `answer` and `select_in_parts`; a `ScoringSampler` whose scores belong to one
sample each has them already. Nothing that the coordinating process holds grows with the pool.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .sampler import Positions, Query, Sampler, Selection


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """A part of the pool, as the sampler sees it in the worker that has its rows.

    Attributes:
        query: as any other, but its unlabeled view has the rows of this part only, and `rng` is the part's own.
            The labeled view has all labeled samples.
        start: position in the whole pool of the part's first row. Parts are in the order of the pool.
        kept: a place for what the next question of the same query needs again; empty at its first.

    >>> import numpy as np
    >>> from alharness import Part
    >>> from alharness.testing import TensorView, make_query
    >>> part = Part(query=make_query(TensorView(n=3)), start=4)
    >>> drawn = part.uniforms(np.random.default_rng(0))
    >>> bool((drawn == np.random.default_rng(0).random(10)[4:7]).all())
    True
    """

    query: Query
    start: int
    kept: dict[str, Any] = field(default_factory=dict)

    def uniforms(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """What `rng.random(n)` of the whole pool would hold for the rows of this part, without the others.

        Args:
            rng: of the coordinating process, as it came with the question; it stays as it is.
        """
        import numpy as np

        bits: Any = deepcopy(rng.bit_generator)
        return np.random.Generator(bits.advance(self.start)).random(len(self.query.unlabeled))


class Parts(Protocol):
    """All parts of a pool, as the sampler sees them in the coordinating process.

    Attributes:
        sizes: rows of each part; none is empty.

    >>> def largest_first(parts):  # a question is whatever the sampler's `answer` understands
    ...     return sorted(parts.ask("best"), reverse=True)
    """

    sizes: tuple[int, ...]

    def ask(self, question: Any) -> list[Any]:
        """The answers of all parts, in their order. They work at the same time, if they can.

        Question and answers travel between machines: they can be pickled, and are small. Tensors arrive on the
        CPU.
        """
        ...


@runtime_checkable
class InParts(Protocol):
    """What a sampler has in addition if it can choose from a pool in parts.

    >>> from alharness.api.parts import InParts
    >>> from alharness import Sampler, ScoringSampler
    >>> class LeastConfident(ScoringSampler):
    ...     def score(self, query):
    ...         return -query.unlabeled.predictions().amax(dim=1)
    >>> isinstance(LeastConfident(), InParts), issubclass(Sampler, InParts)
    (True, False)
    """

    def answer(self, part: Part, question: Any) -> Any:
        """Answer a question of `select_in_parts`, in the worker that has the part's rows."""
        ...

    def select_in_parts(self, query: Query, parts: Parts) -> Positions | Selection:
        """`query.size` distinct positions in the whole pool, the first choice first.

        Args:
            query: its views have a length, the unlabeled one that of the whole pool, and nothing to read: the
                parts have that.
            parts: which are asked, any number of times.
        """
        ...


def needs_whole(sampler: Sampler) -> str:
    """Why a sampler cannot choose from a pool in parts; empty if it can.

    >>> from alharness import Sampler
    >>> from alharness.api.parts import needs_whole
    >>> class First(Sampler):
    ...     def select(self, query):
    ...         return range(query.size)
    >>> needs_whole(First())
    'it has no methods answer and select_in_parts'
    """
    from .sampler import ScoringSampler

    kind: Any = type(sampler)
    if not issubclass(kind, InParts):
        return "it has no methods answer and select_in_parts"
    if kind.select_in_parts is ScoringSampler.select_in_parts and not kind.by_row:
        return "its scores depend on the whole pool"
    return ""
