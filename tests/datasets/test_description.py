"""The tables of `alharness data describe`."""

import numpy as np
import pytest

from alharness.api.dataset import Dataset
from alharness.api.samples import Inputs, Samples, Splits
from alharness.api.vocabulary import Task
from alharness.datasets import description
from alharness.datasets.description import describe


def samples(n, labels, *, prefix="s", **unimodal):
    inputs = Inputs(
        ids=tuple(f"{prefix}{i}" for i in range(n)),
        arrays={"text": np.zeros((n, 3), np.float32), "audio": np.zeros((n, 1000, 2), np.float32)},
        lengths={"audio": np.arange(1, n + 1)},
    )
    kind = np.int64 if isinstance(labels[0], int) else np.float32
    own = {m: np.array(y, kind) for m, y in unimodal.items()}
    return Samples(inputs=inputs, labels=np.array(labels, kind), unimodal_labels=own)


def table(dataset, heading):
    (found,) = [t for t in describe(dataset) if t.headings[0] == heading]
    return found


def regression(**unimodal):
    part = samples(4, [-1.0, 0.2, 0.2, 1.0], **unimodal)
    return Dataset(task=Task.REGRESSION, content=part)


def test_shapes_and_sizes_of_every_split():
    parts = [samples(n, [0.0] * n, prefix=p) for n, p in ((3, "a"), (2, "b"), (1000, "c"))]
    dataset = Dataset(
        task=Task.REGRESSION, content=Splits(train=parts[0], valid=parts[1], test=parts[2].take([0, 2]))
    )
    found = table(dataset, "shapes")
    assert found.headings == ("shapes", "train", "valid", "test")
    assert found.rows == (
        ("samples", "3", "2", "2"),
        ("text", *["3 (vector)"] * 3),
        ("audio", *["1,000 x 2 (steps x features)"] * 3),
    )


def test_lengths_are_those_of_the_valid_steps():
    found = table(regression(), "steps: min / median / max")
    assert found.rows == (("audio", "1 / 2.5 / 4"),)


def test_a_sequence_without_lengths_is_full():
    part = samples(2, [0.0, 0.0])
    inputs = Inputs(ids=part.ids, arrays=part.inputs.arrays)
    dataset = Dataset(task=Task.REGRESSION, content=Samples(inputs=inputs, labels=part.labels))
    assert table(dataset, "steps: min / median / max").rows == (("audio", "full"),)


def test_vectors_have_no_table_of_lengths():
    assert len(describe(regression().pooled())) == 2


def test_samples_that_have_a_modality_are_counted():
    part = samples(4, [0.0] * 4)
    part.inputs.present["audio"] = np.arange(4) > 0
    found = table(Dataset(task=Task.REGRESSION, content=part), "samples that have")
    assert found.rows == (("audio", "3 (75.0%)"),)


def test_each_target_is_counted_where_there_are_few():
    assert table(regression(text=[0.2] * 4), "labels of").rows == (
        ("fused", "-1", "1 (25.0%)"),
        ("fused", "0.2", "2 (50.0%)"),
        ("fused", "1", "1 (25.0%)"),
        ("text", "0.2", "4 (100.0%)"),
    )


def test_many_targets_are_counted_in_bins():
    labels = np.linspace(0, 10, 101).tolist()
    rows = table(Dataset(task=Task.REGRESSION, content=samples(101, labels)), "labels of").rows
    assert [row[2].split()[0] for row in rows] == ["10"] * 9 + ["11"]
    assert (rows[0][1], rows[-1][1]) == ("0 to 1", "9 to 10")


def test_classes_are_counted_by_name_for_every_source():
    part = samples(4, [2, 0, 2, 2], audio=[1, 1, 1, 0])
    dataset = Dataset(task=Task.CLASSIFICATION, content=part, classes=("a", "b", "c"))
    found = table(dataset, "labels of")
    assert found.headings[1] == "class"
    assert found.rows[:3] == (("fused", "a", "1 (25.0%)"), ("fused", "b", "0 (0.0%)"), ("fused", "c", "3 (75.0%)"))
    assert found.rows[3:] == (("audio", "a", "1 (25.0%)"), ("audio", "b", "3 (75.0%)"), ("audio", "c", "0 (0.0%)"))


