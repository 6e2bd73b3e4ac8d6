import numpy as np
import pytest
import torch
from torch import nn

from alharness import Feature, LabelLeak, SamplerError, Task
from alharness.engine.dropout import dropout_on
from alharness.engine.extraction import Extractor, predict
from alharness.engine.measure import Clock
from alharness.engine.views import ModelView
from alharness.models.late_fusion.network import LateFusion

ROWS = np.array([1, 4, 5, 17, 30])


@pytest.fixture
def opened(make_trainer, make_samples):
    def build(task=Task.CLASSIFICATION, batch=2, allowed=frozenset(Feature), params=None, seed=0):
        samples = make_samples(40, task).pooled()
        fitted = make_trainer(task, params=params, epochs=3).fit(samples, 0)
        clock = Clock(fitted.device, rest="selection")
        extractor = Extractor(fitted, batch, allowed, clock, seed)
        return fitted, extractor, ModelView(extractor, samples.inputs, ROWS), clock

    return build


def test_predictions_are_log_probabilities_of_the_rows_asked_for(opened, make_samples):
    fitted, _, view, _ = opened()
    expected = predict(fitted, make_samples(40).pooled().inputs, 100)[ROWS]
    assert torch.allclose(view.predictions(), torch.log_softmax(torch.from_numpy(expected), 1), atol=1e-6)
    assert view.ids == tuple(f"s{i:04d}" for i in ROWS)


def test_regression_predictions_are_values(opened, make_samples):
    fitted, _, view, _ = opened(Task.REGRESSION)
    expected = predict(fitted, make_samples(40, Task.REGRESSION).pooled().inputs, 100)[ROWS]
    assert view.predictions().shape == (5, 1)
    assert np.allclose(view.predictions().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("source", ["audio", "vision", "fused"])
def test_an_embedding_times_the_last_layer_is_the_prediction(opened, source):
    fitted, _, view, _ = opened()
    logits = fitted.model.last_layer(source)(view.embeddings(source))
    assert torch.allclose(torch.log_softmax(logits, 1), view.predictions(source), atol=1e-6)


def test_decoding_the_representations_gives_the_predictions(opened):
    _, extractor, view, _ = opened()
    outputs = extractor.decode({m: view.representations(m) for m in ("audio", "text", "vision")})
    assert torch.allclose(outputs["fused"], view.predictions(), atol=1e-6)


@pytest.mark.parametrize("source", ["audio", "vision", "fused"])
def test_embedding_representations_gives_the_embeddings(opened, source):
    fitted, extractor, view, _ = opened()
    z = {m: view.representations(m) for m in ("audio", "text", "vision")}
    assert torch.equal(extractor.embed(z, source), view.embeddings(source))
    without = {**z, "text": torch.zeros_like(z["text"])}
    logits = fitted.model.last_layer(source)(extractor.embed(without, source))
    assert torch.allclose(logits.log_softmax(1), extractor.decode(without)[source], atol=1e-6)


@pytest.mark.parametrize("feature", [Feature.DECODE, Feature.EMBEDDINGS])
def test_embedding_needs_both_features(opened, feature):
    _, extractor, view, _ = opened(allowed=frozenset(Feature) - {feature})
    with pytest.raises(SamplerError, match=f"Feature.{feature.name}"):
        extractor.embed({m: view.representations(m) for m in ("audio", "text", "vision")})


def test_decode_is_differentiable_and_grows_no_gradient_in_the_model(opened):
    fitted, extractor, view, _ = opened()
    z = {m: view.representations(m).clone().requires_grad_() for m in ("audio", "text", "vision")}
    extractor.decode(z)["fused"].sum().backward()
    assert all(value.grad is not None for value in z.values())
    assert all(p.grad is None for p in fitted.model.parameters())


def test_the_batch_size_changes_nothing(opened):
    views = [opened(batch=size)[2] for size in (1, 3, 100)]
    for read in ("predictions", "embeddings"):
        first, *others = (getattr(view, read)() for view in views)
        assert all(torch.allclose(first, other, atol=1e-6) for other in others)


def test_the_encoder_runs_once(opened, monkeypatch):
    fitted, _, view, _ = opened()
    calls = []
    encode = fitted.model.encode
    monkeypatch.setattr(fitted.model, "encode", lambda batch: calls.append(len(batch)) or encode(batch))
    view.predictions(), view.embeddings(), view.representations("audio"), view.predictions("audio")
    assert calls == [2, 2, 1]


@pytest.mark.parametrize(
    ("feature", "read"),
    [
        (Feature.EMBEDDINGS, lambda view, _: view.embeddings()),
        (Feature.REPRESENTATIONS, lambda view, _: view.representations("audio")),
        (Feature.REPRESENTATIONS, lambda view, _: view.context()),
        (Feature.PREDICTIONS, lambda view, _: view.predictions()),
        (Feature.MC_DRAWS, lambda view, _: next(view.mc_draws(2))),
        (Feature.DECODE, lambda _, extractor: extractor.decode({})),
    ],
)
def test_an_undeclared_feature_is_refused_by_name(opened, feature, read):
    _, extractor, view, _ = opened(allowed=frozenset(Feature) - {feature})
    with pytest.raises(SamplerError, match=f"add Feature.{feature.name} to SamplerPlugin.requires"):
        read(view, extractor)


def test_an_unknown_source_is_refused_with_those_there_are(opened):
    view = opened()[2]
    with pytest.raises(SamplerError, match="asked for 'smell', but there are only audio, text, vision, fused"):
        view.predictions("smell")
    with pytest.raises(SamplerError, match="asked for 'fused', but there are only audio, text, vision$"):
        view.representations("fused")


def test_case_29_labels_of_the_unlabeled_view_are_out_of_reach(opened):
    with pytest.raises(LabelLeak, match="which were not bought"):
        opened()[2].targets()


def test_draws_differ_from_each_other_and_come_again_for_the_same_seed(opened):
    one, again, other = (list(opened(seed=seed)[2].mc_draws(3)) for seed in (0, 0, 1))
    assert not torch.equal(one[0], one[1])
    assert not torch.equal(one[0], other[0])
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert one[0].exp().sum(dim=1).allclose(torch.ones(5))


def test_draws_do_not_depend_on_the_batch_of_inference(opened):
    small, large = (next(opened(batch=size)[2].mc_draws(1)) for size in (2, 100))
    assert torch.equal(small, large)


def test_the_mean_of_many_draws_is_near_the_prediction(opened):
    view = opened(params={"hidden": 64, "representation": 32, "fusion": 32, "dropout": 0.1})[2]
    mean = torch.stack([draw.exp() for draw in view.mc_draws(200)]).mean(dim=0)
    assert (mean - view.predictions().exp()).abs().max() < 0.15


def test_a_model_without_dropout_is_an_error_that_says_so(opened):
    view = opened(params={"dropout": 0.0})[2]
    with pytest.raises(SamplerError, match="no active dropout"):
        next(view.mc_draws(2))


def test_a_draw_leaves_the_model_and_the_global_generator_as_they_were(opened):
    fitted, _, view, _ = opened()
    state = torch.get_rng_state()
    next(view.mc_draws(1))
    assert torch.equal(state, torch.get_rng_state())
    assert not any(module.training for module in fitted.model.modules())


class OwnNorm(nn.Module):
    """A normalization that is no class of torch's."""

    def __init__(self, columns):
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(columns))

    def forward(self, x):
        if self.training:
            self.running_mean.copy_(x.mean(0))
        return x - self.running_mean


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, OwnNorm])
def test_normalization_layers_stay_in_evaluation_under_dropout(norm):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = norm(3)

        def forward(self, x):
            return nn.functional.dropout(self.norm(x), 0.5, training=self.training)

    net = Net().eval()
    before = net.norm.running_mean.clone()
    with dropout_on(net, 0):
        output = net(torch.randn(50, 3))
    assert torch.equal(before, net.norm.running_mean)
    assert (output == 0).any()  # functional dropout was on
    assert not net.training


