"""Gradients of heads against one sample at a time."""

import pytest
import torch

from alharness.errors import SamplerError
from alharness.kernels import head_gradients


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


Z = {"audio": normal(17, 3), "text": normal(17, 5, seed=1)}
W = {"audio": normal(3, 2, seed=2), "text": normal(5, 2, seed=3)}


def decode(z):
    own = {u: (z[u] @ W[u]).tanh() for u in W}
    return {**own, "fused": (own["audio"] * own["text"]).sin()}


def loss(output, fused):
    return (output * fused.argmax(1, keepdim=True)).square().sum() + output.exp().sum()


def one_at_a_time():
    for i in range(17):
        leaves = {u: x[i : i + 1].clone().requires_grad_() for u, x in Z.items()}
        o = decode(leaves)
        label = o["fused"].detach()
        own = {u: torch.autograd.grad(loss(o[u], label), leaves[u], retain_graph=True)[0] for u in Z}
        fused = torch.autograd.grad(loss(o["fused"], label), list(leaves.values()))
        yield own, dict(zip(Z, fused, strict=True)), {source: output.detach() for source, output in o.items()}


@pytest.mark.parametrize("batch", [1, 5, 16, 17, 1000])
def test_every_row_is_the_gradient_of_its_own_sample(batch):
    found = head_gradients(decode, Z, loss, batch=batch)
    for part, rows in zip(found, zip(*one_at_a_time(), strict=True), strict=True):
        for name, tensor in part.items():
            torch.testing.assert_close(tensor, torch.cat([row[name] for row in rows]), rtol=1e-12, atol=1e-14)


def test_the_output_of_the_fused_head_is_a_constant_in_the_loss():
    seen = []
    head_gradients(decode, Z, lambda output, fused: (seen.append(fused.requires_grad), output.sum())[1])
    assert seen == [False] * 3


def test_context_reaches_decode_with_its_rows_and_without_gradient():
    seen = []

    def with_context(z):
        seen.append(z["context"])
        return decode(z)

    context = torch.arange(17.0)[:, None]
    found = head_gradients(with_context, Z, loss, context={"context": context}, batch=4)
    assert torch.equal(torch.cat(seen), context)
    assert not any(part.requires_grad for part in seen)
    assert set(found.fused) == set(Z)


def test_a_head_that_looks_at_nothing_has_zero_gradients():
    found = head_gradients(lambda z: {**decode(z), "audio": torch.zeros(len(z["text"]), 2)}, Z, loss)
    assert not found.own["audio"].any()
    assert found.own["text"].all()


def test_the_fused_head_may_have_another_name():
    def renamed(z):
        o = decode(z)
        return {**{u: o[u] for u in Z}, "all": o["fused"]}

    torch.testing.assert_close(
        head_gradients(renamed, Z, loss, fused="all").fused, head_gradients(decode, Z, loss).fused
    )


def test_refuses_outputs_that_are_not_finite():
    with pytest.raises(SamplerError, match="17 of 17 rows of the predictions of 'text'"):
        head_gradients(lambda z: {**decode(z), "text": z["text"] / 0}, Z, loss)
