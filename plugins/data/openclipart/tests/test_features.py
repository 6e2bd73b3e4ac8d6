"""What the features say, against bare arithmetic and drawings of which one knows what they hold."""

import math
from collections import Counter

import numpy as np
import pytest

from alharness import DataError
from alharness_openclipart import build, image, render, structure, vectors
from alharness_openclipart.drawings import colour, parse

rng = np.random.default_rng(0)


def test_components_are_those_of_a_singular_value_decomposition():
    numbers = rng.integers(0, 256, (40, 6))
    centred = numbers - numbers.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    found = image.components(numbers, 3)
    assert np.allclose(np.abs(found), np.abs(left * values)[:, :3])


def test_an_edge_has_the_direction_of_its_gradient():
    upright = np.zeros((1, image.SIDE, image.SIDE, 3), np.uint8)
    upright[:, :, image.SIDE // 2 :] = 255
    lying = upright.transpose(0, 2, 1, 3)
    for picture, direction in ((upright, 0), (lying, (image.DIRECTIONS + 1) // 2)):
        directions = image.edges(picture).reshape(-1, image.DIRECTIONS).sum(axis=0)
        assert set(np.flatnonzero(directions)) <= {direction, image.DIRECTIONS // 2 if direction else 0}
        assert directions.max() > 0
    assert not image.edges(np.full_like(upright, 200)).any()


def test_colours_and_tiles_are_counted():
    picture = np.full((1, image.SIDE, image.SIDE, 3), 255, np.uint8)
    picture[:, : image.SIDE // 4] = (255, 0, 0)
    shares = image.colours(picture)[0] ** 2
    assert shares[3 * 16] == pytest.approx(0.25)
    assert shares[63] == pytest.approx(0.75)
    assert image.tiles(picture)[0, :3].tolist() == [255, 0, 0]


def test_vectors_are_a_singular_value_decomposition_of_weighted_words_and_pieces():
    texts = [["cat", "dog"], ["cat"], ["dog", "dog"], ["cat", "bird"], [], ["bird"]]

    def weighted(counts, least):
        spread = Counter(term for found in counts for term in found)
        terms = sorted(term for term, n in spread.items() if n >= least)
        rows = []
        for found in counts:
            row = np.array(
                [(1 + math.log(found[t])) * math.log(6 / spread[t]) if found[t] else 0.0 for t in terms]
            )
            rows.append(row / (np.linalg.norm(row) or 1))
        return np.array(rows)

    pieces = [
        Counter(f" {w} "[i : i + k] for w in words for k in (3, 4, 5) for i in range(len(w) + 3 - k))
        for words in texts
    ]
    matrix = np.hstack([weighted([Counter(words) for words in texts], 2), weighted(pieces, 3)])
    left, values, _ = np.linalg.svd(matrix)
    found = vectors.vectors(texts, 2)
    assert np.allclose(np.abs(found), np.abs(left[:, :2] * values[:2]))
    assert np.allclose(found[4], 0)


def test_the_structure_of_a_drawing_is_counted():
    drawing = parse(
        "a/x.svg",
        b'<svg xmlns="http://www.w3.org/2000/svg"><g><path d="M0 0L1-2.5e3z" fill="#00f"/></g>'
        b'<rect style="fill:none;stroke:#000000;stroke-width:2px"/></svg>',
    )
    (numbers,) = structure.structure([drawing])
    tags = dict(zip(structure.TAGS, numbers, strict=False))
    assert {tag for tag, number in tags.items() if number} == {"path", "rect", "g"}
    commands = numbers[len(structure.TAGS) :]
    assert {c for c, n in zip(structure.COMMANDS, commands, strict=False) if n} == {"M", "L", "z"}
    assert commands[len(structure.COMMANDS)] == pytest.approx(math.log1p(4), abs=1e-6)


def test_colours_are_read_in_both_ways_of_writing():
    assert colour("#0fF") == colour("#00ffff") == (0, 255, 255)
    assert colour("none") is colour("red") is None


def test_zeros_have_one_sign():
    assert build._npy(np.array([[-0.0, 1]], np.float16)) == build._npy(np.array([[0.0, 1]], np.float16))


def test_without_the_libraries_that_render_an_error_says_how_to_get_them(monkeypatch):
    monkeypatch.setattr(render, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"PIL and resvg_py not found.*pip install|pip install.*PIL and resvg_py"):
        next(render.render({"a.svg": b"<svg/>"}, 8))


@pytest.mark.parametrize("outside", [b"/etc/a.png", b"file:///etc/a.png", b"a.png", b" http://a.b/c.png"])
def test_pictures_from_other_files_are_not_looked_at(outside):
    for quote in (b'"', b"'"):
        whole = b"<image xlink:href=" + quote + outside + quote + b"/>"
        assert outside not in render.OUTSIDE.sub(b'href="#"', whole)
    for inside in (b'<use xlink:href="#a"/>', b'<image href="data:image/png;base64,AA"/>'):
        assert render.OUTSIDE.sub(b'href="#"', inside) == inside


def test_what_is_drawn_is_cut_out_of_a_page():
    page = np.full((20, 30, 3), 255, np.uint8)
    page[4:7, 10:20] = 0
    assert render._drawn(page).shape == (3, 10, 3)
    assert render._drawn(page[:2]).size == 0
