"""GRACE on a pool in parts: estimated from anchors for all samples, exact for those that may be chosen.

What criteria need of the whole pool are few numbers: root mean squares and ranges, which parts add up, and
distances to all other samples. These are estimated first, from the same random samples for all, the anchors. The
samples with the largest scores are candidates; their distances to the whole pool are then computed exactly, and so
are those of the samples at both ends of the range. If all that matters is among them, the choice is that of a pool
in one piece.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from alharness import SamplerError, Selection
from alharness.kernels import cross_sums_of_distances, top_k

from .sampler import rounding
from .variants import Grace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from alharness import Part, Parts, Query
    from alharness.kernels.gradients import HeadGradients

    from .params import GraceParams
    from .sampler import Pair

ANCHORS = 1000
"""Random samples that distances are estimated from, unless `representativeness_anchors` says how many."""
CANDIDATES = 4
"""Samples with exact distances, for each one that is chosen; and 32 more."""
ENDS = 32
"""Samples at each end of the estimated range whose distances are computed exactly."""


class Wanted(NamedTuple):
    """A part cannot continue without a root mean square over the pool.

    Attributes:
        name: of it.
        squares: sum of the squares in this part.
        values: how many they are.
    """

    name: str
    squares: float
    values: int


class Range(NamedTuple):
    """Smallest and largest value of a criterion, and how much may be rounding.

    Attributes:
        low: the smallest.
        high: the largest.
        tolerance: share of the largest magnitude.
    """

    low: float
    high: float
    tolerance: float

    @classmethod
    def joined(cls, ranges: Sequence[Range]) -> Range:
        """That of all parts."""
        lows, highs, tolerances = zip(*ranges, strict=True)
        return cls(min(lows), max(highs), max(tolerances))

    def scale(self, raw: Tensor) -> Tensor:
        """To [0, 1] over the pool, as `min_max`."""
        width = self.high - self.low
        if width <= self.tolerance * max(abs(self.low), abs(self.high)):
            return torch.ones_like(raw)
        return (raw - self.low) / width


class Sample(NamedTuple):
    """Samples of a part, by rows.

    Attributes:
        positions: (c,) in the whole pool.
        features: each (c, D), what distances are between.
        informativeness: (c,) raw.
        easiness: (c,) raw.
        guesses: (c,) estimated sums of distances to all samples.
        scores: (c,) estimated.
    """

    positions: Tensor
    features: list[Tensor]
    informativeness: Tensor
    easiness: Tensor
    guesses: Tensor
    scores: Tensor


class GraceInParts(Grace):
    """GRACE that chooses from a pool in one piece or in parts."""

    def answer(self, part: Part, question: tuple[Any, ...]) -> Any:
        """Call a method of the part's `PartGrace`."""
        if "grace" not in part.kept:
            part.kept["grace"] = PartGrace(self.params, part)
        name, *of = question
        return getattr(part.kept["grace"], name)(*of)

    def select_in_parts(self, query: Query, parts: Parts) -> Selection:
        """Exact for the candidates, which are found by estimates; see the head of this file."""
        return choose(self, query, parts)

    def combined(self, s_i: Tensor, s_r: Tensor, s_e: Tensor, ranges: Sequence[Range], alpha: float) -> Tensor:
        """(n,) s from raw criteria, whose ranges over the pool are given in the same order."""
        i, r, e = (known.scale(raw) for known, raw in zip(ranges, (s_i, s_r, s_e), strict=True))
        return alpha * e + self.active_value(i, r)


class PartGrace(GraceInParts):
    """GRACE in one part: what the whole pool must say is an argument."""

    def __init__(self, params: GraceParams, part: Part) -> None:
        super().__init__(params)
        self._part = part
        self._known: dict[str, float] = {}
        self._differentiated: HeadGradients | None = None

    def rms(self, name: str, values: Tensor) -> float:
        """Of the whole pool, once it is known."""
        if name not in self._known:
            raise _WantedError(Wanted(name, values.double().square().sum().item(), values.numel()))
        return self._known[name]

    def differentiate(self, query: Query, loss: Callable[[Tensor, Tensor], Tensor]) -> HeadGradients:
        """Once, however often it is asked again."""
        if self._differentiated is None:
            self._differentiated = super().differentiate(query, loss)
        return self._differentiated

    def begin(self, known: Mapping[str, float]) -> Wanted | tuple[Range, Range]:
        """The ranges of informativeness and easiness, if it knows enough of the whole pool."""
        self._known = dict(known)
        try:
            self.G: dict[str, Pair] = self.gradients(self._part.query)
        except _WantedError as error:
            return error.wanted
        self._differentiated = None
        self.s_i, self.s_e = self.informativeness(self.G), self.easiness(self.G)
        self.features = self.compared(self._part.query, self.G)
        tolerance = rounding(self.G)
        return self._range(self.s_i, tolerance), self._range(self.s_e, tolerance)

    def rows(self, positions: Tensor) -> list[Tensor]:
        """The features of those of these samples that are here."""
        own = self._own(positions)
        rows = own[own >= 0]
        return [X[rows] for X in self.features]

    def estimate(self, anchors: list[Tensor], positions: Tensor, total: int) -> Range:
        """Estimate the sums of distances to all samples, from those to the anchors; their range."""
        own = self._own(positions)
        sums, _ = cross_sums_of_distances(self.features, self._here(anchors), own)
        others = torch.full_like(sums, len(positions))
        others[own[own >= 0]] -= 1
        self.guesses = sums / others.clamp(min=1) * (total - 1)
        return self._range(self.guesses, rounding(self.G))

    def best(self, most: int, ranges: tuple[Range, Range, Range], sums: Range, alpha: float, total: int) -> Sample:
        """The samples with the largest estimated scores, and those at both ends of the range of distances."""
        raw = self.represented(self.guesses, sums.high, total)
        scores = self.combined(self.s_i, raw, self.s_e, ranges, alpha)
        n = len(scores)
        ends = [top_k(sign * self.guesses, min(ENDS, n)) for sign in (-1, 1)]
        rows = torch.cat([top_k(scores, min(most, n)), *ends])
        rows = _distinct(rows)
        return Sample(
            rows + self._part.start,
            [X[rows] for X in self.features],
            self.s_i[rows],
            self.s_e[rows],
            self.guesses[rows],
            scores[rows],
        )

    def sums(self, features: list[Tensor], positions: Tensor) -> Tensor:
        """(c,) distances of these samples to all that are here."""
        return cross_sums_of_distances(self.features, self._here(features), self._own(positions))[1]

    def _own(self, positions: Tensor) -> Tensor:
        """(c,) rows of these samples; -1 for those of other parts."""
        rows = positions.to(self._part.query.device) - self._part.start
        return rows.where((rows >= 0) & (rows < len(self._part.query.unlabeled)), -1)

    def _here(self, features: list[Tensor]) -> list[Tensor]:
        return [x.to(self._part.query.device) for x in features]

    @staticmethod
    def _range(values: Tensor, tolerance: float) -> Range:
        low, high = values.aminmax()
        return Range(low.item(), high.item(), tolerance)


