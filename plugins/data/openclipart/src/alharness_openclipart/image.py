"""Features of pictures: directions of edges, colours, and their places. Whole numbers as far as possible.

Sums of whole numbers are the same on every machine, whatever the order in which it adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 96
"""Pixels of a picture's side."""
CELL = 16
DIRECTIONS = 9
SHADES = 4
"""Of each of red, green and blue: 64 colours."""
TILES = 8
SCALE = 255


def edges(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Histograms of oriented gradients (Dalal & Triggs, 2005): (n, 900) of 0 to SCALE.

    Args:
        images: (n, SIDE, SIDE, 3).
    """
    return np.concatenate([_edges(images[i : i + 256]) for i in range(0, len(images), 256)])


def _edges(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    grey = images.sum(axis=-1, dtype=np.int64)
    across = np.zeros_like(grey)
    down = np.zeros_like(grey)
    across[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    down[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    size = np.floor(np.sqrt((across**2 + down**2).astype(np.float64))).astype(np.int64)
    n, cells = len(images), SIDE // CELL
    angles = np.arange(DIRECTIONS) * np.pi / DIRECTIONS
    # Weights in whole numbers, so that the largest projection is the same one everywhere.
    weights = np.rint(1024 * np.stack([np.cos(angles), np.sin(angles)])).astype(np.int64)
    nearest = np.abs(across[..., None] * weights[0] + down[..., None] * weights[1]).argmax(axis=-1)
    found = np.zeros((n, cells, cells, DIRECTIONS), np.int64)
    for direction in range(DIRECTIONS):
        found[..., direction] = (
            np.where(nearest == direction, size, 0).reshape(n, cells, CELL, cells, CELL).sum(axis=(2, 4))
        )
    corners = [found[:, i : cells - 1 + i, j : cells - 1 + j] for i in (0, 1) for j in (0, 1)]
    blocks = np.concatenate(corners, axis=-1).astype(np.float64)
    norms = np.sqrt((np.concatenate(corners, axis=-1) ** 2).sum(axis=-1, keepdims=True).astype(np.float64))
    share = np.minimum(blocks / (norms + CELL * SCALE), 0.5)
    scaled: NDArray[np.int64] = np.rint(2 * SCALE * share).astype(np.int64).reshape(n, -1)
    return scaled


def colours(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Roots of the shares of 64 colours, (n, 64)."""
    shades = (images // (256 // SHADES)).astype(np.int64)
    kinds = (shades[..., 0] * SHADES + shades[..., 1]) * SHADES + shades[..., 2]
    counts = np.stack([np.bincount(kind.ravel(), minlength=SHADES**3) for kind in kinds])
    roots: NDArray[np.float64] = np.sqrt(counts / kinds[0].size)
    return roots


def tiles(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The picture in TILES × TILES pixels, (n, TILES · TILES · 3), 0 to 255."""
    n, block = len(images), SIDE // TILES
    sums = images.reshape(n, TILES, block, TILES, block, 3).sum(axis=(2, 4), dtype=np.int64)
    small: NDArray[np.int64] = (sums // block**2).reshape(n, -1)
    return small


def components(numbers: NDArray[Any], k: int) -> NDArray[np.float64]:
    """The first k principal components of whole numbers (n, d), largest first, (n, k).

    The matrix that is taken apart is exact. Each component's largest weight is positive.
    """
    x = numbers.astype(np.float64)
    n = len(x)
    scatter = n * (x.T @ x) - np.outer(x.sum(axis=0), x.sum(axis=0))  # whole numbers below 2^53
    _, vectors = np.linalg.eigh(scatter / float(n) ** 2)
    kept = vectors[:, ::-1][:, :k]
    kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(k)])
    found: NDArray[np.float64] = (x - x.mean(axis=0)) @ kept
    return found
