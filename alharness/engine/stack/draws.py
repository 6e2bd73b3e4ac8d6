"""Random numbers of the members of a stack: each has a stream of its own, a function of its seed and the step.

A member's numbers do not depend on its companions, nor on the device: they are a hash of its seed, the step and
their position, computed for all members at once with integers alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

Kind = Literal["kept", "uniform", "normal", "permutation"]

HALVES = 2**16
"""Values of the 16 bits from which is decided whether dropout keeps a number."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What a model draws in one step, for one member.

    Attributes:
        kind: `kept` is `value` with probability `share`, else 0; `uniform` is in [0, 1); `normal` has variance 1;
            `permutation` is an order of the numbers below the last size.
        shape: its sizes.
        share: of `kept`, to 1/65536.
        value: of `kept`.
    """

    kind: Kind
    shape: tuple[int, ...]
    share: float = 1.0
    value: float = 1.0

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)


class Streams:
    """The random streams of the members of a stack.

    Args:
        seeds: one for each member, below 2**64.
        device: of the numbers.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self._seeds = np.array(seeds, dtype=np.uint64)
        self._device = device

    def __len__(self) -> int:
        return len(self._seeds)

    def keep(self, members: Sequence[int]) -> None:
        """Keep only the members at these positions."""
        self._seeds = self._seeds[list(members)]

    def keys(self, steps: Sequence[int]) -> Tensor:
        """(steps, 2, members, 1) int32: what makes the numbers of each step; see `draw`."""
        mixed = _mixed(self._seeds[None] ^ _mixed(np.array(steps, dtype=np.uint64))[:, None])
        halves = mixed.view(np.int32).reshape(len(steps), len(self._seeds), 2)
        keys = torch.from_numpy(np.ascontiguousarray(halves.transpose(0, 2, 1))[..., None])
        return keys.to(self._device, non_blocking=True)

    def draw(self, draws: Sequence[Draw], key: Tensor) -> list[Tensor]:
        """The numbers of one step, (members, *shape) each.

        Args:
            draws: what is drawn, in this order.
            key: (2, members, 1), one of `keys`.
        """
        halves = sum(draw.size for draw in draws if draw.kind == "kept")
        words = sum(draw.size * (2 if draw.kind == "normal" else 1) for draw in draws if draw.kind != "kept")
        if not halves + words:
            return []
        # Words first, so that every 16-bit number after them is a half of a word.
        bits = self._bits(words + (halves + 1) // 2, key)
        shorts = bits[:, words:].view(torch.int16)
        found, word, half = [], 0, 0
        for (kind, share, value), alike in groupby(draws, key=lambda draw: (draw.kind, draw.share, draw.value)):
            together = [*alike]
            if kind == "kept":
                sizes = [draw.size for draw in together]
                part = shorts[:, half : half + sum(sizes)]
                half += sum(sizes)
                numbers = torch.split(_kept(share, value, part), sizes, dim=1)
                found += [x.view(-1, *draw.shape) for x, draw in zip(numbers, together, strict=True)]
                continue
            for draw in together:
                size = draw.size * (2 if kind == "normal" else 1)
                found.append(_numbers(draw, bits[:, word : word + size]).view(-1, *draw.shape))
                word += size
        return found

    def orders(self, rows: int, key: Tensor) -> Tensor:
        """(members, rows) int64: an order of so many rows for each member."""
        (found,) = self.draw([Draw(kind="permutation", shape=(rows,))], key)
        return found

    def _bits(self, count: int, key: Tensor) -> Tensor:
        """(members, count) int32, each bit 0 or 1 with probability 1/2.

        The mixing is that of a 32-bit hash with two multiplications, found by Chris Wellons's search for the least
        bias (hash-prospector, 2018); a second key between them makes the streams of two members different
        sequences, not parts of one.
        """
        # Folding what two numbers have not in common is to fold each of them: so it takes one pass, and not three.
        x = _counters(count, self._device) ^ _folded(key[0], 16)
        x = torch.add(key[1], x, alpha=0x7FEB352D, out=x)
        shifted = torch.bitwise_right_shift(x, 15)
        x ^= shifted.bitwise_and_(0x1FFFF)
        x *= 0x846CA68B - 2**32
        x ^= torch.bitwise_right_shift(x, 16, out=shifted).bitwise_and_(0xFFFF)
        return x


@lru_cache(maxsize=32)
def _counters(count: int, device: torch.device) -> Tensor:
    """(count,) the first numbers, folded."""
    return _folded(torch.arange(count, dtype=torch.int32, device=device), 16)


def _folded(x: Tensor, bits: int) -> Tensor:
    """x, with its upper bits added to its lower ones without carry."""
    return x ^ (x >> bits & (1 << 32 - bits) - 1)


def _kept(share: float, value: float, halves: Tensor) -> Tensor:
    """`value` for numbers of 16 bits below the threshold, 0 for others."""
    if share >= 1:
        return torch.full_like(halves, value, dtype=torch.float)
    threshold = round(share * HALVES) - HALVES // 2
    # A comparison would take four times as long on a CPU: it does not fill registers. The difference is at least
    # twice the value for those that are kept, and negative for others.
    scale, found = 4 * value, halves.float()
    return torch.add(torch.tensor((threshold - 0.5) * scale), found, alpha=-scale, out=found).clamp_(0, value)


def _numbers(draw: Draw, bits: Tensor) -> Tensor:
    if draw.kind == "permutation":
        return bits.view(len(bits), *draw.shape).argsort(dim=-1, stable=True)
    uniform = (bits & 0xFFFFFF).float().mul_(2**-24)
    if draw.kind == "uniform":
        return uniform
    # Box and Muller (1958); 1 - u is never 0.
    first, second = uniform.chunk(2, dim=1)
    return (-2 * (1 - first).log()).sqrt() * (2 * math.pi * second).cos()


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of SplitMix64 (Steele, Lea & Flood, 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return found