class _WantedError(Exception):
    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted.name)
        self.wanted = wanted


def choose(grace: GraceInParts, query: Query, parts: Parts) -> Selection:
    """The samples with the largest scores; see the head of this file.

    Raises:
        SamplerError: there is no model, or the parameters ask for what needs all samples in one place.
    """
    if not query.modalities:
        raise SamplerError(
            "it needs representations of modalities and the heads of a model; this pool has neither"
        )
    params = grace.params
    if params.normalize == "rank" or params.distance != "euclidean":
        wrong = "normalize: rank" if params.normalize == "rank" else f"distance: {params.distance}"
        raise SamplerError(f"{wrong} needs all samples in one place, and this pool is in parts; leave it out")
    total = sum(parts.sizes)
    if query.size == 0:
        return Selection(torch.empty(0, dtype=torch.int64))
    s_i, s_e = _begun(parts)
    drawn = query.rng.choice(total, min(total, (params.representativeness_anchors or ANCHORS) + 1), replace=False)
    positions = torch.from_numpy(drawn).sort().values
    anchors = _joined(parts.ask(("rows", positions)))
    sums = Range.joined(parts.ask(("estimate", anchors, positions, total)))
    alpha = grace.alpha(query)
    most = CANDIDATES * query.size + 32
    ranges = (s_i, _represented(grace, sums, total), s_e)
    found = parts.ask(("best", most, ranges, sums, alpha, total))
    exact = _candidates(found, most)
    distances = torch.stack(parts.ask(("sums", exact.features, exact.positions))).sum(0)
    tolerance = sums.tolerance
    sums = Range(distances.min().item(), distances.max().item(), tolerance)
    raw = grace.represented(distances, sums.high, total)
    ranges = (s_i, _represented(grace, sums, total), s_e)
    scores = grace.combined(exact.informativeness, raw, exact.easiness, ranges, alpha)
    query.log("curriculum_alpha", alpha)
    query.log("candidates", len(scores))
    width = sums.high - sums.low
    error = (exact.guesses - distances).square().mean().sqrt().item()
    query.log("estimation_error", error / width if width else 0.0)
    best = top_k(scores, query.size)
    return Selection(exact.positions[best], scores[best])


def _begun(parts: Parts) -> tuple[Range, Range]:
    """The ranges of informativeness and easiness over the pool."""
    known: dict[str, float] = {}
    while True:
        answers = parts.ask(("begin", known))
        if not isinstance(answers[0], Wanted):
            ranges = [Range.joined([answer[i] for answer in answers]) for i in range(2)]
            return ranges[0], ranges[1]
        squares, count = (sum(answer[i] for answer in answers) for i in (1, 2))
        known[answers[0].name] = (squares / count) ** 0.5


def _represented(grace: GraceInParts, sums: Range, total: int) -> Range:
    """The range of representativeness, from that of the sums of distances."""
    ends = grace.represented(torch.tensor([sums.low, sums.high], dtype=torch.float64), sums.high, total)
    return Range(ends.min().item(), ends.max().item(), sums.tolerance)


def _candidates(found: Sequence[Sample], most: int) -> Sample:
    """Of all parts: those with the largest estimated scores, and the ends of the range, by position."""
    positions = torch.cat([part.positions for part in found])
    s_i, s_e = torch.cat([part.informativeness for part in found]), torch.cat([part.easiness for part in found])
    guesses, scores = torch.cat([part.guesses for part in found]), torch.cat([part.scores for part in found])
    ends = [top_k(sign * guesses, min(ENDS, len(guesses))) for sign in (-1, 1)]
    rows = torch.cat([top_k(scores, min(most, len(scores))), *ends])
    rows = _distinct(rows)
    features = [x[rows] for x in _joined([part.features for part in found])]
    return Sample(positions[rows], features, s_i[rows], s_e[rows], guesses[rows], scores[rows])


def _distinct(rows: Tensor) -> Tensor:
    """(c,) ascending, each once."""
    ordered = rows.sort().values
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def _joined(features: Sequence[list[Tensor]]) -> list[Tensor]:
    """Those of all parts, one after another."""
    return [torch.cat(columns) for columns in zip(*features, strict=True)]
