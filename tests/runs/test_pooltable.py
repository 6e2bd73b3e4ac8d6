import math

import numpy as np
import pytest

from alharness import Dataset, Inputs, Samples, Splits, Task
from alharness.errors import RunError
from alharness.runs import pooltable


def samples(arrays, prefix="s", **more):
    n = len(next(iter(arrays.values())))
    ids = tuple(f"{prefix}{i:05d}" for i in range(n))
    inputs = Inputs(ids=ids, arrays={m: np.asarray(a, np.float32) for m, a in arrays.items()})
    return Samples(**{"inputs": inputs, "labels": np.arange(n) % 2} | more)


def save(folder, *args, classes=("no", "yes"), task=Task.CLASSIFICATION, **more):
    pooltable.save(folder, Dataset(task=task, content=samples(*args, **more), classes=classes))
    return pooltable.load(folder)


def random(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def test_what_was_written_is_read(tmp_path):
    moods = {"audio": np.arange(5) % 3}
    found = save(tmp_path, {"audio": random(5, 3)}, unimodal_labels=moods, classes=("nö", "yes"))

    assert found.task is Task.CLASSIFICATION
    assert found.classes == ("nö", "yes")
    assert found.ids == ("s00000", "s00001", "s00002", "s00003", "s00004")
    assert found.labels.tolist() == [0, 1, 0, 1, 0]
    assert {m: a.tolist() for m, a in found.unimodal_labels.items()} == {"audio": [0, 1, 2, 0, 1]}
    assert found.places.shape == (5, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["pool.npz"]


def test_truth_of_made_up_data_is_kept(tmp_path):
    truth = {"outlier": np.arange(5) > 3, "value": np.ones((5, 2), np.float32)}
    found = save(tmp_path, {"audio": random(5, 3)}, truth=truth)
    assert {name: known.tolist() for name, known in found.truth.items()} == {
        n: x.tolist() for n, x in truth.items()
    }


def test_targets_are_read_as_they_are(tmp_path):
    targets = np.linspace(-1, 1, 5, dtype=np.float32)
    found = save(tmp_path, {"audio": random(5, 3)}, labels=targets, task=Task.REGRESSION, classes=())

    assert (found.task, found.classes, found.unimodal_labels) == (Task.REGRESSION, (), {})
    assert found.labels.tolist() == targets.tolist()


def test_the_pool_is_the_train_split_in_the_order_of_ids(tmp_path, make_samples):
    train = make_samples(20, prefix="tr")
    backwards = train.take(np.arange(20)[::-1])
    content = Splits(train=backwards, valid=make_samples(5, prefix="va"), test=make_samples(6, prefix="te"))
    pooltable.save(tmp_path, Dataset(task=Task.CLASSIFICATION, content=content, classes=("a", "b", "c")))
    found = pooltable.load(tmp_path)

    assert found.ids == train.ids
    assert found.labels.tolist() == train.labels.tolist()
    assert np.isfinite(found.places).all()
    assert np.ptp(found.places) < 1e3  # padding of sequences is not looked at


def test_one_that_is_there_is_kept(tmp_path):
    save(tmp_path, {"audio": random(5, 3)})
    before = (tmp_path / "pool.npz").read_bytes()
    save(tmp_path, {"audio": random(9, 3)})

    assert (tmp_path / "pool.npz").read_bytes() == before


def test_no_table_is_none(tmp_path):
    assert pooltable.load(tmp_path) is None


class Evil:
    def __reduce__(self):
        return print, ("a pickle was run",)


@pytest.mark.parametrize("name", ["labels", "ids", "places", "labels of audio"])
def test_a_file_with_pickles_is_refused_and_none_is_run(tmp_path, capsys, name):
    save(tmp_path, {"audio": random(4, 3)})
    path = tmp_path / "pool.npz"
    with np.load(path) as file:
        arrays = dict(file) | {name: np.array([Evil()] * 4, dtype=object)}
    np.savez(path, allow_pickle=True, **arrays)

    with pytest.raises(RunError, match="pool.npz: cannot be read .*pickle.*; delete it and run the spec again"):
        pooltable.load(tmp_path)
    assert "a pickle was run" not in capsys.readouterr().out


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b"", lambda b: b"PK", lambda b: b"text"])
def test_a_damaged_file_is_told(tmp_path, damage):
    save(tmp_path, {"audio": random(4, 3)})
    path = tmp_path / "pool.npz"
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(RunError, match="pool.npz: cannot be read"):
        pooltable.load(tmp_path)


def test_whatever_bit_is_flipped_there_is_no_traceback(tmp_path):
    save(tmp_path, {"audio": random(4, 3)})
    path = tmp_path / "pool.npz"
    content = path.read_bytes()
    told = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            pooltable.load(tmp_path)
        except RunError:
            told += 1
    assert told > len(content) / 2  # of the others most are dates and attributes of the archive


