import numpy as np
import pytest
import torch
from pydantic import ValidationError

from alharness import Batch, ModelShape, Task
from alharness.api.samples import Inputs, Samples
from alharness.engine.batches import as_batch
from alharness.engine.extraction import predict
from alharness.engine.training import Trainer
from alharness.errors import RunError
from alharness.spec.settings import TrainingSettings
from alharness_sentiment.lfmim import network
from alharness_sentiment.lfmim.blocks import Block, Placement, sinusoids
from alharness_sentiment.lfmim.plugin import LFMIM, LfmimParams

CPU = torch.device("cpu")
FEATURES = {"text": 4, "audio": 3, "vision": 5}
STEPS = {"text": 6, "audio": 40}  # vision is one vector
TINY = {"preset": "small", "width": 8, "heads": 2, "lengths": {"audio": 7}}
PLAIN = {"embedding_dropout": 0.0, "attention_dropout": 0.0, "mlp_dropout": 0.0}


def shape(task=Task.CLASSIFICATION, features=FEATURES, steps=STEPS, classes=3):
    return ModelShape(
        features=features, task=task, outputs=classes if task == Task.CLASSIFICATION else 1, steps=steps
    )


def build(task=Task.CLASSIFICATION, seed=0, **params):
    torch.manual_seed(seed)
    return LFMIM.make(LfmimParams(**(TINY | params)), shape(task))


def samples(n=12, task=Task.CLASSIFICATION):
    rng = np.random.default_rng(0)

    def labels():
        return rng.integers(0, 3, n) if task == Task.CLASSIFICATION else (50 + 9 * rng.normal(size=n)).astype("f4")

    sizes = {m: (n, STEPS[m], d) if m in STEPS else (n, d) for m, d in FEATURES.items()}
    arrays = {m: (7 + 3 * rng.normal(size=size)).astype(np.float32) for m, size in sizes.items()}
    lengths = {"audio": rng.integers(0, 41, n)}
    for row, length in enumerate(lengths["audio"]):
        arrays["audio"][row, max(length, 1) :] = 1e6  # padding that must never be looked at
    return Samples(
        inputs=Inputs(ids=tuple(f"{i:03}" for i in range(n)), arrays=arrays, lengths=lengths),
        labels=labels(),
        unimodal_labels={m: labels() for m in FEATURES},
    )


def batch(n=12, task=Task.CLASSIFICATION):
    return as_batch(samples(n, task), CPU)


def parameters(preset, features, steps, task, classes=7):
    with torch.device("meta"):
        model = LFMIM.make(LfmimParams(preset=preset), shape(task, features, steps, classes))
    return sum(p.numel() for p in model.parameters())


def test_the_documented_numbers_of_parameters():
    simsv2 = {"text": 768, "audio": 25, "vision": 177}, {"text": 50, "audio": 925, "vision": 232}
    d, positions = 128, 3 + 50 + 100 + 64
    blocks = 4 * 4 * (12 * d * d + 17 * d)
    inputs = (768 + 25 + 177 + 3) * d + (3 + 4) * d + 4 * 4 * d
    pools = positions + (4 + positions) + 4 * 2 * d
    heads = 3 * (d * 64 + 64 + 64 * 32 + 32 + 33) + (4 * d * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64 + 65)
    assert parameters("paper", *simsv2, Task.REGRESSION) == blocks + inputs + pools + heads + 6 == 3_513_152
    assert parameters("small", *simsv2, Task.REGRESSION) == 533_624
    cherma = {"text": 1024, "audio": 1024, "vision": 2048}, {"text": 90, "audio": 300, "vision": 16}
    assert parameters("released", *cherma, Task.CLASSIFICATION) == 266_521_808


@pytest.mark.parametrize(("task", "outputs"), [(Task.CLASSIFICATION, 3), (Task.REGRESSION, 1)])
def test_shapes(task, outputs):
    model, data = build(task).eval(), batch(task=task)
    z = model.encode(data)
    assert {name: tuple(x.shape) for name, x in z.items()} == dict.fromkeys((*FEATURES, "context"), (12, 8))
    assert {s: tuple(o.shape) for s, o in model.decode(z).items()} == dict.fromkeys(
        (*FEATURES, "fused"), (12, outputs)
    )


