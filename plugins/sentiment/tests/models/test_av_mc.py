import copy

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from alharness import Batch, ModelShape, Task
from alharness.api.samples import Inputs, Samples
from alharness.engine.batches import as_batch
from alharness.engine.dropout import dropout_on
from alharness.engine.extraction import predict
from alharness.engine.training import Trainer
from alharness.errors import RunError
from alharness.spec.settings import TrainingSettings
from alharness_sentiment.av_mc.layers import BatchNorm
from alharness_sentiment.av_mc.plugin import AV_MC, AvMcParams

CPU = torch.device("cpu")
FEATURES = {"text": 6, "audio": 5, "vision": 4}
UNREAD = "num_batches_tracked"
"""What torch's batch normalization counts, and only reads without a momentum."""
PLAIN = {"encoder_dropout": 0.0, "head_dropout": 0.0}


def shape(task=Task.CLASSIFICATION, features=FEATURES):
    return ModelShape(features=features, task=task, outputs=3 if task == Task.CLASSIFICATION else 1)


def build(task=Task.CLASSIFICATION, features=FEATURES, **params):
    torch.manual_seed(0)
    return AV_MC.make(AvMcParams(**params), shape(task, features))


def samples(n=12, task=Task.CLASSIFICATION, features=FEATURES):
    rng = np.random.default_rng(0)

    def labels():
        if task == Task.CLASSIFICATION:
            return rng.integers(0, 3, n)
        return rng.uniform(-1, 1, n).astype(np.float32)

    return Samples(
        inputs=Inputs(
            ids=tuple(f"{i:03}" for i in range(n)),
            arrays={m: (7 + 3 * rng.normal(size=(n, d))).astype(np.float32) for m, d in features.items()},
        ),
        labels=labels(),
        unimodal_labels={m: labels() for m in features},
    )


def batch(*args, **kwargs):
    return as_batch(samples(*args, **kwargs), CPU)


def error(output, labels, task):
    if task == Task.CLASSIFICATION:
        return torch.nn.functional.cross_entropy(output, labels).item()
    return (output[:, 0] - labels).abs().mean().item()


def test_the_documented_number_of_parameters():
    simsv2 = build(Task.REGRESSION, {"text": 768, "audio": 25, "vision": 177})
    encoders = 768 * 64 + 64, 2 * 25 + 25 * 16 + 16 + 2 * 272, 2 * 177 + 177 * 16 + 16 + 2 * 272
    heads = 64 * 32 + 32 + 1056 + 33, 16 * 32 + 32 + 1056 + 33, 16 * 64 + 64 + 4160 + 65
    fusion = 128 * 16 + 16 + 272 + 17
    assert sum(p.numel() for p in simsv2.parameters()) == sum(encoders) + sum(heads) + fusion == 66_440


@pytest.mark.parametrize(("task", "outputs"), [(Task.CLASSIFICATION, 3), (Task.REGRESSION, 1)])
@pytest.mark.parametrize(("cut", "widths"), [("post_feature", (32, 32, 64)), ("encoder", (64, 16, 16))])
def test_shapes(task, outputs, cut, widths):
    model, data = build(task, cut=cut).eval(), batch(task=task)
    z = model.encode(data)
    assert tuple(value.shape for value in z.values()) == tuple((12, width) for width in widths)
    assert {s: tuple(o.shape) for s, o in model.decode(z).items()} == dict.fromkeys(
        ("text", "audio", "vision", "fused"), (12, outputs)
    )


def test_the_cut_changes_no_prediction():
    data = batch()
    published, early = (build(cut=cut).eval()(data) for cut in ("post_feature", "encoder"))
    assert all(torch.equal(published[source], early[source]) for source in published)


def test_post_features_are_what_heads_and_fusion_share():
    model, data = build(Task.REGRESSION).eval(), batch(task=Task.REGRESSION)
    z = model.encode(data)
    assert all((value >= 0).all() and (value > 0).any() for value in z.values())
    outputs = model.decode(z)
    for source in FEATURES:
        assert torch.equal(outputs[source], model.last_layer(source)(z[source]))
    first, second = (layer for layer in model.fusion.layers if isinstance(layer, torch.nn.Linear))
    value = model.last_layer("fused")(second(first(torch.cat(list(z.values()), 1))))
    assert torch.allclose(outputs["fused"], 2 * torch.sigmoid(value) - 1)


