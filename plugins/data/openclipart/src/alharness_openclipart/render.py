"""Pictures of drawings, by resvg in a process of its own that can be ended. No font and no other file is used."""

from __future__ import annotations

import io
import multiprocessing
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from alharness import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

DPI = 90
"""Dots per inch: what editors of the time took for lengths in pt and mm."""
PATIENCE = 60.0
"""Seconds for one drawing; the slowest takes a quarter of one."""
FIRST = 192
"""Pixels of a page's longer side in the first look, which finds what is drawn on it."""
LARGEST = 3000
"""The same in the second, at most."""
NEEDED = "needs resvg_py and Pillow: pip install 'alharness-openclipart[raw]'"

OUTSIDE = re.compile(rb"""(xlink:)?href\s*=\s*("(?!\s*(#|data:))[^"]*"|'(?!\s*(#|data:))[^']*')""")
"""A reference to something that is not in the drawing itself."""


def render(drawings: Mapping[str, bytes], side: int) -> Iterator[NDArray[np.uint8]]:
    """The picture of each drawing, (side, side, 3).

    Raises:
        DataError: the libraries are not installed, or a drawing cannot be rendered, which is named.
    """
    _require()
    worker = _Worker(side)
    try:
        for name, content in drawings.items():
            yield worker.render(name, content)
    finally:
        worker.end()


def _require() -> None:
    if missing := [name for name in ("PIL", "resvg_py") if find_spec(name) is None]:
        raise DataError(f"rendering {NEEDED} ({' and '.join(missing)} not found)")


class _Worker:
    """A process that renders one drawing after another."""

    def __init__(self, side: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, side), daemon=True)
        self._process.start()
        there.close()

    def render(self, name: str, content: bytes) -> NDArray[np.uint8]:
        try:
            self._here.send(content)
            if not self._here.poll(PATIENCE):
                raise DataError(f"{name}: is not rendered within {PATIENCE:.0f} seconds")
            result = self._here.recv()
        except (EOFError, OSError):
            raise DataError(f"{name}: ends the process that renders it") from None
        if isinstance(result, str):
            raise DataError(f"{name}: cannot be rendered: {result}")
        image: NDArray[np.uint8] = result
        return image

    def end(self) -> None:
        self._here.close()
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, side: int) -> None:
    while True:
        try:
            content = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(picture(content, side))
        except Exception as error:  # noqa: BLE001 - of any kind: the drawing is named with it
            pipe.send(f"{type(error).__name__}: {error}")


def picture(content: bytes, side: int) -> NDArray[np.uint8]:
    """What is drawn, as (side, side, 3): as large as it fits, in the middle, on white.

    A small drawing on a large page is made larger, up to LARGEST pixels of the page.
    """
    # A picture from a file of this machine would be part of it: nothing outside the drawing is looked at.
    text = OUTSIDE.sub(b'href="#"', content).decode("utf-8", errors="replace")
    canvas = np.full((side, side, 3), 255, np.uint8)
    first = _drawn(_page(text, FIRST))
    if not first.size:
        return canvas
    longest = min(FIRST * (side - 1) // max(first.shape[:2]), LARGEST)
    seen = _drawn(_page(text, longest))[:side, :side]
    height, width = seen.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = seen
    return canvas


def _page(text: str, longest: int) -> NDArray[np.uint8]:
    """The whole page on white, (height, width, 3), its longer side so many pixels."""
    import resvg_py
    from PIL import Image

    def page(*, width: int | None = None, height: int | None = None) -> Image.Image:
        png = resvg_py.svg_to_bytes(svg_string=text, dpi=DPI, skip_system_fonts=True, width=width, height=height)
        return Image.open(io.BytesIO(png)).convert("RGBA")

    image = page(width=longest)
    if image.height > longest:
        image = page(height=longest)
    pixels = np.asarray(image, dtype=np.uint32)
    opacity = pixels[..., 3:]
    flat: NDArray[np.uint8] = ((pixels[..., :3] * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
    return flat


def _drawn(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of a page that is not white around; empty if all is white."""
    marked = (page != 255).any(axis=-1)
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not len(rows):
        return page[:0, :0]
    return page[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
