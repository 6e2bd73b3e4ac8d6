from dataclasses import replace

import pytest
import torch

from alharness import FUSED, SamplerError, Task
from alharness_grace.params import GraceParams
from alharness_grace.sampler import DefaultGrace

members = DefaultGrace(GraceParams()).gradients


def assert_same(G, H, rows=slice(None), **tolerance):
    for u in G:
        torch.testing.assert_close(G[u].own[rows], H[u].own[rows], **tolerance)
        torch.testing.assert_close(G[u].fused[rows], H[u].fused[rows], **tolerance)


def test_perturbing_one_sample_leaves_the_other_rows_alone(make_world, make_query):
    world = make_world(Task.CLASSIFICATION, n=12)
    z = {u: x.clone() for u, x in world.z.items()}
    z["text"][4] += 3
    others = [i for i in range(12) if i != 4]
    G, H = members(world.query), members(make_query(z, world.decode, Task.CLASSIFICATION))
    assert_same(G, H, others, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(G["audio"].fused[4], H["audio"].fused[4])


def test_the_label_comes_from_the_fused_head(make_world):
    # With a fused head that is sure of class 2, g_u must be the gradient of −log p_u(2), whatever p_u prefers.
    world = make_world(Task.CLASSIFICATION)
    with torch.no_grad():
        world.heads.heads[FUSED][2].bias[2] = 30
    leaf = world.z["audio"].clone().requires_grad_()
    log_p = world.decode({**world.z, "audio": leaf})["audio"]
    assert not (log_p.argmax(1) == 2).all()
    (expected,) = torch.autograd.grad(-log_p[:, 2].sum(), leaf)
    torch.testing.assert_close(members(world.query)["audio"].own, expected)


def test_the_heads_collect_no_gradient(make_world, task):
    world = make_world(task)
    members(world.query)
    assert all(p.grad is None for p in world.heads.parameters())


def test_works_where_gradients_are_switched_off(make_world, task):
    world = make_world(task)
    expected = members(world.query)
    with torch.no_grad():
        assert_same(members(world.query), expected)


def test_takes_representations_made_in_inference_mode(make_world, make_query, task):
    world = make_world(task)
    with torch.inference_mode():
        z = {u: x + 0 for u, x in world.z.items()}
    assert_same(members(make_query(z, world.decode, task)), members(world.query))


def test_time_is_charged_to_the_gradients(make_world, task):
    phases = []
    world = make_world(task)
    phase = world.query.phase
    object.__setattr__(world.query, "phase", lambda name: (phases.append(name), phase(name))[1])
    members(world.query)
    assert phases == ["gradients"]


def test_a_head_that_looks_at_nothing_has_zero_gradients(make_query):
    z = {"audio": torch.randn(6, 3, generator=torch.Generator().manual_seed(0))}

    def decode(z):
        return {"audio": torch.zeros(len(z["audio"]), 1), FUSED: z["audio"].sum(1, keepdim=True)}

    G = members(make_query(z, decode, Task.REGRESSION))
    assert G["audio"].own.tolist() == [[0.0] * 6] * 6


def test_a_fused_head_that_ignores_a_modality_has_zero_gradients_there(make_world, make_query):
    world = make_world(Task.REGRESSION, 2)

    def decode(z):
        return {**world.decode(z), FUSED: z["text"].sum(1, keepdim=True)}

    G = members(make_query(world.z, decode, Task.REGRESSION))
    assert not G["audio"].fused.any()
    assert G["text"].fused.all()


def test_heads_that_agree_exactly_leave_the_jacobians(make_query):
    z = {"audio": torch.randn(6, 3, generator=torch.Generator().manual_seed(0))}

    def decode(z):
        output = z["audio"].sin().sum(1, keepdim=True)
        return {"audio": output, FUSED: output.clone()}

    G = members(make_query(z, decode, Task.REGRESSION))
    torch.testing.assert_close(G["audio"].fused, z["audio"].cos())
    torch.testing.assert_close(G["audio"].own, torch.cat([z["audio"].cos(), torch.zeros(6, 3)], 1))


def test_refuses_a_regression_with_several_outputs(make_world, make_query):
    world = make_world(Task.CLASSIFICATION)
    with pytest.raises(SamplerError, match="one output in regression, and source 'audio' has 3"):
        members(make_query(world.z, world.decode, Task.REGRESSION))


def test_refuses_representations_that_are_not_finite_and_counts_them(make_world, task):
    world = make_world(task)
    world.z["text"][[3, 8]] = torch.nan
    with pytest.raises(SamplerError, match="2 of 40 rows of the representations of 'text' are not finite"):
        members(world.query)


def test_refuses_predictions_that_are_not_finite_and_names_the_head(make_world, make_query, task):
    world = make_world(task)

    def decode(z):
        outputs = world.decode(z)
        return {**outputs, "audio": outputs["audio"] / (z["audio"] > 3).any(1, keepdim=True)}

    world.z["audio"][:37] = 4
    with pytest.raises(SamplerError, match="3 of 40 rows of the predictions of 'audio' are not finite"):
        members(make_query(world.z, decode, task))


@pytest.mark.parametrize(
    ("source", "name"), [("audio", "the head of 'audio'"), (FUSED, "the fused head at 'audio'")]
)
def test_refuses_gradients_that_are_not_finite_and_names_the_head(make_query, source, name):
    z = {"audio": torch.ones(6, 3)}
    z["audio"][2] = 0

    def decode(z):
        smooth = z["audio"].sum(1, keepdim=True)
        return {"audio": smooth, FUSED: smooth, source: z["audio"].sqrt().sum(1, keepdim=True)}

    with pytest.raises(SamplerError, match=f"1 of 6 rows of the gradients of {name}"):
        members(make_query(z, decode, Task.REGRESSION))


def test_the_views_context_goes_with_its_rows(make_world, make_query, monkeypatch):
    world = make_world(Task.CLASSIFICATION, n=2100)  # more than one batch
    expected = members(world.query)
    given = {u: world.z[u] for u in ("audio", "text")}
    query = make_query(given, world.decode, Task.CLASSIFICATION)
    monkeypatch.setattr(query.unlabeled, "context", lambda: {"vision": world.z["vision"]}, raising=True)
    query = replace(query, decode=lambda z: {s: o for s, o in world.decode(z).items() if s != "vision"})
    found = members(query)
    assert set(found) == set(given)
    assert_same(found, expected)
