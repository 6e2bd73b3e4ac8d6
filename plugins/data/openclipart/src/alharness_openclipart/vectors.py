"""Words as vectors: weighted words and pieces of words, and their singular value decomposition."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

PIECES = (3, 4, 5)
"""Letters of a piece of a word, with marks of its ends."""
RARE = {"word": 2, "piece": 3}
"""Drawings that a word, or a piece, must be in."""


def vectors(texts: Sequence[Sequence[str]], k: int) -> NDArray[np.float64]:
    """Latent semantic analysis (Deerwester et al., 1990) of n texts: (n, k), largest component first.

    The weight of a term is (1 + log count) · log(n / texts that have it), and rows of words and of pieces have
    length 1 each, or 0 if there are none.
    """
    from scipy.sparse import hstack
    from scipy.sparse.linalg import svds

    matrix = hstack(
        [
            _weighted([Counter(words) for words in texts], RARE["word"]),
            _weighted([Counter(p for word in words for p in _pieces(word)) for words in texts], RARE["piece"]),
        ]
    ).tocsr()
    left, values, _ = svds(matrix, k=k, v0=np.ones(min(matrix.shape)), tol=0)
    order = np.argsort(-values)
    left, values = left[:, order], values[order]
    left = left * np.sign(left[np.abs(left).argmax(axis=0), np.arange(k)])
    found: NDArray[np.float64] = left * values
    return found


def _pieces(word: str) -> Iterator[str]:
    marked = f" {word} "
    for length in PIECES:
        yield from (marked[i : i + length] for i in range(len(marked) - length + 1))


def _weighted(counts: Sequence[Counter[str]], least: int) -> Any:
    from scipy.sparse import csr_matrix

    spread = Counter(term for found in counts for term in found)
    columns = {term: i for i, term in enumerate(sorted(t for t, n in spread.items() if n >= least))}
    data, indices, starts = [], [], [0]
    for found in counts:
        row = {
            columns[term]: (1 + math.log(count)) * math.log(len(counts) / spread[term])
            for term, count in found.items()
            if term in columns
        }
        length = math.sqrt(math.fsum(value**2 for value in row.values()))
        for column in sorted(row):
            indices.append(column)
            data.append(row[column] / length)
        starts.append(len(indices))
    return csr_matrix((data, indices, starts), shape=(len(counts), len(columns)))
