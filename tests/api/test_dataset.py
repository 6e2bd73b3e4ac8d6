import numpy as np
import pytest

from alharness import DataError, Dataset, Inputs, Samples, Task
from alharness.api import rows
from alharness.api.dataset import split_sizes
from alharness.api.metrics import CLASSIFICATION, REGRESSION
from alharness.engine.seeds import stream


def inputs(n=4, **changes):
    given = {"ids": tuple("abcdefghij"[:n]), "arrays": {"x": np.zeros((n, 3), np.float32)}} | changes
    return Inputs(**given)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": ("a", "b", "a", "c")}, "the id 'a' belongs to more than one sample"),
        ({"ids": ("a", "b", "c")}, r"x: expected shape \(3, d\).*but it is \(4, 3\)"),
        ({"arrays": {"x": np.zeros(4, np.float32)}}, "x: expected shape"),
        ({"lengths": {"x": np.ones(4, np.int64)}}, "x: lengths need a sequence"),
        (
            {"arrays": {"x": np.zeros((4, 2, 3), np.float32)}, "lengths": {"x": np.array([0, 1, 2, 3])}},
            "x: lengths must be between 0 and 2, but they reach from 0 to 3",
        ),
    ],
)
def test_inputs_refuse_what_does_not_belong_together(changes, message):
    with pytest.raises(DataError, match=message):
        inputs(**changes)


def test_samples_refuse_another_number_of_labels():
    with pytest.raises(DataError, match="labels: expected 4 labels"):
        Samples(inputs=inputs(), labels=np.zeros(5))


def test_pooling_averages_the_valid_steps_alone():
    steps = np.array([[[1.0], [3.0], [99.0]], [[5.0], [99.0], [99.0]]], np.float32)
    pooled = Inputs(ids=("a", "b"), arrays={"x": steps}, lengths={"x": np.array([2, 0])}).pooled()
    assert pooled.arrays["x"].tolist() == [[2.0], [5.0]]  # an empty sequence counts as one step
    assert not pooled.lengths


def test_a_sequence_without_lengths_is_full():
    steps = np.array([[[1.0], [3.0]]], np.float32)
    assert Inputs(ids=("a",), arrays={"x": steps}).pooled().arrays["x"].tolist() == [[2.0]]


def test_a_drawn_split_covers_everything_once_and_keeps_rows_together(make_samples):
    samples = make_samples(100)
    splits = Dataset(task=Task.CLASSIFICATION, content=samples).split(stream(3, "split"))
    parts = (splits.train, splits.valid, splits.test)
    assert [len(part) for part in parts] == [60, 10, 30] == list(split_sizes(100))
    assert sorted(i for part in parts for i in part.ids) == sorted(samples.ids)
    for part in parts:
        assert list(part.ids) == sorted(part.ids)
        rows = [samples.ids.index(i) for i in part.ids]
        assert np.array_equal(part.labels, samples.labels[rows])
        assert np.array_equal(part.inputs.arrays["text"], samples.inputs.arrays["text"][rows])


def test_a_drawn_split_copies_no_inputs(make_samples):
    samples = make_samples(100)
    for whole in (samples, samples.take(np.arange(100)[::-1])):  # the second is not in the order of its ids
        splits = Dataset(task=Task.CLASSIFICATION, content=whole).split(stream(3, "split"))
        for part in (splits.train, splits.valid, splits.test):
            assert all(rows.base is whole.inputs.arrays[m] for m, rows in part.inputs.arrays.items())


def test_a_split_does_not_depend_on_the_order_of_the_rows(make_samples):
    samples = make_samples(50)
    shuffled = samples.take(np.random.default_rng(1).permutation(50))
    first, second = (
        Dataset(task=Task.CLASSIFICATION, content=content).split(stream(0, "split"))
        for content in (samples, shuffled)
    )
    assert first.train.ids == second.train.ids
    assert np.array_equal(first.train.labels, second.train.labels)


def test_a_data_set_with_its_own_split_keeps_it(make_dataset):
    dataset = make_dataset()
    one, other = dataset.split(stream(0, "split")), dataset.split(stream(1, "split"))
    assert one.train.ids == other.train.ids == dataset.parts["train"].ids