def test_sequences_are_no_longer_than_the_data():
    lengths = [embedding.length for embedding in build().embeddings]
    assert lengths == [6, 7, 1]
    paper = LFMIM.make(LfmimParams(), shape(steps={"text": 50, "audio": 925, "vision": 232}))
    assert [embedding.length for embedding in paper.embeddings] == [50, 100, 64]


def test_padding_is_not_looked_at():
    model, data = build().eval(), batch()
    model.adapt(data)
    other = data.inputs["audio"].clone()
    for row, length in enumerate(data.lengths["audio"].clamp(min=1)):
        other[row, length:] = -77
    changed = Batch(inputs={**data.inputs, "audio": other}, lengths=data.lengths)
    assert torch.equal(model(data)["fused"], model(changed)["fused"])


def test_a_block_is_attention_and_an_mlp_between_norms():
    torch.manual_seed(0)
    block = Block(LfmimParams(preset="small", **PLAIN), 2).double().eval()
    x = torch.randn(3, 11, 64, dtype=torch.float64)
    oracle = torch.nn.MultiheadAttention(64, 4, batch_first=True, dtype=torch.float64)
    names = {"in_proj_weight": block.qkv.weight, "in_proj_bias": block.qkv.bias}
    names |= {"out_proj.weight": block.out.weight, "out_proj.bias": block.out.bias}
    oracle.load_state_dict(names)
    norms = {n: torch.nn.LayerNorm(64, dtype=torch.float64) for n in ("before", "between", "inner", "after")}
    for name, norm in norms.items():
        torch.nn.init.normal_(norm.weight)
        getattr(block, name).load_state_dict(norm.state_dict())
    h = norms["before"](x)
    y = x + norms["between"](oracle(h, h, h)[0])
    torch.testing.assert_close(block(x), y + norms["after"](block.mlp(norms["inner"](y))))


def test_positions_are_sines_and_cosines_as_in_the_released_code():
    """The first step is position 1, and the last frequency is exactly 1 / 10000."""
    found = sinusoids(9, 6)
    assert found.shape == (9, 6)
    for step in (0, 4):
        assert found[step].tolist() == pytest.approx(
            [f((step + 1) / 10_000 ** (i / 2)) for f in (np.sin, np.cos) for i in range(3)], abs=1e-6
        )


def test_the_fusion_stream_looks_at_all_streams_layer_by_layer():
    model, data = build(layers=3).eval(), batch()
    model.adapt(data)
    x = {
        m: embed(data.inputs[m], data.lengths.get(m)) for m, embed in zip(FEATURES, model.embeddings, strict=True)
    }
    sizes = {"text": 7, "vision": 2, "audio": 8}
    fused = torch.cat([model.place(model.tokens.expand(12, 4, 8)), *(x[m] for m in sizes)], 1)
    for layer in range(3):
        if layer:
            first = 4
            for m, size in sizes.items():
                a, b = model.shares[list(FEATURES).index(m)]
                fused[:, first : first + size] = a * fused[:, first : first + size] + b * x[m]
                first += size
        fused = model.fusion_stream[layer](fused)
        x = {m: stream[layer](x[m]) for m, stream in zip(FEATURES, model.streams, strict=True)}
    z = model.encode(data)
    torch.testing.assert_close(z["context"], model.fusion_pool(fused))
    for m, pool in zip(FEATURES, model.pools, strict=True):
        torch.testing.assert_close(z[m], pool(x[m]))


def test_nothing_flows_back_from_the_fusion_stream_but_its_loss_does():
    model, data = build(**PLAIN), batch()
    before = model.eval()(data)
    model.decode(model.encode(data))["fused"].sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.streams[0].parameters())
    with torch.no_grad():
        for p in (model.tokens, model.shares, *model.fusion_stream.parameters()):
            p.add_(1)
    after = model(data)
    assert all(torch.equal(before[m], after[m]) for m in FEATURES)
    assert not torch.allclose(before["fused"], after["fused"])


def test_vision_has_two_blocks_a_layer_in_the_released_code():
    sizes = {"width": 8, "heads": 2}
    blocks = [[len(layer) for layer in s] for s in build(preset="released", **sizes).streams]
    assert blocks == [[1] * 4, [1] * 4, [2] * 4]


def test_encoding_without_gradients_goes_part_by_part(monkeypatch):
    model, data = build().eval(), batch()
    together = model.encode(data)
    monkeypatch.setattr(network, "PART", 5)
    with torch.no_grad():
        apart = model.encode(data)
    for name in together:
        torch.testing.assert_close(apart[name], together[name])


