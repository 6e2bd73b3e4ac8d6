"""What is fixed about the data set: its files, its modalities and its terms. No heavy imports."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent / "data"
MANIFEST = "manifest.json"
"""How the features were made, what was left out, and the checksums of the files."""
DRAWINGS = "drawings.csv"
"""Id, path and author of each drawing, in the order of the rows of all arrays."""
MODALITIES = ("image", "text", "structure")
SPLITS = ("random", "author", "theme")

SUMMARY = "4921 real drawings in 13 classes as picture, words and structure; nothing to download"
SOURCE = "Open Clip Art Library 0.18 (openclipart.org), as Debian's package openclipart-svg 0.18+dfsg-19"
LICENSE = "public domain, as each drawing's file says"