def test_blocks_stay_together_in_a_drawn_split(make_samples):
    dataset = Dataset(task=Task.CLASSIFICATION, content=make_samples(60), stretch=6)
    position = {name: row for row, name in enumerate(sorted(dataset.content.ids))}
    one, other = dataset.split(stream(0, "split")), dataset.split(stream(1, "split"))
    for part in one.parts.values():
        stretches = [position[name] // 6 for name in part.ids]
        assert all(stretches.count(stretch) == 6 for stretch in stretches)
    assert [len(part) for part in one.parts.values()] == [36, 6, 18]
    assert one.test.ids != other.test.ids


def test_samples_that_are_no_whole_blocks_are_refused(make_samples):
    dataset = Dataset(task=Task.CLASSIFICATION, content=make_samples(20), stretch=6)
    with pytest.raises(DataError, match="20 samples cannot be split in stretches of 6; leave some out"):
        dataset.split(stream(0, "split"))


def test_the_digest_knows_the_block(make_samples):
    one, other = (
        Dataset(task=Task.CLASSIFICATION, content=make_samples(20), stretch=stretch) for stretch in (1, 5)
    )
    assert one.digest != other.digest


def test_the_digest_goes_over_all_pieces_and_does_not_depend_on_their_size(make_samples, monkeypatch):
    def digest(samples):
        return Dataset(task=Task.CLASSIFICATION, content=samples).digest

    samples, order = make_samples(20), np.random.default_rng(1).permutation(20)
    whole, mixed = digest(samples), digest(samples.take(order))
    x = {m: a.copy() for m, a in samples.inputs.arrays.items()}
    x["text"][19, -1] += 1
    last = Samples(inputs=Inputs(ids=samples.ids, arrays=x, lengths=samples.inputs.lengths), labels=samples.labels)
    monkeypatch.setattr(rows, "PIECE", 7)
    assert digest(samples) == whole
    assert digest(samples.subset(order)) == mixed
    assert digest(last) != whole


def test_the_digest_sees_every_change(make_samples):
    def digest(samples, **more):
        return Dataset(task=Task.CLASSIFICATION, content=samples, **more).digest

    samples = make_samples(20)
    x = {m: a.copy() for m, a in samples.inputs.arrays.items()}
    x["text"][7, 1] += 1
    labels = samples.labels.copy()
    labels[3] = (labels[3] + 1) % 3
    lengths = {"vision": np.full(20, 5)}
    arrays = samples.inputs.arrays
    changed = [
        Samples(inputs=Inputs(ids=samples.ids, arrays=x, lengths=samples.inputs.lengths), labels=samples.labels),
        Samples(inputs=samples.inputs, labels=labels),
        Samples(inputs=Inputs(ids=samples.ids, arrays=arrays, lengths=lengths), labels=samples.labels),
        Samples(inputs=samples.inputs, labels=samples.labels, unimodal_labels={"text": labels}),
        Samples(
            inputs=Inputs(ids=samples.ids[::-1], arrays=arrays, lengths=samples.inputs.lengths),
            labels=samples.labels,
        ),
        samples.take(np.arange(20)[::-1]),
    ]
    told = {"classes": ("x", "y", "z")}, {"metrics": CLASSIFICATION}
    digests = [digest(samples), *(digest(samples, **more) for more in told), *map(digest, changed)]
    assert len(set(digests)) == len(digests)
    assert digest(samples) == digest(make_samples(20))


def test_pooling_can_take_the_first_step():
    steps = np.array([[[1.0], [3.0]], [[5.0], [9.0]]], np.float32)
    given = inputs(2, arrays={"x": steps}, pooling={"x": "first"})
    assert given.pooled().arrays["x"].tolist() == [[1.0], [5.0]]
    assert given.take(np.array([1])).pooled().arrays["x"].tolist() == [[5.0]]


@pytest.mark.parametrize("pooling", [{"y": "first"}, {"x": "last"}])
def test_pooling_is_of_a_known_kind_and_of_a_modality_that_there_is(pooling):
    with pytest.raises(DataError, match="pooling is for a modality that there is, and one of mean and first"):
        inputs(pooling=pooling)


def test_content_given_as_a_function_is_loaded_once_and_only_when_it_is_needed(make_samples):
    calls = []

    def load():
        calls.append(1)
        return make_samples(20)

    dataset = Dataset(task=Task.CLASSIFICATION, content=load)
    assert calls == []
    assert dataset.modalities == ("audio", "text", "vision")
    assert dataset.digest == Dataset(task=Task.CLASSIFICATION, content=make_samples(20)).digest
    assert len(dataset.split(stream(0, "split")).train) == 12
    assert calls == [1]


def test_pooled_content_stands_in_for_sequences_that_are_then_never_loaded(make_samples):
    def load():
        raise AssertionError("the sequences are not needed")

    vectors = make_samples(20).pooled()
    dataset = Dataset(task=Task.CLASSIFICATION, content=load, pooled_content=lambda: vectors, stored_digest="abc")
    assert dataset.modalities == ("audio", "text", "vision")
    assert dataset.digest == "abc"
    assert dataset.pooled().parts["all"] is vectors
    assert dataset.pooled().digest == Dataset(task=Task.CLASSIFICATION, content=vectors).digest


def test_the_digest_sees_how_sequences_are_pooled(make_samples):
    samples = make_samples(20)
    other = Inputs(
        ids=samples.ids,
        arrays=samples.inputs.arrays,
        lengths=samples.inputs.lengths,
        pooling={"vision": "first"},
    )
    changed = Samples(inputs=other, labels=samples.labels)
    one, two = (Dataset(task=Task.CLASSIFICATION, content=content).digest for content in (samples, changed))
    assert one != two


def test_metrics_of_another_task_are_refused(make_samples):
    with pytest.raises(DataError, match="'regression' are for regression, but the task is classification"):
        Dataset(task=Task.CLASSIFICATION, content=make_samples(5), metrics=REGRESSION)


def test_what_is_no_metrics_is_refused(make_samples):
    with pytest.raises(DataError, match="metrics is 'f1', expected None or alharness.Metrics"):
        Dataset(task=Task.CLASSIFICATION, content=make_samples(5), metrics="f1")


def test_without_metrics_of_its_own_a_data_set_has_those_of_its_task(make_samples):
    assert Dataset(task=Task.CLASSIFICATION, content=make_samples(5)).measured_by is CLASSIFICATION
    assert Dataset(task=Task.REGRESSION, content=make_samples(5)).measured_by is REGRESSION


def test_the_digest_names_the_metrics_as_it_named_the_scoring():
    inputs = Inputs(ids=("a", "b"), arrays={"x": np.zeros((2, 1), np.float32)})
    samples = Samples(inputs=inputs, labels=np.zeros(2, np.float32))
    made = [Dataset(task=Task.REGRESSION, content=samples, metrics=found) for found in (None, REGRESSION)]
    assert [dataset.digest[:8] for dataset in made] == ["0b02a55e", "d4387803"]  # as in older run directories
