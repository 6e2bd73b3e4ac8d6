from dataclasses import replace

import numpy as np
import pytest

from alharness import Task
from alharness.results import chosen
from alharness.runs.pooltable import PoolTable


def table(labels, task=Task.REGRESSION, classes=(), unimodal=None):
    labels = np.array(labels)
    n = len(labels)
    return PoolTable(
        task=task,
        classes=classes,
        ids=tuple(map(str, range(n))),
        labels=labels,
        unimodal_labels={m: np.array(y) for m, y in (unimodal or {}).items()},
        places=np.zeros((n, 2)),
    )


def test_classes_are_groups():
    found = chosen.groups(table([0, 1, 1, 2], Task.CLASSIFICATION, ("a", "b", "c")))
    assert found.names == ("a", "b", "c")
    assert found.shares(np.array([1, 2, 3])).tolist() == pytest.approx([0, 2 / 3, 1 / 3])
    assert found.shares(np.array([], int)).tolist() == [0, 0, 0]


def test_many_classes_leave_the_rarest_together():
    labels = [*range(15), *[c for c in range(15) if c not in (3, 7, 14)]]  # these three are met once
    found = chosen.groups(table(labels, Task.CLASSIFICATION, tuple(map(str, range(15)))))
    assert len(found.names) == 13
    assert found.names[-1] == "rarer classes"
    assert [row for row in range(15) if found.of[row] == 12] == [3, 7, 14]


def test_targets_are_in_fifths():
    found = chosen.groups(table(np.linspace(-1, 1, 101)))
    assert len(found.names) == 5
    assert found.names[0] == "−1 to −0.6"
    assert found.shares(np.arange(101)) == pytest.approx(np.full(5, 0.2), abs=0.01)
    assert found.of[0] == 0
    assert found.of[-1] == 4


def test_few_values_make_fewer_groups():
    found = chosen.groups(table([0.0] * 90 + [-1.0] * 10))
    assert found.names == ("−1", "0")
    assert found.shares(np.arange(100)).tolist() == pytest.approx([0.1, 0.9])
    crowded = chosen.groups(table([0.0] * 90 + [0.1, 0.2, 0.3, 0.4, 0.5] * 2))
    assert crowded.shares(np.arange(100)).sum() == pytest.approx(1)
    assert set(crowded.of) <= set(range(len(crowded.names)))


def test_imbalance():
    assert chosen.imbalance(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0
    assert chosen.imbalance(np.array([1.0, 0.0]), np.array([0.25, 0.75])) == pytest.approx(0.75)


def test_contradictions_need_two_modalities_with_labels():
    assert chosen.contradicting(table([0.0, 0.0], unimodal={"text": [0, 0]})) is None
    both = table([0.0] * 3, unimodal={"text": [0.2, 0.0, 1.0], "audio": [-0.3, 0.0, 0.4]})
    assert chosen.contradicting(both).tolist() == [False, False, True]  # 0.5 is no contradiction


def test_the_truth_of_made_up_data_is_counted_among_what_was_chosen():
    made = replace(
        table([0.0] * 4),
        truth={
            "noisy_label": np.array([True, False, False, True]),
            "value": np.array([0.5, 1, 0, 0], np.float32),
            "region": np.arange(4),
            "outlier": np.zeros(4, bool),
            "shares": np.zeros((4, 2), np.float32),
        },
    )
    found = chosen.marks(made)
    assert {name: values.tolist() for name, values in found.items()} == {
        ("percent", "noisy_label"): [100, 0, 0, 100],
        ("mean", "value"): [0.5, 1, 0, 0],
    }


def test_overlap_after_each_query(make_results):
    results = make_results({"a": [(0.5, 0.4, 0.3, 0.2)], "b": [(0.5, 0.4, 0.3, 0.2)]})
    a = results.basis.cells["a"][0][0]  # chose 0-0-0 .. 0-0-3, then 0-1-0 ..
    ids = [i for cycle in a.cycles for i in cycle.chosen]
    places = {name: row for row, name in enumerate(ids)}
    same = chosen.times(a, places)
    assert same.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert chosen.overlap(same, same, [4, 4, 4]).tolist() == [1, 1, 1]
    other = same[::-1].copy()  # the same samples, the last ones first
    assert chosen.overlap(same, other, [4, 4, 4]).tolist() == pytest.approx([0, 4 / 12, 1])


def test_overlap_by_chance_is_that_of_random_draws():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        one, other = (set(rng.permutation(500)[:100].tolist()) for _ in range(2))
        found.append(len(one & other) / len(one | other))
    assert chosen.overlap_by_chance([60, 40], 500)[-1] == pytest.approx(np.mean(found), rel=0.03)
