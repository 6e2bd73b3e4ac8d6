"""What is in `openclipart`, what leaks, and which features were tried: the tables and the picture of its page.

    python studies/openclipart.py openclipart-svg_1%3a0.18+dfsg-19_all.deb > tables.md

prints the tables that `docs/reference/openclipart.md` shows, and writes the picture
`docs/images/openclipart_drawings.png`. It needs `requirements/openclipart.txt`, and some minutes. A probe is
logistic regression on standardized features.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler

from alharness_openclipart import image, package, table
from alharness_openclipart.build import EDGES, TILED, WORDS
from alharness_openclipart.drawings import parse
from alharness_openclipart.facts import DATA, MODALITIES
from alharness_openclipart.render import render
from alharness_openclipart.vectors import vectors
from alharness_openclipart.words import split as words_of
from alharness_openclipart.words import texts

SHEET = Path(__file__).parents[1] / "docs" / "images" / "openclipart_drawings.png"
FEW = 400
SEEDS = 3
PATCH, CENTRES = 6, 256

Array = NDArray[Any]
Rows = Sequence[table.Row]


def main() -> None:
    """Print the tables and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = table.rows()
    labels = np.array([row.label for row in rows])
    arrays = {m: np.load(DATA / f"{m}.npy").astype(np.float64) for m in MODALITIES}
    found = package.read(asked.package)
    pictures = np.stack(list(render({row.path: found.drawings[row.path] for row in rows}, image.SIDE)))
    sheet(rows, pictures)
    of_classes(rows)
    of_splits(rows, labels, arrays)
    of_texts(found, rows, labels)
    of_images(pictures, labels, arrays)


def heading(*columns: str) -> None:
    """Begin a table."""
    print(f"\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")


def line(*cells: object) -> None:
    """A line of it."""
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


def probe(features: Array, labels: Array, pool: Array, test: Array) -> tuple[float, ...]:
    """Weighted and plain mean over classes of F1 on the test, in per cent."""
    scale = StandardScaler().fit(features[pool])
    model = LogisticRegression(C=0.01, max_iter=100).fit(scale.transform(features[pool]), labels[pool])
    said = model.predict(scale.transform(features[test]))
    return tuple(100 * f1_score(labels[test], said, average=average) for average in ("weighted", "macro"))


def drawn(n: int, seed: int) -> tuple[Array, Array]:
    """Pool and test of a drawn split."""
    order = np.random.default_rng(seed).permutation(n)
    train, valid, _ = table.sizes("random")
    return order[:train], order[train + valid :]


def of_classes(rows: Rows) -> None:
    """How large classes are, and who drew them."""
    heading("class", "drawings", "authors", "themes", "largest author")
    for name in table.classes(rows):
        those = [row for row in rows if row.label == name]
        authors = Counter(row.group("author") for row in those)
        _, most = authors.most_common(1)[0]
        line(
            name, len(those), len(authors), len({row.group("theme") for row in those}), f"{most / len(those):.0%}"
        )
    line(
        "all",
        len(rows),
        len({row.group("author") for row in rows}),
        len({row.group("theme") for row in rows}),
        f"{Counter(row.group('author') for row in rows).most_common(1)[0][1] / len(rows):.0%}",
    )


def of_splits(rows: Rows, labels: Array, arrays: dict[str, Array]) -> None:
    """What each modality says, by split."""
    splits = {"random": [drawn(len(rows), seed) for seed in range(SEEDS)]}
    for name in ("theme", "author"):
        parts = np.array(table.parts(name))
        splits[name] = [(np.flatnonzero(parts == "train"), np.flatnonzero(parts == "test"))]
    sources = {m: [m] for m in MODALITIES} | {
        f"{a} + {b}": [a, b] for a, b in (("image", "text"), ("image", "structure"), ("text", "structure"))
    }
    sources["all three"] = list(MODALITIES)
    heading("F1, weighted / macro", *splits)
    most = Counter(labels).most_common(1)[0][0]
    said = np.full(len(labels), most)
    line(
        "the largest class",
        *(
            f"{100 * f1_score(labels[t], said[t], average='weighted'):.0f} / "
            f"{100 * f1_score(labels[t], said[t], average='macro'):.0f}"
            for t in (pairs[0][1] for pairs in splits.values())
        ),
    )
    for name, used in sources.items():
        features = np.hstack([arrays[m] for m in used])
        cells = []
        for pairs in splits.values():
            scores = np.array([probe(features, labels, *pair) for pair in pairs])
            cells.append(" / ".join(f"{score:.1f}" for score in scores.mean(axis=0)))
        line(name, *cells)


def of_texts(found: package.Package, rows: Rows, labels: Array) -> None:
    """Other features of words."""
    every = {name: parse(name, content) for name, content in found.drawings.items()}
    kept = [every[row.path] for row in rows]
    said = texts(kept, sorted({drawing.folder for drawing in every.values()}))
    whole = [words_of(f"{d.title} {d.description}") + words_of(Path(d.path).stem) for d in kept]
    pool, test = drawn(len(rows), 0)
    hashed = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=2**16)
    random = np.random.default_rng(0).choice([-1.0, 1.0], size=(2**16, WORDS))
    joined = np.array([" ".join(words) for words in said.words])

    def fitted(those: Array) -> Array:
        weigh = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True)
        found_in = TruncatedSVD(WORDS, random_state=0).fit(weigh.fit_transform(joined[those]))
        projected: Array = found_in.transform(weigh.transform(joined))
        return projected

    tried = {
        f"as shipped: words and their pieces, {WORDS} components": vectors(said.words, WORDS),
        "the same, 80 components": vectors(said.words, 80),
        "the same, 240 components": vectors(said.words, 240),
        f"pieces, hashed, {WORDS} random projections: nothing is fitted": hashed.transform(joined) @ random,
        "as shipped, with the words that give something away": vectors(whole, WORDS),
    }
    tried["pieces alone, components of all drawings"] = fitted(np.arange(len(rows)))
    tried["the same, components of the pool alone"] = fitted(pool)
    heading("text", f"{FEW} labels", "all labels")
    for name, features in tried.items():
        line(name, *scores(features, labels, pool, test))