def test_views_charge_inference_and_a_samplers_phase_keeps_decode(opened):
    _, extractor, view, clock = opened()
    view.predictions()
    assert clock.seconds["inference"] > 0
    z = {m: view.representations(m) for m in ("audio", "text", "vision")}
    before = clock.seconds["inference"]
    with clock.charge("gradients"):
        extractor.decode(z)
    assert clock.seconds["inference"] == before
    extractor.decode(z)
    assert clock.seconds["inference"] > before


class WithContext(LateFusion):
    """Its fused head reads something in addition to the representations."""

    def encode(self, batch):
        return super().encode(batch) | {"mood": batch.inputs["audio"][:, :1]}

    def decode(self, z):
        outputs = super().decode(z)
        return outputs | {"fused": outputs["fused"] + z["mood"] * torch.arange(3)}


def test_what_belongs_to_no_modality_is_the_views_context(opened, make_samples):
    fitted, extractor, view, _ = opened()
    assert view.context() == {}
    fitted.model.__class__ = WithContext
    view = ModelView(extractor, make_samples(40).pooled().inputs, ROWS)
    assert set(view.context()) == {"mood"}
    z = {m: view.representations(m) for m in ("audio", "text", "vision")}
    predicted = extractor.decode({**z, **view.context()})["fused"]
    assert torch.allclose(predicted, view.predictions(), atol=1e-6)
    with pytest.raises(SamplerError, match=r"called decode without mood;.*context\(\)"):
        extractor.decode(z)
    with pytest.raises(SamplerError, match="called embed without mood"):
        extractor.embed(z)
