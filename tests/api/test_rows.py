"""Rows of an array read as the array of these rows does."""

import numpy as np
import pytest

from alharness.api import rows as module
from alharness.api.rows import Rows, pieces

BASE = np.arange(60, dtype=np.float32).reshape(5, 4, 3)
POSITIONS = np.array([3, 0, 4])


@pytest.fixture
def rows():
    return Rows.of(BASE, POSITIONS)


def test_they_have_the_shape_and_type_of_the_array(rows):
    array = BASE[POSITIONS]
    assert (rows.shape, rows.ndim, rows.dtype, len(rows)) == (array.shape, array.ndim, array.dtype, len(array))
    assert rows.itemsize == array.itemsize


@pytest.mark.parametrize(
    "index",
    [
        1,
        -1,
        slice(1, None),
        slice(None, None, -1),
        np.array([2, 0]),
        np.array([], dtype=np.int64),
        np.array([True, False, True]),
        (1, slice(0, 2)),
        (slice(None), 0),
        (np.array([2, 2]), slice(None), 1),
    ],
)
def test_they_are_read_as_the_array_is(rows, index):
    found, expected = rows[index], BASE[POSITIONS][index]
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
    assert found.shape == expected.shape


@pytest.mark.parametrize("index", [3, (0, 4), np.array([3])])
def test_what_lies_outside_of_them_is_refused(rows, index):
    with pytest.raises(IndexError):
        rows[index]


def test_rows_of_rows_are_rows_of_the_array(rows):
    some = Rows.of(rows, np.array([2, 1]))
    assert some.base is BASE
    assert np.array_equal(np.asarray(some), BASE[[4, 0]])


def test_numpy_makes_an_array_of_them_which_is_a_copy(rows):
    array = np.asarray(rows)
    assert not np.shares_memory(array, BASE)
    assert np.array_equal(array, BASE[POSITIONS])
    assert np.asarray(rows, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="without a copy"):
        rows.__array__(copy=False)


@pytest.mark.parametrize("array", [np.zeros((5, 3)), Rows.of(np.zeros((9, 3)), np.arange(5))])
def test_pieces_are_small_and_cover_all_rows(array, monkeypatch):
    monkeypatch.setattr(module, "PIECE", 7)
    assert [range(5)[piece] for piece in pieces(array)] == [range(2), range(2, 4), range(4, 5)]
    monkeypatch.setattr(module, "PIECE", 2)
    assert len([*pieces(array)]) == 5  # never less than a row
    assert not [*pieces(array[:0])]