@pytest.mark.parametrize(("cut", "constant"), [("post_feature", True), ("encoder", False)])
def test_gradients_at_post_features_point_one_way(cut, constant):
    model, data = build(Task.REGRESSION, cut=cut).eval(), batch(task=Task.REGRESSION)
    z = {m: value.detach().requires_grad_() for m, value in model.encode(data).items()}
    outputs = model.decode(z)
    (own,) = torch.autograd.grad(outputs["audio"].sum(), z["audio"], retain_graph=True)
    (fused,) = torch.autograd.grad(outputs["fused"].sum(), z["audio"])
    cosines = torch.nn.functional.cosine_similarity(own, fused)
    assert (cosines.max() - cosines.min() < 1e-5) == constant


def test_the_fused_value_stays_within_its_range():
    data = batch(task=Task.REGRESSION)
    model = build(Task.REGRESSION, output_range=(-3, 3)).eval()
    model.fusion.head.weight.data *= 1e4
    values = model(data)["fused"]
    assert values.abs().max() <= 3
    assert values.abs().max() > 2.9
    free = build(Task.REGRESSION, output_range=None).eval()
    free.fusion.head.weight.data *= 1e4
    assert free(data)["fused"].abs().max() > 3


def test_labels_out_of_range_are_refused_with_the_remedy():
    data = batch(task=Task.REGRESSION)
    data.labels["fused"][3] = 2.5
    with pytest.raises(RunError, match=r"labels reach from .* to 2.5.*set model.params.output_range"):
        build(Task.REGRESSION).adapt(data)
    build(Task.REGRESSION, output_range=(-3, 3)).adapt(data)
    build(Task.REGRESSION, output_range=None).adapt(data)


def test_a_range_that_is_upside_down_is_refused():
    with pytest.raises(ValidationError, match="the lower bound comes first"):
        AvMcParams(output_range=(1, -1))


@pytest.mark.parametrize("parameter", ["weights", "encoder_widths", "head_widths"])
def test_an_unknown_modality_is_refused(parameter):
    with pytest.raises(RunError, match=f"model.params.{parameter} speaks of smell, but .* text, audio, vision"):
        build(**{parameter: {"smell": 2}})


@pytest.mark.parametrize(
    ("task", "weights"),
    [
        (Task.REGRESSION, {"text": 0.2, "audio": 0.8, "vision": 0.4, "fused": 1}),
        (Task.CLASSIFICATION, {"text": 1, "audio": 1, "vision": 1, "fused": 1}),
    ],
)
def test_the_loss_weighs_the_errors_of_all_heads_on_their_own_labels(task, weights):
    model, data = build(task).eval(), batch(task=task)
    errors = {s: error(o, data.labels[s], task) for s, o in model(data).items()}
    assert model.loss(data).item() == pytest.approx(sum(weights[s] * errors[s] for s in errors), rel=1e-5)
    other = build(task, weights={"audio": 5, "fused": 0}).eval()
    expected = 5 * errors["audio"] + sum(weights[s] * errors[s] for s in ("text", "vision"))
    assert other.loss(data).item() == pytest.approx(expected, rel=1e-5)


def doubled(data):
    return Batch(
        inputs={m: x.double() for m, x in data.inputs.items()},
        labels={s: y.double() if y.is_floating_point() else y for s, y in data.labels.items()},
    )


def with_norms_of_torch(model):
    """A copy of the model whose batch normalizations are torch's own, with the same weights and statistics."""
    model = copy.deepcopy(model)
    for branch in model.branches[1:]:
        state = branch.encoder.norm.state_dict()
        branch.encoder.norm = torch.nn.BatchNorm1d(len(state["weight"]), dtype=torch.double)
        branch.encoder.norm.load_state_dict(state, strict=False)
    return model


