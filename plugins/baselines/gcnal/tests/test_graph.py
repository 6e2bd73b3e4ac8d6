import math

import pytest
import torch

from alharness import SamplerError
from alharness_gcnal.graph import connect, unit_rows


@pytest.fixture(params=[False, True], ids=["cosine", "shifted"])
def graph(request, points, dense):
    """Rows, their propagation in factors, and the dense matrix."""
    X = unit_rows(points(70, 9, signed=request.param))
    return X, connect(X, "auto"), dense.matrix(X, shifted=request.param)


def equal(a, b, **tolerance):
    torch.testing.assert_close(a, b, **{"rtol": 0, "atol": 1e-10, **tolerance})


def test_propagates_a_matrix_as_the_dense_matrix_does(graph):
    X, A, dense = graph
    equal(A @ X, dense @ X)


def test_propagates_a_vector_as_the_dense_matrix_does(graph, points):
    _, A, dense = graph
    v = points(70, 1, signed=True, seed=1)[:, 0]
    equal(A @ v, dense @ v)


def test_is_the_dense_matrix(graph):
    _, A, dense = graph
    equal(A @ torch.eye(70).double(), dense)


def test_pulls_as_the_transposed_dense_matrix_does(graph, points):
    _, A, dense = graph
    v = points(70, 1, signed=True, seed=1)[:, 0]
    equal(A.pull(v), dense.T @ v)


def test_zero_rows_are_as_in_the_dense_matrix(points, dense):
    X = points(30, 5)
    X[[3, 17]] = 0
    X = unit_rows(X)
    equal(connect(X, "cosine") @ torch.eye(30).double(), dense.matrix(X))


def test_cosine_takes_negative_degrees_as_published(points, dense):
    X = unit_rows(points(31, 6, signed=True))
    assert ((X @ X.T).sum(0) < 1).any()
    equal(connect(X, "cosine") @ torch.eye(31).double(), dense.matrix(X), atol=1e-8)


def test_shifted_can_be_asked_for(points, dense):
    X = unit_rows(points(30, 5))
    equal(connect(X, "shifted") @ X, dense.matrix(X, shifted=True) @ X)


def test_auto_takes_cosines_of_features_that_are_never_negative(points):
    assert not connect(unit_rows(points(50, 5)), "auto").shifted


def test_auto_shifts_where_a_degree_is_negative(points):
    assert connect(unit_rows(points(50, 5, signed=True)), "auto").shifted


@pytest.mark.parametrize(("share", "shifted"), [(0.9e-3, True), (1.2e-3, False)])
def test_auto_shifts_where_a_degree_is_below_a_thousandth_of_the_mean(share, shifted):
    # 200 equal samples, and one whose degree is 200·cos; the mean degree is close to 199.
    X = torch.tensor([[1.0, 0.0]] * 200 + [[share, math.sqrt(1 - share**2)]], dtype=torch.float64)
    assert connect(X, "auto").shifted == shifted


def test_auto_shifts_where_nobody_resembles_anybody():
    assert connect(torch.eye(4).double(), "auto").shifted


def test_auto_shifts_where_all_degrees_are_rounding_errors():
    assert connect(torch.eye(4) * (1 + 2**-23), "auto").shifted


@pytest.mark.parametrize("nodes", [1, 4])
def test_cosine_refuses_degrees_of_zero(nodes):
    with pytest.raises(SamplerError, match=f"{nodes} of {nodes} samples .* affinity: auto"):
        connect(torch.eye(4)[:nodes], "cosine")


def test_cosine_refuses_degrees_that_are_all_rounding_errors():
    with pytest.raises(SamplerError, match="4 of 4 samples"):
        connect(torch.eye(4) * (1 + 2**-23), "cosine")


def test_cosine_refuses_a_degree_that_is_a_rounding_error_among_large_ones():
    # The last sample's cosines with the others are ±0.6; its degree would be 0, except for a rounding error.
    X = torch.tensor([[0.8, 0.6]] * 100 + [[0.8, -0.6]] * 100 + [[3e-7, 1.0]])
    with pytest.raises(SamplerError, match="1 of 201 samples"):
        connect(X, "cosine")


@pytest.mark.parametrize("X", [[[1.0, 0.0]], [[0.0, 0.0]], [[1.0, 0.0], [-1.0, 0.0]]], ids=["one", "zero", "two"])
def test_who_has_no_neighbors_keeps_what_it_has(X):
    A = connect(torch.tensor(X), "auto")
    equal(A @ torch.eye(len(X)), torch.eye(len(X)))


def test_degrees_of_float32_features_keep_their_digits():
    # 3000 equal samples, and one whose degree is a hundredth of theirs.
    angle = torch.tensor([0.01, math.sqrt(1 - 1e-4)])
    X = torch.cat([torch.tensor([[0.6, 0.8]] * 3000), (angle @ torch.tensor([[0.6, 0.8], [-0.8, 0.6]]))[None]])
    wide = X.double()
    torch.testing.assert_close(connect(X, "auto").inverse, 1 / (wide @ wide.sum(0) - 1).float(), rtol=2e-7, atol=0)


def test_unit_rows_have_length_one(points):
    equal(unit_rows(points(20, 4)).norm(dim=1), torch.ones(20).double())


def test_unit_rows_leave_zero_rows_zero():
    equal(unit_rows(torch.zeros(2, 3)), torch.zeros(2, 3))
