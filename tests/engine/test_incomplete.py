"""Samples that lack a modality, and what samplers may read of the data set: from arrays to views."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from alharness import Dataset, Feature, Inputs, LabelLeak, Sampler, SamplerError, Samples, Schedule
from alharness.api.metrics import metrics_of
from alharness.engine.batches import as_batch, batches
from alharness.engine.extraction import Extractor
from alharness.engine.loop import SeedData, run_cell
from alharness.engine.measure import Clock
from alharness.engine.pool import Oracle, Pool
from alharness.engine.recipe import Fit, Fitted
from alharness.engine.views import ModelView

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def lacking(make_samples):
    """Every third sample lacks audio; text is declared and always there; labels of audio are its own."""
    made = make_samples(90)
    has = np.arange(90) % 3 > 0
    arrays = dict(made.inputs.arrays) | {"audio": made.inputs.arrays["audio"] * has[:, None]}
    return replace(
        made,
        inputs=replace(made.inputs, arrays=arrays, present={"audio": has, "text": np.ones(90, bool)}),
        unimodal_labels={"audio": (made.labels + 1) % 3},
        truth={"value": np.arange(90, dtype=np.float32), "outlier": np.arange(90) % 7 == 0},
    )


def test_what_is_present_and_what_is_known_go_with_the_rows(lacking):
    rows = np.array([3, 1, 4])
    for part in (
        lacking.take(rows),
        lacking.subset(rows),
        lacking.subset(np.array([0, 3, 1, 4])).subset(1 + np.arange(3)),
    ):
        assert part.inputs.present["audio"].tolist() == [False, True, True]
        assert part.truth["value"].tolist() == [3, 1, 4]
    assert lacking.pooled().inputs.present["audio"].sum() == 60
    assert lacking.inputs.incomplete == ("audio", "text")


def test_batches_say_what_is_present(lacking):
    whole = as_batch(lacking, CPU)
    first, second = batches(lacking.inputs, np.array([3, 1, 4]), 2, CPU)
    assert whole.present["audio"].sum() == 60
    assert whole.take(torch.tensor([0, 1])).present["audio"].tolist() == [False, True]
    assert (first.present["audio"].tolist(), second.present["audio"].tolist()) == ([False, True], [True])
    assert set(first.present) == {"audio", "text"}
    other = first.with_tensors(first.tensors.values())
    assert {name: x.tolist() for name, x in other.tensors.items()} == {
        n: x.tolist() for n, x in first.tensors.items()
    }


def test_the_digest_depends_on_what_is_present_and_on_the_truth(lacking):
    def digest(samples):
        return Dataset(task="classification", content=samples, classes=("a", "b", "c"), synthetic=True).digest

    plain = replace(lacking, truth={})
    present = lacking.inputs.present | {"text": np.arange(90) > 0}
    other = replace(lacking, inputs=replace(lacking.inputs, present=present))
    assert len({digest(x) for x in (lacking, plain, other)}) == 3


def test_such_models_train_as_a_stack_as_they_do_alone(lacking, make_trainer):
    trainer = make_trainer(epochs=4)
    data = lacking.pooled()
    fits = [Fit(labeled=data.take(np.arange(start, start + 40)), seed=start) for start in (0, 40)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        together = trainer.fit_many(fits)
    assert [found.cost["train_stacked"] for found in together] == [2, 2]
    for request, found in zip(fits, together, strict=True):
        (alone,) = trainer.fit_many([request])
        for name, weights in alone.model.state_dict().items():
            assert torch.equal(weights, found.model.state_dict()[name])


class Looks(Sampler):
    def __init__(self, look):
        self.look, self.seen = look, []

    def select(self, query):
        self.seen.append(self.look(query))
        return list(range(query.size))


@pytest.fixture(scope="module")
def run(lacking, make_trainer):
    trainer = make_trainer(epochs=1)

    def run(look, features):
        samples = lacking.pooled()
        data = SeedData(
            seed=0,
            oracle=Oracle(samples.subset(np.arange(60))),
            initial=Pool(samples.ids[:60]).draw(9, np.random.default_rng(0)),
            test=samples.subset(np.arange(60, 90)),
            schedule=Schedule(initial_pool=9, sizes=(4, 3)),
            batch=7,
            metrics=metrics_of("classification"),
            classes=("a", "b", "c"),
        )
        sampler = Looks(look)
        cell = run_cell(data, sampler, data.initial, features=frozenset(features), warn=pytest.fail)
        for fit in cell:
            assert isinstance(fit, Fit)
            cell.send(trainer.fit(fit.labeled, 0))
        return sampler.seen

    return run


def test_a_sampler_sees_the_inputs_and_what_is_present(run, lacking):
    def look(query):
        for view in (query.unlabeled, query.labeled):
            rows = np.array([lacking.ids.index(name) for name in view.ids])
            pooled = lacking.pooled().inputs
            for modality in ("audio", "text", "vision"):
                assert np.array_equal(view.inputs(modality).numpy(), pooled.arrays[modality][rows])
            assert view.inputs("audio").dtype == torch.float32
            assert np.array_equal(view.present("audio").numpy(), rows % 3 > 0)
            assert view.present("vision").all()
        assert query.classes == ("a", "b", "c")

    assert len(run(look, {Feature.INPUTS})) == 2


def test_a_sequence_is_one_vector_for_a_sampler(lacking, make_trainer):
    fitted = Fitted(model=make_trainer().initialize(0), device=CPU, epochs=0)
    extractor = Extractor(fitted, 7, frozenset({Feature.INPUTS}), Clock(CPU, rest="selection"), 0)
    for pooling in ("mean", "first"):
        inputs, rows = replace(lacking.inputs, pooling={"vision": pooling}), np.array([3, 1, 80])
        found = ModelView(extractor, inputs, rows).inputs("vision")
        assert np.array_equal(found.numpy(), inputs.pooled().arrays["vision"][rows])


def test_absent_representations_are_zero(run):
    def look(query):
        z, there = query.unlabeled.representations("audio"), query.unlabeled.present("audio")
        assert not z[~there].any()
        assert z[there].any()

    run(look, {Feature.REPRESENTATIONS})


def test_a_sampler_sees_labels_of_a_modality_and_when_they_were_bought(run, lacking):
    def look(query):
        rows = np.array([lacking.ids.index(name) for name in query.labeled.ids])
        assert query.labeled.targets().tolist() == lacking.labels[rows].tolist()
        assert query.labeled.targets("audio").tolist() == lacking.unimodal_labels["audio"][rows].tolist()
        assert query.labeled.targets("text").tolist() == lacking.labels[rows].tolist()
        for read in (query.unlabeled.targets, lambda: query.unlabeled.targets("audio")):
            with pytest.raises(LabelLeak):
                read()
        with pytest.raises(SamplerError, match="they were not yet"):
            query.unlabeled.bought()
        return query.unlabeled.ids[: query.size], dict(
            zip(query.labeled.ids, query.labeled.bought().tolist(), strict=True)
        )

    (first, before), (_, after) = run(look, set())
    assert set(before.values()) == {-1}
    assert len(before) == 9
    assert after == before | dict.fromkeys(first, 0)


def test_a_control_reads_the_truth_of_every_sample(run, lacking):
    def look(query):
        for view in (query.unlabeled, query.labeled):
            rows = np.array([lacking.ids.index(name) for name in view.ids])
            assert view.truth("value").tolist() == rows.tolist()
            assert view.truth("outlier").tolist() == (rows % 7 == 0).tolist()
        with pytest.raises(SamplerError, match="'worth', but the data set knows value, outlier"):
            query.unlabeled.truth("worth")

    run(look, {Feature.TRUTH})


@pytest.mark.parametrize(("feature", "read"), [("inputs", "audio"), ("truth", "value")])
def test_what_was_not_declared_is_not_read(run, feature, read):
    def look(query):
        with pytest.raises(SamplerError, match=f"add Feature.{feature.upper()} to"):
            getattr(query.labeled, feature)(read)

    run(look, set(Feature) - {Feature(feature)})


@pytest.mark.parametrize(
    ("present", "message"),
    [
        ({"smell": np.ones(2, bool)}, "'smell', which is no modality"),
        ({"audio": np.ones(2, np.int64)}, "one bool per sample"),
        ({"audio": np.ones(3, bool)}, r"\(2,\), but it is \(3,\)"),
        ({"audio": [True, True]}, "expected a NumPy array"),
    ],
)
def test_present_must_fit(present, message):
    with pytest.raises(Exception, match=message):
        Inputs(ids=("a", "b"), arrays={"audio": np.zeros((2, 1), np.float32)}, present=present)


def test_truth_must_fit():
    inputs = Inputs(ids=("a", "b"), arrays={"audio": np.zeros((2, 1), np.float32)})
    with pytest.raises(Exception, match=r"truth of value: expected a row for each of 2 samples"):
        Samples(inputs=inputs, labels=np.zeros(2, np.int64), truth={"value": np.zeros(3)})