def mean_error(output, labels, task):
    if task == Task.CLASSIFICATION:
        return torch.nn.functional.cross_entropy(output, labels)
    return torch.nn.functional.l1_loss(output[:, 0], labels)


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("cut", ["post_feature", "encoder"])
def test_mixup_is_a_plain_pass_and_two_of_mixed_inputs_and_targets(task, cut):
    model = build(task, mixup=True, cut=cut, **PLAIN).double().train()
    data = doubled(batch(task=task))
    model.adapt(data)
    passes = with_norms_of_torch(model)
    torch.manual_seed(7)
    found = model.loss(data)
    found.backward()

    torch.manual_seed(7)
    weights = {s: passes._weight(s) for s in data.labels}
    expected = sum(weights[s] * mean_error(o, data.labels[s], task) for s, o in passes(data).items())
    for modality in ("audio", "vision"):
        share, partner = torch.rand((), dtype=torch.double), torch.randperm(12)
        x = data.inputs[modality]
        inputs = data.inputs | {modality: share * x + (1 - share) * x[partner]}
        for source, output in passes(Batch(inputs=inputs)).items():
            labels = data.labels[source]
            own, other = mean_error(output, labels, task), mean_error(output, labels[partner], task)
            mixes = source in (modality, "fused")
            expected = expected + weights[source] * (share * own + (1 - share) * other if mixes else own)
    expected.backward()
    torch.testing.assert_close(found, expected)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, passes.get_parameter(name).grad)
    for name, buffer in model.named_buffers():
        if name.endswith(UNREAD):
            continue
        torch.testing.assert_close(buffer, passes.get_buffer(name))


def test_rows_of_mixup_are_dropped_anew_in_every_pass():
    model, data = build(mixup=True, encoder_dropout=0.1, head_dropout=0.3).train(), batch(200)
    seen = []
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.register_forward_hook(lambda module, given, output: seen.append((module.p, given[0], output)))
    model.loss(data)
    assert len(seen) == 2 + 3 + 1
    for rate, given, output in seen:
        kept = (output != 0).view(3, 200, -1)
        could = (given != 0).view(3, 200, -1)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            both = could[one] & could[other]
            agree = (kept[one] == kept[other])[both].double().mean().item()
            assert agree == pytest.approx(rate**2 + (1 - rate) ** 2, abs=5 * 0.5 / both.sum().item() ** 0.5)


def test_text_is_encoded_once_for_all_passes():
    model, data = build(mixup=True).train(), batch()
    rows = []
    model.branches[0].encoder.register_forward_hook(lambda _, given, __: rows.append(len(given[0])))
    model.loss(data)
    assert rows == [12]


def test_without_a_modality_to_mix_mixup_is_the_plain_loss():
    features = {"text": 6}
    data = batch(features=features)
    mixed, plain = (build(features=features, mixup=mixup, **PLAIN).loss(data) for mixup in (True, False))
    torch.testing.assert_close(mixed, plain)


def test_validation_loss_is_not_mixed():
    data = batch()
    assert torch.equal(build(mixup=True).eval().loss(data), build().eval().loss(data))


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("cut", ["post_feature", "encoder"])
def test_gradients_agree_with_finite_differences(gradients_agree, task, cut):
    model = build(task, cut=cut, **PLAIN)
    names = [name for name, _ in model.named_parameters()]
    picked = [n for n in names if n.endswith(("encoder.linear.weight", "norm.weight", "fusion.head.weight"))]
    assert len(picked) == 4
    assert gradients_agree(model, batch(task=task), picked)


