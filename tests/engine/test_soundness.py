from dataclasses import replace

import numpy as np
import pytest

from alharness import DataError, Dataset, Inputs, Metrics, Samples, Splits, Task
from alharness.engine.soundness import require_sound, require_splits


def samples(n=12, prefix="s", *, labels=None, ids=None, arrays=None, **more):
    rng = np.random.default_rng(0)
    arrays = arrays or {"audio": rng.normal(size=(n, 4)).astype(np.float32)}
    inputs = Inputs(ids=ids or tuple(f"{prefix}{i}" for i in range(n)), arrays=arrays, **more)
    return Samples(inputs=inputs, labels=np.arange(n) % 3 if labels is None else labels)


def dataset(content=None, task=Task.CLASSIFICATION, **more):
    classes = ("a", "b", "c") if task == Task.CLASSIFICATION else ()
    return Dataset(**{"task": task, "content": content or samples(), "classes": classes} | more)


def refused(made):
    with pytest.raises(DataError) as caught:
        require_sound(made, pytest.fail)
    return str(caught.value)


def test_a_sound_data_set_passes_without_a_word():
    require_sound(dataset(), pytest.fail)
    parts = Splits(train=samples(prefix="a"), valid=samples(prefix="b"), test=samples(prefix="c"))
    require_sound(dataset(parts), pytest.fail)
    require_sound(dataset(samples(labels=np.zeros(12, np.float32)), Task.REGRESSION), pytest.fail)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array(["a", "b", "c"] * 4), "of type <U1, expected an int64 index"),
        (np.array(["a", "b", "c"] * 4, object), "of type object"),
        (np.ones(12, np.float32), "of type float32, expected an int64"),
        (np.ones(12, np.int32), r"convert them with .astype\(np.int64\)"),
        (np.ones(12, bool), "of type bool"),
        (np.arange(12) % 3 + 1, r"'s2' has 3 \(4 of 12 are outside\); if they count from 1, take 1 off"),
        (np.arange(12) % 3 - 1, "'s0' has -1"),
        (np.arange(12) % 4, "between 0 and 2, since `classes` names 3"),
    ],
)
def test_case_42_labels_must_be_indices_of_the_classes(labels, message):
    with pytest.raises(DataError, match=message):
        require_sound(dataset(samples(labels=labels)), pytest.fail)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(12), r"float64, expected a float32 target.*convert"),
        (np.zeros(12, np.int64), "int64, expected a float32"),
        (np.array([0, np.nan] * 6, np.float32), "NaN or infinity in 6 of 12 samples, the first of them 's1'"),
        (np.full(12, np.inf, np.float32), "NaN or infinity in 12"),
    ],
)
def test_targets_must_be_finite_float32(labels, message):
    with pytest.raises(DataError, match=message):
        require_sound(dataset(samples(labels=labels), Task.REGRESSION), pytest.fail)


def test_labels_of_single_modalities_are_looked_at_too():
    bad = replace(samples(), unimodal_labels={"audio": np.full(12, 3)})
    assert "the labels of audio must be between" in refused(dataset(bad))
    bad = replace(samples(), unimodal_labels={"video": np.zeros(12, np.int64)})
    assert "labels of 'video', but the modalities are audio" in refused(dataset(bad))


@pytest.mark.parametrize("kind", [np.float64, np.float16, np.int64, complex, object, str])
def test_inputs_must_be_float32(kind):
    assert "expected a NumPy array of float32" in refused(
        dataset(samples(arrays={"audio": np.ones((12, 4), kind)}))
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_case_42_inputs_must_be_finite(value):
    x = np.ones((12, 4), np.float32)
    x[5:7, 2] = value
    message = refused(dataset(samples(arrays={"audio": x})))
    assert "NaN or infinity in 2 of 12 samples, the first of them 's5'" in message


def test_padding_may_hold_anything():
    x = np.ones((12, 5, 4), np.float32)
    x[:, 3:] = np.nan
    require_sound(dataset(samples(arrays={"audio": x}, lengths={"audio": np.full(12, 3)})), pytest.fail)
    assert "NaN" in refused(dataset(samples(arrays={"audio": x}, lengths={"audio": np.full(12, 4)})))


@pytest.mark.parametrize("name", ["", " ", 7, None])
def test_ids_must_be_strings_with_something_in_them(name):
    assert "not a string" in refused(dataset(samples(ids=(name, *(f"s{i}" for i in range(11))))))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"classes": ()}, "needs the names of two classes"),
        ({"classes": ("a",)}, "needs the names of two classes"),
        ({"classes": ("a", "a", "b")}, "'a' is named twice"),
        ({"classes": ("a", "", "b")}, "names that are not empty"),
        ({"classes": ["a", "b", "c"]}, "must be a tuple"),
        ({"fractions": (0.5, 0.1, 0.1)}, "add up to 1"),
        ({"task": "classification-ish"}, "expected one of Task.CLASSIFICATION"),
    ],
)
def test_attributes_must_fit_the_task(more, message):
    assert message in refused(dataset(**more))


