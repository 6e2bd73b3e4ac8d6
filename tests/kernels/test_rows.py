"""Lengths, cosines and products of rows, against plain Python."""

import math

import pytest
import torch

from alharness.kernels import row_cosines, row_norms, row_outer

A = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
B = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))


def test_lengths_are_those_of_float64():
    assert row_norms(A).tolist() == pytest.approx([math.hypot(*row) for row in A.double().tolist()], rel=1e-12)


def test_tiny_rows_keep_their_length():
    torch.testing.assert_close(row_norms(A * 1e-30) * 1e30, row_norms(A), rtol=1e-6, atol=0)


def test_coordinates_that_the_second_lacks_are_zeros():
    padded = torch.nn.functional.pad(B, (0, 2)).double().tolist()
    expected = [
        sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))
        for a, b in zip(A.double().tolist(), padded, strict=True)
    ]
    assert row_cosines(A, B).tolist() == pytest.approx(expected, rel=1e-12)


def test_the_cosine_with_a_zero_vector_is_0():
    a, b = A.clone(), B.clone()
    a[1], b[4] = 0, 0
    found = row_cosines(a, b)
    assert found[[1, 4]].tolist() == [0.0, 0.0]
    assert (found != 0).sum() == 4


def test_outer_products_are_one_row_each():
    found = row_outer(B, A)
    for product, b, a in zip(found.tolist(), B.tolist(), A.tolist(), strict=True):
        assert product == pytest.approx([x * y for x in b for y in a])
