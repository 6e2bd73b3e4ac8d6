import torch

from alharness.kernels import pseudo_residuals


def test_are_probabilities_less_the_predicted_class():
    log_p = torch.randn(30, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).log_softmax(1)
    p = log_p.exp()
    expected = p - torch.nn.functional.one_hot(p.argmax(1), 4)
    torch.testing.assert_close(pseudo_residuals(log_p), expected)


def test_a_saturated_prediction_keeps_its_residual():
    log_p = torch.tensor([[60.0, 0.0, 20.0]]).log_softmax(1)
    assert log_p.exp()[0, 0] == 1
    small = torch.tensor([60.0, 0, 20], dtype=torch.float64).softmax(0)[1:]
    expected = torch.cat([-small.sum()[None], small])[None]
    torch.testing.assert_close(pseudo_residuals(log_p), expected, rtol=1e-5, atol=0)


def test_a_row_adds_up_to_nothing():
    log_p = (3 * torch.randn(30, 5, generator=torch.Generator().manual_seed(1))).log_softmax(1)
    assert pseudo_residuals(log_p).sum(1).abs().max() < 1e-15


def test_an_impossible_class_has_no_residual():
    assert pseudo_residuals(torch.tensor([[0.0, -torch.inf]])).tolist() == [[0, 0]]


def test_of_equal_classes_the_first_is_predicted():
    assert pseudo_residuals(torch.full((1, 2), 0.5).log())[0, 0] < 0


def test_the_predictions_are_left_as_they_are():
    log_p = torch.randn(3, 2, dtype=torch.float64).log_softmax(1)
    before = log_p.clone()
    pseudo_residuals(log_p)
    assert torch.equal(log_p, before)
