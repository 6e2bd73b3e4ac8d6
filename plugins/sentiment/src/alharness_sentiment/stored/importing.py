"""What imports share: a bar, checksums, and values and lengths corrected, counted, and put in words."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .manifest import Repairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from .manifest import Manifest
    from .plugin import Published

BLOCK = 4 * 2**20

WORDS = {
    "nan": "NaN values set to 0",
    "inf": "infinite values set to 0",
    "empty": "sequences of length 0 taken as length 1",
    "cut": "sequences longer than the array cut to its length",
}
"""Field of `Repairs` -> what was done."""


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs, if stderr is a terminal. Yields the function that moves it on."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda amount: bar.update(task, advance=amount)


def file_digest(path: Path, advance: Callable[[int], None]) -> str:
    """The sha256 in hexadecimal; `advance` gets the number of bytes after each block."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha.update(block)
            advance(len(block))
    return sha.hexdigest()


class Cleaner:
    """Corrects the blocks of one modality of one split, and keeps count."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(WORDS, 0)

    def values(self, block: NDArray[Any]) -> NDArray[np.float32]:
        """The block as float32; what is NaN, infinite, or too large for float32 becomes 0."""
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            single = np.array(block, np.float32)
        bad = ~np.isfinite(single)
        if bad.any():
            nan = int(np.isnan(single).sum())
            self._counts["nan"] += nan
            self._counts["inf"] += int(bad.sum()) - nan
            single[bad] = 0
        return single

    def lengths(self, lengths: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
        """Lengths within 1 and `steps`. A mean over no step at all would be NaN."""
        self._counts["empty"] += int((lengths < 1).sum())
        self._counts["cut"] += int((lengths > steps).sum())
        return lengths.clip(1, steps)

    @property
    def repairs(self) -> Repairs:
        """What was corrected."""
        return Repairs(**self._counts)


def describe_repairs(manifest: Manifest) -> Iterator[str]:
    """A line for each modality and split in which anything was corrected."""
    for split, modalities in manifest.repairs.items():
        for modality, repairs in modalities.items():
            counts = [(getattr(repairs, kind), words) for kind, words in WORDS.items()]
            if found := ", ".join(f"{count:,} {words}" for count, words in counts if count):
                yield f"{split}, {modality}: {found}"


def describe_import(manifest: Manifest, published: Published) -> list[str]:
    """The lines that an import shows: sizes, repairs, remarks, and what the publishers ask for."""
    train, valid, test = manifest.sizes
    return [
        f"{train:,} train, {valid:,} valid, {test:,} test; {', '.join(manifest.modalities)}",
        *describe_repairs(manifest),
        *manifest.remarks,
        f"Terms: {published.terms}",
        f"Please cite: {published.citation}",
    ]