@pytest.mark.parametrize("task", list(Task))
def test_the_loss_is_the_sum_over_heads_on_their_own_labels(task):
    model, data = build(task).eval(), batch(task=task)
    model.adapt(data)
    outputs, labels = model(data), data.labels
    if task == Task.CLASSIFICATION:
        errors = [torch.nn.functional.cross_entropy(o, labels[s]) for s, o in outputs.items()]
    else:
        deviation = labels["fused"].std(correction=0)
        errors = [(o[:, 0] - labels[s]).abs().mean() / deviation for s, o in outputs.items()]
    assert len(errors) == 4
    assert model.loss(data).item() == pytest.approx(sum(errors).item(), rel=1e-4)


@pytest.mark.parametrize("task", list(Task))
def test_gradients_agree_with_finite_differences(gradients_agree, task):
    picked = ["shares", "embeddings.1.token", "embeddings.1.project.weight", "streams.0.0.0.qkv.bias", "tokens"]
    assert gradients_agree(build(task, **PLAIN), batch(4, task), picked)


def test_inputs_of_any_scale_are_standardized_over_their_valid_steps():
    data = batch()
    far = Batch(
        inputs={m: 100 * x + 1e3 for m, x in data.inputs.items()}, lengths=data.lengths, labels=data.labels
    )
    predicted = []
    for given in (data, far):
        model = build().eval()
        model.adapt(given)
        predicted.append(model(given)["fused"])
    torch.testing.assert_close(*predicted, rtol=1e-3, atol=1e-3)
    raw = build(standardize=False)
    raw.adapt(data)
    assert not torch.allclose(raw.eval()(data)["fused"], raw(far)["fused"], atol=1e-3)


def test_published_sgd_divides_its_step_by_the_epoch():
    model = build(optimizer="sgd")
    optimizer = model.optimizer()
    schedule = model.schedule(optimizer)
    rates = []
    for _ in range(3):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.005, 0.0025, 0.005 / 3])
    assert isinstance(optimizer, torch.optim.SGD)


@pytest.mark.parametrize(("preset", "kind"), [("released", "SGD"), ("paper", "AdamW"), ("small", "AdamW")])
def test_a_preset_brings_its_optimizer(preset, kind):
    model = build(preset=preset)
    (group,) = model.optimizer().param_groups
    assert type(model.optimizer()).__name__ == kind
    assert len(group["params"]) == len(list(model.parameters()))
    assert kind == "SGD" or (group["lr"], model.schedule(model.optimizer())) == (1e-4, None)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValidationError, match="the width 30 is no even multiple of the 4 heads"):
        LfmimParams(preset="small", width=30)
    with pytest.raises(RunError, match="model.params.lengths speaks of smell, but .* text, audio, vision"):
        build(lengths={"smell": 3})
    with pytest.raises(RunError, match="lfmim keeps the name 'context' to itself"):
        LFMIM.make(LfmimParams(), shape(features={"context": 3}))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_equal_seeds_train_equal_models(optimizer):
    trainer = Trainer(
        lambda: LFMIM.make(LfmimParams(**TINY, optimizer=optimizer), shape()),
        TrainingSettings(epochs=2, device="cpu"),
    )
    one, again, other = (trainer.fit(samples(9), seed).model.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("task", list(Task))
def test_ten_samples_can_be_learned_by_heart(task):
    labeled = samples(10, task)
    settings = TrainingSettings(epochs=150, device="cpu", learning_rate=5e-3, weight_decay=0)
    fitted = Trainer(lambda: build(task, width=16, **PLAIN), settings).fit(labeled, 0)
    predictions = predict(fitted, labeled.inputs, 100)
    if task == Task.CLASSIFICATION:
        assert (predictions.argmax(1) == labeled.labels).all()
    else:
        assert np.abs(predictions[:, 0] - labeled.labels).mean() < 0.1 * labeled.labels.std()


def test_steps_are_placed_between_two_norms():
    place = Placement(9, 6, 0.5).eval()
    x = torch.randn(2, 9, 6)
    norm = torch.nn.functional.layer_norm
    torch.testing.assert_close(place(x), norm(norm(6**0.5 * x, (6,)) + sinusoids(9, 6), (6,)))