def test_rare_classes_are_taken_together(monkeypatch):
    monkeypatch.setattr(description, "MOST_CLASSES", 2)
    dataset = Dataset(
        task=Task.CLASSIFICATION, content=samples(6, [0, 1, 1, 2, 2, 3]), classes=("a", "b", "c", "d")
    )
    rows = table(dataset, "labels of").rows
    assert rows == (
        ("fused", "b", "2 (33.3%)"),
        ("fused", "c", "2 (33.3%)"),
        ("fused", "2 rarer classes", "2 (33.3%)"),
    )


def test_targets_contradict_each_other_when_they_are_more_than_a_half_apart():
    found = table(
        regression(text=[0.0, 0.0, 0.4, -0.2], audio=[0.5, 0.6, -0.2, 0.3]), "labels more than 0.5 apart"
    )
    assert found.rows == (("text, audio", "50.0%"),)


def test_classes_contradict_each_other_when_they_differ():
    part = samples(4, [0, 0, 0, 0], text=[0, 1, 2, 2], audio=[0, 0, 2, 1])
    dataset = Dataset(task=Task.CLASSIFICATION, content=part, classes=("a", "b", "c"))
    assert table(dataset, "labels differ").rows == (("text, audio", "50.0%"),)


def test_three_modalities_are_compared_in_pairs_and_together():
    part = samples(4, [0.0] * 4)
    own = {"text": [0.0] * 4, "audio": [1.0, 0.0, 0.0, 0.2], "vision": [0.0, 1.0, 0.0, 0.2]}
    labeled = Samples(
        inputs=Inputs(ids=part.ids, arrays=dict.fromkeys(own, part.inputs.arrays["text"])),
        labels=part.labels,
        unimodal_labels={m: np.array(y, np.float32) for m, y in own.items()},
    )
    rows = table(Dataset(task=Task.REGRESSION, content=labeled), "labels more than 0.5 apart").rows
    assert rows == (
        ("text, audio", "25.0%"),
        ("text, vision", "25.0%"),
        ("audio, vision", "50.0%"),
        ("text, audio, vision", "50.0%"),
    )


def test_one_modality_contradicts_nobody():
    assert all("apart" not in t.headings[0] for t in describe(regression(text=[0.0] * 4)))


def test_sequences_of_made_up_data_are_not_made():
    def make():
        raise AssertionError("not needed")

    part = samples(4, [0.0] * 4)
    dataset = Dataset(task=Task.REGRESSION, content=make, pooled_content=part.pooled(), synthetic=True)
    assert table(dataset, "shapes").rows[2] == ("audio", "2 (vector)")


@pytest.mark.parametrize("name", ["digits"])
def test_an_installed_data_set(name):
    from alharness import registry

    plugin = registry.load().dataset(name).plugin
    found = describe(plugin.make(plugin.params()))
    assert found[0].rows[0] == ("samples", "1,797")
    assert len(found[1].rows) == 10


def test_labels_that_some_parts_lack_are_shown_where_they_are():
    train = samples(4, [0.0, 0.0, 1.0, 1.0], text=[0.0, 1.0, 1.0, 1.0], audio=[1.0] * 4)
    valid = samples(2, [0.0, 1.0], prefix="v", audio=[1.0, 0.0])
    dataset = Dataset(task=Task.REGRESSION, content=Splits(train=train, valid=valid, test=train))
    rows = [row for row in table(dataset, "labels of").rows if row[0] == "text"]
    assert rows == [("text", "0", "1 (25.0%)", "-", "1 (25.0%)"), ("text", "1", "3 (75.0%)", "-", "3 (75.0%)")]
    assert table(dataset, "labels more than 0.5 apart").rows == (("text, audio", "25.0%", "-", "25.0%"),)


def test_small_targets_are_told_apart():
    rows = table(regression(text=[2e-10, 2e-10, 3e-10, -1e-10]), "labels of").rows
    assert [row[1:] for row in rows if row[0] == "text"] == [
        ("-1e-10", "1 (25.0%)"),
        ("2e-10", "2 (50.0%)"),
        ("3e-10", "1 (25.0%)"),
    ]