def test_regression_has_no_classes():
    made = dataset(samples(labels=np.zeros(12, np.float32)), Task.REGRESSION, classes=("a", "b"))
    assert "regression has no classes" in refused(made)


def test_metrics_are_tried_out_before_a_run():
    ours = Metrics(name="ours", task=Task.CLASSIFICATION, compute=lambda *_: {"f2": 1.0}, primary="f1")
    assert "compute of 'ours' gave f2, but not f1" in refused(dataset(metrics=ours))


def test_case_42_parts_must_not_share_samples():
    parts = Splits(train=samples(prefix="a"), valid=samples(prefix="b"), test=samples(prefix="a"))
    assert "train and test share 12 samples, such as 'a0'" in refused(dataset(parts))
    with pytest.raises(DataError, match="share 12 samples"):
        require_splits(parts)


def test_parts_must_be_alike():
    wider = samples(prefix="b", arrays={"audio": np.ones((12, 5), np.float32)})
    other = samples(prefix="b", arrays={"video": np.ones((12, 4), np.float32)})
    for valid, message in ((wider, "the last axis must agree"), (other, "all parts need the same")):
        parts = Splits(train=samples(prefix="a"), valid=valid, test=samples(prefix="c"))
        assert message in refused(dataset(parts))


def test_train_and_test_must_not_be_empty():
    parts = Splits(train=samples(prefix="a"), valid=samples(prefix="b"), test=samples(n=0))
    assert "test has no samples" in refused(dataset(parts))


def test_case_32_a_class_without_a_training_sample_is_told():
    told = []
    train = samples(prefix="a", labels=np.arange(12) % 2)
    parts = Splits(train=train, valid=samples(prefix="b"), test=samples(prefix="c"))
    require_sound(dataset(parts), told.append)
    assert told == ["the data set has classes with no training sample, so that no model can learn it: 'c'"]


@pytest.mark.parametrize(
    ("labels", "named"), [([0, 1], "labels: expected a NumPy array"), (None, "labels: expected")]
)
def test_what_is_no_array_is_named_when_samples_are_made(labels, named):
    with pytest.raises(DataError, match=named):
        Samples(inputs=samples(2).inputs, labels=labels)


def test_inputs_known_by_their_checksums_are_not_read_again():
    x = np.full((12, 4), np.nan, np.float32)
    require_sound(dataset(samples(arrays={"audio": x}), stored_digest="0"), pytest.fail)


@pytest.mark.parametrize("made", [None, 3, "data"])
def test_what_is_no_data_set_is_named(made):
    assert "expected a Dataset" in refused(made)


def test_content_of_another_type_is_named():
    assert "its content is dict, expected Samples or Splits" in refused(dataset(dict))


def incomplete(present=None, *, zero=True, truth=None, prefix="s"):
    """Twelve samples with two modalities, of which the first lacks audio."""
    made = samples(prefix=prefix, arrays={m: np.ones((12, 2), np.float32) for m in ("audio", "text")})
    known = np.arange(12) > 0
    if zero:
        for array in made.inputs.arrays.values():
            array[0] = 0
    inputs = replace(made.inputs, present={"audio": known} if present is None else present)
    return replace(made, inputs=inputs, truth=truth or {})


def test_samples_may_lack_a_modality_and_made_up_data_may_have_truth():
    known = {
        "outlier": np.zeros(12, bool),
        "group": np.zeros(12, int),
        "value": np.zeros((12, 2), np.float32),
    }
    require_sound(dataset(incomplete(truth=known), synthetic=True), pytest.fail)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: incomplete(zero=False), "must be zeros for samples that lack it, but those of 's0' are not"),
        (
            lambda: incomplete({m: np.arange(12) > 0 for m in ("audio", "text")}),
            "1 of 12 samples have none of the modalities, the first of them 's0'",
        ),
        (lambda: incomplete(truth={"value": np.zeros(12, np.float32)}), "set synthetic=True"),
    ],
)
def test_what_is_absent_must_be_absent(made, message):
    assert message in refused(dataset(made()))


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (np.zeros(12), "the truth of value is of type float64, expected bool, int64 or float32"),
        (np.full(12, np.nan, np.float32), "the truth of value holds NaN"),
    ],
)
def test_truth_must_be_numbers(known, message):
    assert message in refused(dataset(incomplete(truth={"value": known}), synthetic=True))


def test_all_parts_may_lack_the_same_modalities():
    parts = {name: incomplete(prefix=name) for name in ("valid", "test")}
    made = Splits(train=incomplete({"text": np.ones(12, bool)}, prefix="train"), **parts)
    assert "samples may lack text in train and audio in valid" in refused(dataset(made))
