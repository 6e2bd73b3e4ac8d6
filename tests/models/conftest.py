import pytest
import torch

from alharness import Batch


class Loss(torch.nn.Module):
    """The loss as a forward pass, which is what torch.func can differentiate."""

    def __init__(self, model, data):
        super().__init__()
        self.model, self.data = model, data

    def forward(self):
        return self.model.loss(self.data)


@pytest.fixture
def gradients_agree():
    """Whether the loss has, at the parameters of these names, the gradients that finite differences have."""

    def check(model, data, names):
        model = model.double()
        data = Batch(
            inputs={m: x.double() for m, x in data.inputs.items()},
            lengths=data.lengths,
            labels={s: y.double() if y.is_floating_point() else y for s, y in data.labels.items()},
        )
        model.adapt(data)
        values = [model.get_parameter(name).detach().clone().requires_grad_() for name in names]

        def loss(*values):
            given = {f"model.{name}": value for name, value in zip(names, values, strict=True)}
            return torch.func.functional_call(Loss(model, data), given, ())

        return torch.autograd.gradcheck(loss, values)

    return check