@pytest.mark.parametrize(
    "change",
    [
        {"places": None},
        {"places": np.zeros((3, 2))},
        {"places": np.full((4, 2), np.nan)},
        {"places": np.array(["x"] * 4)},
        {"task": np.array("ranking")},
        {"ids": np.array(["a", "a", "b", "c"])},
        {"ids": np.array("a")},
        {"labels": np.array([0, 1, 0])},
        {"labels": np.array([0.5, 1, 0, 1])},
        {"labels": np.array([0, 1, 0, 7])},
        {"labels": np.array(["0", "1", "0", "1"])},
        {"labels of audio": np.zeros((4, 2), int)},
        {"classes": np.array(3)},
    ],
    ids=str,
)
def test_a_file_of_another_make_is_told(tmp_path, change):
    save(tmp_path, {"audio": random(4, 3)})
    path = tmp_path / "pool.npz"
    with np.load(path) as file:
        arrays = {name: array for name, array in (dict(file) | change).items() if array is not None}
    np.savez(path, **arrays)

    with pytest.raises(RunError, match="pool.npz: cannot be read"):
        pooltable.load(tmp_path)


def components(blocks):
    """The first two principal components, by the book: every block standardized and of variance one in all."""
    parts = []
    for block in blocks:
        x = np.asarray(np.asarray(block, np.float32), np.float64)
        spread = x.std(axis=0)
        x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
        parts.append(x / math.sqrt(x.shape[1]))
    joined = np.hstack(parts)
    u, s, _ = np.linalg.svd(joined - joined.mean(axis=0), full_matrices=False)
    return u[:, :2] * s[:2]


def assert_equal_up_to_sign(one, other):
    for axis in range(other.shape[1]):
        sign = np.sign(one[:, axis] @ other[:, axis])
        np.testing.assert_allclose(one[:, axis], sign * other[:, axis], rtol=1e-4, atol=1e-4)


def correlated(n, d, seed):
    return random(n, d, seed) @ np.diag(np.arange(1, d + 1)) @ random(d, d, seed + 1) + 50


def test_the_axes_are_the_first_principal_components(tmp_path):
    blocks = {"audio": correlated(40, 6, 0), "text": correlated(40, 3, 2)}
    found = save(tmp_path, blocks)

    assert_equal_up_to_sign(found.places, components(blocks.values()))


def test_every_modality_has_the_same_share(tmp_path):
    # 50 columns that say one thing, and one that says another, a thousand times larger.
    one, other = random(60, 1, 0), random(60, 1, 1)
    found = save(tmp_path, {"wide": np.repeat(one, 50, axis=1), "narrow": 1000 * other})
    spread = found.places.var(axis=0)
    correlation = abs(np.corrcoef(one[:, 0], other[:, 0])[0, 1])

    assert spread.sum() == pytest.approx(2, rel=1e-3)  # one of each
    assert spread[0] == pytest.approx(1 + correlation, rel=1e-3)


def test_constant_columns_say_nothing(tmp_path):
    blocks = {"audio": correlated(30, 4, 0)}
    blocks["audio"][:, 1] = 7
    found = save(tmp_path, blocks)

    assert np.isfinite(found.places).all()
    assert_equal_up_to_sign(found.places, components(blocks.values()))


@pytest.mark.filterwarnings("error")
def test_samples_that_are_all_alike_lie_on_one_place(tmp_path):
    assert not save(tmp_path, {"audio": np.full((6, 3), 5)}).places.any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(20, 1), (1, 4)])
def test_one_feature_or_one_sample_leaves_the_second_axis_empty(tmp_path, shape):
    places = save(tmp_path, {"audio": random(*shape)}).places

    assert places.shape == (shape[0], 2)
    assert not places[:, 1].any()
    assert places[:, 0].any() == (shape[0] > 1)


def test_a_large_pool_is_placed_by_some_of_it_and_in_parts(tmp_path, monkeypatch):
    blocks = {"audio": correlated(500, 5, 0)}
    whole = save(tmp_path, blocks).places
    (tmp_path / "pool.npz").unlink()
    monkeypatch.setattr(pooltable, "AT_ONCE", 64)
    np.testing.assert_allclose(save(tmp_path, blocks).places, whole, atol=1e-5)
    (tmp_path / "pool.npz").unlink()
    monkeypatch.setattr(pooltable, "ENOUGH", 250)
    some = save(tmp_path, blocks).places
    assert not np.allclose(some, whole, atol=1e-5)
    assert abs(np.corrcoef(some[:, 0], whole[:, 0])[0, 1]) > 0.95


def test_the_same_samples_have_the_same_places(tmp_path, monkeypatch):
    monkeypatch.setattr(pooltable, "ENOUGH", 200)
    blocks = {"audio": random(300, 60)}  # no direction is special, so that chance would show
    places = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        places.append(save(tmp_path / name, blocks).places)

    assert (places[0] == places[1]).all()
