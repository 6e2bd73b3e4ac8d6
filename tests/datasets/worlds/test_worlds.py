"""Whether each knob of `worlds` does what it says, in what is drawn and in what a plain model can read."""

import numpy as np
import pytest

from alharness.datasets.worlds.making import build, make
from alharness.datasets.worlds.meaning import LABEL, PHASE, draw_meaning
from alharness.datasets.worlds.params import WorldsParams

MODALITIES = ("text", "audio", "vision")


def splits(**knobs):
    return make(WorldsParams(**{"valid": 50, "test": 500, **knobs})).loaded


def accuracy(made, modalities, columns=lambda x: x):
    """Of a linear least-squares classifier of features of these modalities, on the test part."""
    parts = []
    for part in (made.train, made.test):
        x = np.concatenate([part.inputs.arrays[m] for m in modalities], axis=1).astype(np.float64)
        parts.append(x)
    mean, scale = parts[0].mean(axis=0), parts[0].std(axis=0)
    train, test = (columns(np.c_[(x - mean) / scale, np.ones(len(x))]) for x in parts)
    targets = np.eye(made.train.labels.max() + 1)[made.train.labels]
    weights = np.linalg.solve(train.T @ train + 10 * np.eye(train.shape[1]), train.T @ targets)
    return ((test @ weights).argmax(axis=1) == made.test.labels).mean()


def meaning(**knobs):
    params = WorldsParams(**{"pool": 4000, **knobs})
    return draw_meaning(params, build(params), "train"), params


def test_the_same_knobs_make_the_same_world_and_another_seed_another_one():
    one, same, other = (
        make(WorldsParams(pool=30, valid=5, test=5, missing=0.2, seed=seed)).digest for seed in (1, 1, 2)
    )
    assert one == same != other


def test_redundant_labels_are_shown_by_each_modality():
    made = splits(pool=1000, topics=1, signal=2)
    assert min(accuracy(made, [m]) for m in MODALITIES) > 0.95


def test_unique_labels_are_shown_by_one_modality():
    made = splits(pool=1000, topics=1, signal=2, unique={"text": 1})
    assert accuracy(made, ["text"]) > 0.95
    assert accuracy(made, ["audio", "vision"]) < 0.33


def test_synergistic_labels_are_shown_by_two_modalities_together_and_by_neither_alone():
    made = splits(pool=1500, topics=1, signal=2, synergistic=1, classes=2, features=20)

    def products(x):
        half = x.shape[1] // 2
        return np.c_[x, np.einsum("ni,nj->nij", x[:, :half], x[:, half:-1]).reshape(len(x), -1)]

    assert max(accuracy(made, [m]) for m in MODALITIES) < 0.58
    assert accuracy(made, ["text", "audio"]) < 0.58  # no sum of them shows it
    assert accuracy(made, ["text", "audio"], products) > 0.85


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_information_comes_with_its_shares(task):
    found, params = meaning(unique={"text": 0.2, "audio": 0.1}, synergistic=0.3, task=task)
    for modality, share in params.shares.items():
        if modality in MODALITIES:
            others = [m for m in MODALITIES if m != modality]
            alone = (found.shown[modality].what == LABEL) & np.all(
                [found.shown[m].what == 0 for m in others], axis=0
            )
            assert alone.mean() == pytest.approx(share, abs=0.02)
    assert found.synergistic.mean() == pytest.approx(0.3, abs=0.02)
    every = np.all([found.shown[m].what == LABEL for m in MODALITIES], axis=0)
    assert every.mean() == pytest.approx(0.4, abs=0.02)
    assert all((found.shown[m].values[every] == found.labels[every]).all() for m in MODALITIES)
    assert set(found.shown["vision"].what[found.synergistic]) == {0}


def test_phases_sum_to_the_label_and_each_alone_says_nothing():
    found, _ = meaning(synergistic=1, between=["audio", "vision"], imbalance=5)
    one, other = (found.shown[m] for m in ("audio", "vision"))
    assert (one.what == PHASE).all()
    assert ((one.values + other.values) % 4 == found.labels).all()
    for shown in (one, other):
        table = np.histogram2d(shown.values, found.labels, bins=4)[0]
        shares = table / table.sum(axis=0)
        assert np.abs(shares - 0.25).max() < 0.06