def test_every_parameter_is_trained_once_at_its_published_rate():
    model = build()
    groups = model.optimizer().param_groups
    named = {id(p): name for name, p in model.named_parameters()}
    rates = {named[id(p)]: (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert sum(len(g["params"]) for g in groups) == len(rates) == len(named)
    assert {rate for name, rate in rates.items() if name.startswith("branches.1.encoder")} == {(5e-4, 0)}
    assert {rate for name, rate in rates.items() if name.startswith("branches.2.encoder")} == {(1e-3, 0)}
    others = {rate for name, rate in rates.items() if not name.startswith(("branches.1.enc", "branches.2.enc"))}
    assert others == {(5e-4, 5e-4)}


def test_a_modality_of_another_name_gets_the_documented_sizes():
    features = {"left.ear": 3, "text": 4}
    model = build(features=features)
    z = model.encode(batch(features=features))
    assert {m: value.shape[1] for m, value in z.items()} == {"left.ear": 32, "text": 32}
    assert build(features=features, cut="encoder").encode(batch(features=features))["left.ear"].shape[1] == 16
    assert build(Task.REGRESSION, features)._weight("left.ear") == 0.4


def test_widths_can_be_chosen():
    model = build(encoder_widths={"text": 9}, head_widths={"audio": 11}, cut="encoder")
    z = model.encode(batch())
    assert (z["text"].shape[1], z["audio"].shape[1]) == (9, 16)
    assert model.last_layer("audio").in_features == 11


def test_one_sample_is_normalized_by_running_statistics():
    norm = BatchNorm(2)
    norm.start(torch.tensor([[0.0, 5.0], [4.0, 5.0]]))
    assert norm.train()(torch.tensor([[4.0, 5.5]])).tolist() == [pytest.approx([1.0, 0.5], abs=1e-4)]
    assert norm.running_mean.tolist() == [2, 5]
    two = norm(torch.tensor([[4.0, 5.5], [8.0, 6.5]]))
    assert two.tolist() == [pytest.approx([-1, -1], abs=1e-4), pytest.approx([1, 1], abs=1e-4)]
    assert norm.running_mean.tolist() != [2, 5]


@pytest.mark.parametrize("training", [True, False])
def test_batches_are_normalized_each_by_itself_as_torch_does(training):
    mine, torchs = BatchNorm(3).train(training), torch.nn.BatchNorm1d(3).train(training)
    torchs.load_state_dict({n: 2 + torch.rand(3) for n in mine.state_dict() if n != UNREAD}, strict=False)
    mine.load_state_dict(torchs.state_dict(), strict=False)
    batches = [scale * torch.randn(5, 3) + scale for scale in (1.0, 10.0, 100.0)]
    torch.testing.assert_close(mine(*batches), torch.cat([torchs(x) for x in batches]))
    torch.testing.assert_close(mine.running_mean, torchs.running_mean)
    torch.testing.assert_close(mine.running_var, torchs.running_var)


def test_running_statistics_begin_at_the_labeled_samples():
    model, data = build(), batch()
    model.adapt(data)
    for branch, modality in zip(model.branches[1:], ("audio", "vision"), strict=True):
        x = data.inputs[modality]
        assert torch.allclose(branch.encoder.norm.running_mean, x.mean(0), atol=1e-5)
        assert torch.allclose(branch.encoder.norm.running_var, x.var(0, correction=0), rtol=1e-4)


@pytest.mark.parametrize("n", [1, 33])
@pytest.mark.parametrize("mixup", [False, True])
def test_a_batch_of_one_sample_can_be_trained_on(n, mixup):
    trainer = Trainer(lambda: build(mixup=mixup), TrainingSettings(epochs=3, device="cpu"))
    fitted = trainer.fit(samples(n), 0)
    assert torch.isfinite(fitted.model(batch(40))["fused"]).all()


@pytest.mark.parametrize("task", list(Task))
def test_ten_samples_can_be_learned_by_heart(task):
    labeled = samples(10, task)
    settings = TrainingSettings(epochs=400, device="cpu", learning_rate=1e-2, weight_decay=0)
    fitted = Trainer(lambda: build(task, **PLAIN), settings).fit(labeled, 0)
    predictions = predict(fitted, labeled.inputs, 100)
    if task == Task.CLASSIFICATION:
        assert (predictions.argmax(1) == labeled.labels).all()
    else:
        assert np.abs(predictions[:, 0] - labeled.labels).mean() < 0.1 * labeled.labels.std()


def test_draws_under_dropout_leave_the_statistics_of_training_alone():
    model, data = build().eval(), batch(40)
    model.adapt(data)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with dropout_on(model, 0), torch.no_grad():
        model(data)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
