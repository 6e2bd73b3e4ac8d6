"""One pass over a view serves all that was asked for, with the values of a pass for each."""

import numpy as np
import pytest
import torch

from alharness import Feature, ModelError, Task
from alharness.engine import encoding
from alharness.engine.extraction import Extractor
from alharness.engine.measure import Clock
from alharness.engine.views import ModelView

ROWS = np.array([1, 4, 5, 17, 30])
BOTH = frozenset({Feature.PREDICTIONS, Feature.EMBEDDINGS})
READS = {
    "predictions": lambda view, source: view.predictions(source),
    "embeddings": lambda view, source: view.embeddings(source),
}


class Watched:
    """A view in batches of two, with the rows of every call of its model."""

    def __init__(self, fitted, inputs, allowed, monkeypatch):
        self.model = fitted.model
        self.clock = Clock(fitted.device, rest="selection")
        self.extractor = Extractor(fitted, 2, allowed, self.clock, 0)
        self.view = ModelView(self.extractor, inputs, ROWS)
        self.encoded, self.decoded = [], []
        encode, decode = self.model.encode, self.model.decode

        def spied_encode(batch):
            self.encoded.append(len(batch))
            return encode(batch)

        def spied_decode(z):
            self.decoded.append(len(next(iter(z.values()))))
            return decode(z)

        monkeypatch.setattr(self.model, "encode", spied_encode)
        monkeypatch.setattr(self.model, "decode", spied_decode)


@pytest.fixture
def watched(make_trainer, make_samples, monkeypatch):
    def build(allowed=BOTH, task=Task.CLASSIFICATION):
        samples = make_samples(40, task).pooled()
        return Watched(make_trainer(task, epochs=2).fit(samples, 0), samples.inputs, allowed, monkeypatch)

    return build


def by_hand(model, inputs, task):
    """Source -> predictions and embeddings, each head followed layer by layer."""
    found = {}
    with torch.no_grad():
        z = []
        for start in range(0, len(ROWS), 2):
            x = [torch.from_numpy(inputs.arrays[m][ROWS[start : start + 2]]) for m in inputs.modalities]
            scaled = [((a - s.mean) / s.deviation).clamp(-8, 8) for a, s in zip(x, model.scales, strict=True)]
            z.append([encoder(a) for encoder, a in zip(model.encoders, scaled, strict=True)])
        own = [list(parts) for parts in zip(*z, strict=True)]
        hidden = {m: [model.heads[i].hidden(part) for part in own[i]] for i, m in enumerate(inputs.modalities)}
        hidden["fused"] = [model.fused.hidden(torch.cat(part, 1)) for part in z]
        for source, parts in hidden.items():
            h = [part.relu() for part in parts]
            outputs = [model.last_layer(source)(part) for part in h]
            if task == Task.CLASSIFICATION:
                outputs = [output.log_softmax(1) for output in outputs]
            else:
                outputs = [output * model.target.deviation + model.target.mean for output in outputs]
            found[source] = {"predictions": torch.cat(outputs), "embeddings": torch.cat(h)}
    return found


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("order", [("predictions", "embeddings"), ("embeddings", "predictions")])
@pytest.mark.parametrize("source", ["fused", "vision"])
def test_predictions_and_embeddings_take_one_pass(watched, make_samples, task, order, source):
    w = watched(task=task)
    first, second = (READS[read](w.view, source) for read in order)
    assert (w.encoded, w.decoded) == ([2, 2, 1], [2, 2, 1])
    expected = by_hand(w.model, make_samples(40, task).pooled().inputs, task)[source]
    assert torch.equal(first, expected[order[0]])
    assert torch.equal(second, expected[order[1]])


def test_embeddings_of_another_source_are_its_own(watched, make_samples):
    w = watched()
    found = {source: w.view.embeddings(source) for source in ("audio", "fused", "text", "audio")}
    w.view.predictions("vision")
    assert (w.encoded, w.decoded) == ([2, 2, 1], 3 * [2, 2, 1])
    expected = by_hand(w.model, make_samples(40).pooled().inputs, Task.CLASSIFICATION)
    assert all(torch.equal(h, expected[source]["embeddings"]) for source, h in found.items())


def test_whoever_declared_predictions_alone_carries_no_embeddings(watched, monkeypatch):
    w = watched(frozenset({Feature.PREDICTIONS}))
    monkeypatch.setattr(w.model, "last_layer", lambda source: pytest.fail(f"caught inputs of {source}"))
    w.view.predictions()
    assert w.decoded == [2, 2, 1]


def test_whoever_declared_embeddings_alone_carries_no_predictions(watched, monkeypatch):
    w = watched(frozenset({Feature.EMBEDDINGS}))
    monkeypatch.setattr(w.extractor, "predict", lambda _: pytest.fail("predicted"))
    w.view.embeddings()
    assert w.decoded == [2, 2, 1]


def test_nothing_is_computed_before_it_is_read(watched):
    w = watched()
    assert len(w.view) == 5
    assert (w.encoded, w.decoded) == ([], [])


def test_the_pass_is_charged_to_inference(watched, monkeypatch):
    w = watched()
    phases = []
    decode = w.model.decode
    monkeypatch.setattr(w.model, "decode", lambda z: phases.append(w.clock.phase) or decode(z))
    w.view.predictions()
    assert phases == 3 * ["inference"]
    assert w.clock.phase == "selection"


def test_a_pass_that_fails_leaves_the_model_as_it_was(watched, monkeypatch):
    w = watched()

    def fail(_):
        raise ZeroDivisionError

    monkeypatch.setattr(w.model, "decode", fail)
    with pytest.raises(ModelError, match="ZeroDivisionError"):
        w.view.predictions()
    assert not w.model.last_layer("fused")._forward_pre_hooks


@pytest.mark.parametrize("feature", [Feature.PREDICTIONS, Feature.EMBEDDINGS])
def test_large_encoder_outputs_are_not_kept_for_who_may_not_read_them(watched, monkeypatch, feature):
    monkeypatch.setattr(encoding, "IN_MEMORY", 0)
    read, found = READS[feature.value], {}
    for allowed in ({feature}, {feature, Feature.REPRESENTATIONS}):
        w = watched(frozenset(allowed))
        found[len(allowed)] = [read(w.view, source) for source in ("fused", "text")]
        again = len(allowed) == 1 and feature == Feature.EMBEDDINGS  # predictions come for all sources in one pass
        assert w.encoded == (1 + again) * [2, 2, 1]
    assert all(map(torch.equal, *found.values()))


def test_a_head_that_also_encodes_is_caught_once(watched, monkeypatch):
    """A network in one piece is run to encode, and its last layer with it."""
    w = watched(frozenset({Feature.EMBEDDINGS}))
    encode, head = w.model.encode, w.model.last_layer("fused")

    def all_of_it(batch):
        head(torch.zeros(len(batch), head.in_features))
        return encode(batch)

    monkeypatch.setattr(w.model, "encode", all_of_it)
    assert torch.equal(w.view.embeddings(), watched(frozenset({Feature.EMBEDDINGS})).view.embeddings())