def test_angles_sum_to_the_number():
    found, _ = meaning(synergistic=1, task="regression")
    one, other = (found.shown[m].values for m in ("text", "audio"))
    turned = np.angle(np.exp(1j * (one + other)))
    assert turned == pytest.approx(0.75 * np.pi * found.labels)
    assert abs(np.corrcoef(np.cos(other), found.labels)[0, 1]) < 0.05


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_conflicts_are_another_label_in_one_modality(task):
    found, _ = meaning(conflict=0.3, unique=0.3, synergistic=0.2, task=task)
    away = 0 if task == "classification" else 0.5 - 1e-9
    wrong = np.stack([(s.what == LABEL) & (np.abs(s.values - found.labels) > away) for s in found.shown.values()])
    assert found.conflict.mean() == pytest.approx(0.3, abs=0.02)
    assert (wrong.sum(axis=0) == found.conflict).all()
    assert not (found.conflict & found.synergistic).any()
    alone = np.stack([found.told[m] for m in MODALITIES]).sum(axis=0)[found.conflict]
    assert set(alone) == {0, 1}  # two show the label and one another, or one and one


def test_weights_say_which_modality_contradicts():
    made, _ = meaning(conflict=0.5, contradicting={"audio": 3, "vision": 1})
    found = [(made.told[m] == -1).mean() for m in MODALITIES]
    assert found == pytest.approx([0, 0.375, 0.125], abs=0.02)


def gone(made, modality):
    return ~made.train.inputs.present[modality]


def test_missing_modalities_are_zeros_and_nobody_lacks_all():
    made = splits(pool=4000, missing={"text": 0.6, "audio": 0.8, "vision": 0.3}, test=20)
    absent = np.stack([gone(made, m) for m in MODALITIES])
    assert absent.mean(axis=1) == pytest.approx([0.6, 0.8, 0.3], abs=0.025)
    assert not absent.all(axis=0).any()
    for modality, rows in zip(MODALITIES, absent, strict=True):
        array = made.train.inputs.arrays[modality]
        assert (array[rows] == 0).all()
        assert (array[~rows] != 0).all()
    assert made.test.inputs.present.keys() == made.train.inputs.present.keys()


def by_class(made, modality):
    return [gone(made, modality)[made.train.labels == k].mean() for k in range(4)]


def test_missing_completely_at_random_depends_on_nothing():
    made = splits(pool=4000, missing={"audio": 0.4})
    assert by_class(made, "audio") == pytest.approx([0.4] * 4, abs=0.06)


def test_missing_by_class_depends_on_the_label_and_keeps_its_rate():
    made = splits(pool=4000, missing={"text": 0.4, "audio": 0.4}, mechanism="by_class")
    assert gone(made, "audio").mean() == pytest.approx(0.4, abs=0.025)
    assert np.ptp(by_class(made, "audio")) > 0.5
    assert np.argmax(by_class(made, "text")) != np.argmax(by_class(made, "audio"))


def test_missing_at_random_depends_on_what_another_modality_shows():
    made = splits(pool=4000, missing={"audio": 0.4}, mechanism="at_random")
    x = made.train.inputs.arrays["text"].astype(np.float64)
    x = np.c_[(x - x.mean(axis=0)) / x.std(axis=0), np.ones(len(x))]
    absent = gone(made, "audio")
    predicted = x @ np.linalg.lstsq(x, absent, rcond=None)[0]
    assert absent.mean() == pytest.approx(0.4, abs=0.025)
    assert predicted[absent].mean() - predicted[~absent].mean() > 0.15


def test_imbalance_is_the_ratio_of_the_first_class_to_the_last():
    counts = np.bincount(meaning(imbalance=8, pool=20_000)[0].labels)
    assert counts[:-1] / counts[1:] == pytest.approx([2, 2, 2], rel=0.15)


