import pytest
import torch

from alharness_gcnal.network import labeled_from_unlabeled


@pytest.fixture(params=[(7, 3), (9, 1), (10, 0)], ids=str)
def sides(request):
    return request.param


def test_is_the_papers(points, dense, sides):
    logits = points(10, 1, signed=True)[:, 0]
    value = labeled_from_unlabeled(*sides, 1.7, logits).value(logits)
    assert value == pytest.approx(float(dense.loss(logits, sides[0], 1.7)), rel=1e-12)


def test_its_gradient_is_the_papers(points, dense, sides):
    logits = points(10, 1, signed=True)[:, 0].requires_grad_()
    dense.loss(logits, sides[0], 1.7).backward()
    gradient = labeled_from_unlabeled(*sides, 1.7, logits).gradient(logits.detach())
    torch.testing.assert_close(gradient, logits.grad, rtol=1e-12, atol=1e-15)


def test_is_finite_where_the_sigmoid_is_exactly_0_or_1():
    loss = labeled_from_unlabeled(1, 1, 1.0, torch.zeros(1))
    assert loss.value(torch.tensor([500.0, -500.0])) == 1000


def test_its_gradient_is_finite_where_the_sigmoid_is_exactly_0_or_1():
    loss = labeled_from_unlabeled(1, 1, 1.0, torch.zeros(1))
    assert loss.gradient(torch.tensor([500.0, -500.0])).tolist() == [1, -1]