def scores(features: Array, labels: Array, pool: Array, test: Array) -> Iterable[str]:
    """With few labels, and with all."""
    return (" / ".join(f"{s:.1f}" for s in probe(features, labels, p, test)) for p in (pool[:FEW], pool))


def of_images(pictures: Array, labels: Array, arrays: dict[str, Array]) -> None:
    """Other features of pictures."""
    directed = image.components(image.edges(pictures), 128)
    coloured = image.colours(pictures)
    small = image.components(image.tiles(pictures), 128)
    learnt = learned(pictures)
    rest = np.hstack([arrays["text"], arrays["structure"]])
    tried = {
        "small pictures, 32 components": small[:, :32],
        "small pictures, 128 components": small,
        "64 colours": coloured,
        "edges (HOG), 96 components": directed[:, :96],
        "learned patches, 128 components": learnt,
        "edges and colours": np.hstack([directed[:, :EDGES], coloured]),
        "edges, colours, small pictures: as shipped": np.hstack([directed[:, :EDGES], coloured, small[:, :TILED]]),
        "edges, colours, learned patches": np.hstack([directed[:, :64], coloured, learnt[:, :64]]),
    }
    pool, test = drawn(len(labels), 0)
    whole = image.edges(pictures).astype(np.float64)
    tried["edges, 96 components of the pool alone"] = PCA(96, random_state=0).fit(whole[pool]).transform(whole)
    heading("image", "numbers", f"alone, {FEW} labels", "alone, all", f"all three, {FEW} labels", "all three, all")
    for name, features in tried.items():
        both = np.hstack([features, rest])
        line(name, features.shape[1], *scores(features, labels, pool, test), *scores(both, labels, pool, test))


def learned(pictures: Array, k: int = 128) -> Array:
    """Whitened patches, k-means and soft votes in four quarters (Coates, Lee & Ng, 2011), then k components."""
    n, side = len(pictures), 32
    block = image.SIDE // side
    little = pictures.reshape(n, side, block, side, block, 3).mean(axis=(2, 4), dtype=np.float32)
    places = side - PATCH + 1

    def patches(images: Array) -> Array:
        windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))
        flat = windows.reshape(len(images), places * places, -1)
        flat = flat - flat.mean(axis=-1, keepdims=True)
        scaled: Array = flat / np.sqrt(flat.var(axis=-1, keepdims=True) + 10)
        return scaled

    rng = np.random.default_rng(0)
    some = np.concatenate([patches(little[i : i + 1])[0][rng.integers(0, places**2, 20)] for i in range(n)])
    some = some[some.std(axis=1) > 0.3]
    mean = some.mean(axis=0)
    values, turned = np.linalg.eigh(np.cov((some - mean).T))
    white = turned @ np.diag(1 / np.sqrt(values + 0.1)) @ turned.T
    centres = MiniBatchKMeans(CENTRES, random_state=0, n_init=1, max_iter=30).fit((some - mean) @ white)
    c = centres.cluster_centers_
    votes = np.zeros((n, 4 * CENTRES))
    half = places // 2 + 1
    for start in range(0, n, 64):
        z = (patches(little[start : start + 64]) - mean) @ white
        far = np.sqrt(np.maximum((z**2).sum(-1)[..., None] + (c**2).sum(1) - 2 * z @ c.T, 0))
        near = np.maximum(far.mean(-1, keepdims=True) - far, 0).reshape(-1, places, places, CENTRES)
        sides = slice(half), slice(half, None)
        quarters = [near[:, y, x].sum(axis=(1, 2)) for y in sides for x in sides]
        votes[start : start + 64] = np.concatenate(quarters, axis=-1)
    return image.components(np.rint(16 * votes), k)


def sheet(rows: Rows, pictures: Array, columns: int = 18) -> None:
    """Some drawings of every class."""
    from matplotlib.figure import Figure
    from PIL import Image

    names = table.classes(rows)
    figure = Figure(figsize=(columns * 0.62, len(names) * 0.8))
    axes = figure.subplots(len(names), columns)
    for line_, name in zip(axes, names, strict=True):
        those = [i for i, row in enumerate(rows) if row.label == name][::-1]
        for ax, i in zip(line_, those[:columns], strict=True):
            ax.imshow(pictures[i])
            ax.axis("off")
        line_[0].set_title(f"{name} ({len(those)})", fontsize=8, loc="left", pad=2)
    figure.subplots_adjust(0.005, 0.005, 0.995, 0.98, 0.08, 0.35)
    figure.savefig(SHEET, dpi=110)
    Image.open(SHEET).convert("P", palette=Image.Palette.ADAPTIVE, colors=160).save(SHEET, optimize=True)


if __name__ == "__main__":
    main()