def test_imbalance_of_a_regression_is_that_of_its_ends():
    labels = meaning(task="regression", imbalance=16, pool=20_000)[0].labels
    counts = np.histogram(labels, bins=4, range=(-1, 1))[0]
    assert counts[1:] / counts[:-1] == pytest.approx([2, 2, 2], rel=0.15)


def test_only_the_pool_is_spoilt_by_exactly_these_shares():
    made = splits(pool=1000, outliers=0.1, label_noise=0.2, duplicates=0.3)
    truth = made.train.truth
    assert [truth[name].sum() for name in ("outlier", "noisy_label", "duplicate")] == [100, 200, 300]
    assert not (truth["outlier"] & (truth["noisy_label"] | truth["duplicate"])).any()
    for part in (made.valid, made.test):
        assert not any(part.truth[name].any() for name in ("outlier", "noisy_label", "duplicate"))
    assert (truth["value"] > 0).tolist() == (~truth["outlier"] & ~truth["noisy_label"]).tolist()


def test_wrong_labels_are_wrong_and_nothing_else_changes():
    clean, noisy = (splits(pool=500, label_noise=share).train for share in (0, 0.3))
    assert ((clean.labels != noisy.labels) == noisy.truth["noisy_label"]).all()
    assert all((clean.inputs.arrays[m] == noisy.inputs.arrays[m]).all() for m in MODALITIES)


def test_outliers_are_far_from_all_others():
    made = splits(pool=500, outliers=0.2)
    x = np.concatenate([made.train.inputs.arrays[m] for m in MODALITIES], axis=1)
    norms = np.linalg.norm(
        (x - np.median(x, axis=0)) / np.median(np.abs(x - np.median(x, axis=0)), axis=0), axis=1
    )
    outliers = made.train.truth["outlier"]
    assert norms[outliers].mean() > 1.8 * norms[~outliers].mean()


def test_near_copies_are_near_have_the_same_label_and_lack_the_same():
    made = splits(pool=600, duplicates=0.5, copies=10, missing={"audio": 0.3}).train
    copies, origin = made.truth["duplicate"], made.truth["original"]
    assert np.bincount(origin[copies]).max() == 10
    assert len(np.unique(origin[copies])) == 30
    assert not copies[origin[copies]].any()
    assert (made.labels == made.labels[origin]).all()
    assert (made.inputs.present["audio"] == made.inputs.present["audio"][origin]).all()
    x = made.inputs.arrays["text"]
    near = np.linalg.norm(x[copies] - x[origin[copies]], axis=1)
    apart = np.linalg.norm(x[copies] - x[np.roll(origin[copies], 1)], axis=1)
    assert 0 < near.max() < 0.3 * np.median(apart)


def test_a_pool_may_be_all_pairs_of_near_copies():
    made = splits(pool=11, duplicates=0.5, copies=1).train
    assert made.truth["duplicate"].sum() == 6
    assert not made.truth["duplicate"][made.truth["original"]].any()


def test_value_is_what_a_label_teaches():
    """About how many of the modalities something true, less something false; nothing without what it takes."""
    made, present = meaning(unique={"text": 0.3}, synergistic=0.3, conflict=0.3)[0], {}
    rows = np.arange(4000)
    unique = (made.told["text"] == 1) & (made.shown["vision"].what == 0) & ~made.synergistic & ~made.conflict
    redundant = ~made.synergistic & (np.stack(list(made.told.values())) != 0).all(axis=0)
    for which, value in (
        (redundant & ~made.conflict, 1),
        (redundant & made.conflict, 1 / 3),
        (unique, 1 / 3),
        (made.synergistic, 2 / 3),
    ):
        assert which.any()
        assert made.taught(present, rows)[which] == pytest.approx(value)
    without = made.taught({"audio": np.zeros(4000, bool)}, rows)
    assert without[made.synergistic] == pytest.approx(0)
    assert without[redundant & ~made.conflict] == pytest.approx(2 / 3)


def test_regions_are_topics_classes_and_whether_it_takes_two_modalities():
    made = splits(pool=3000, topics=3, synergistic=0.5).train
    assert set(made.truth["region"].tolist()) == set(range(3 * 4 * 2))
