"""The samples of a stack: each member's own, and an array that members share only once."""

import numpy as np
import pytest
import torch

from alharness import Inputs, Samples
from alharness.engine.batches import as_batch
from alharness.engine.stack.shelf import Shelf

CPU = torch.device("cpu")
POOL = np.arange(40.0, dtype=np.float32).reshape(20, 2)
CHOSEN = [np.array([3, 7, 11]), np.array([0, 3, 19])]
ORDER = torch.tensor([[2, 0, 1], [1, 2, 0]])


def samples(array=POOL):
    inputs = Inputs(ids=tuple(f"{i:02d}" for i in range(len(array))), arrays={"x": array})
    return Samples(inputs=inputs, labels=np.arange(len(array)))


def shelf(labeled, prepared=None):
    found = Shelf(len(labeled), CPU)
    for mine, batch in zip(labeled, prepared or [as_batch(one, CPU) for one in labeled], strict=True):
        found.add(batch, mine)
    return found


def held(found):
    return found._columns["inputs of x"].values


@pytest.fixture(params=["subset", "take", "one of each"])
def labeled(request):
    """Rows of a shared array, copies of them, or the one from one member and the other from another."""
    how = ["subset", "take"] if request.param == "one of each" else [request.param] * 2
    return [getattr(samples(), name)(rows) for name, rows in zip(how, CHOSEN, strict=True)]


def test_each_member_goes_through_its_own_samples_in_its_own_order(labeled):
    found = list(shelf(labeled).batches(ORDER, [2, 1]))
    rows = np.array([mine[order] for mine, order in zip(CHOSEN, ORDER.numpy(), strict=True)])
    for (x, *labels), part in zip(found, (slice(2), slice(2, 3)), strict=True):
        assert np.array_equal(x, POOL[rows[:, part]])
        assert all(np.array_equal(y, rows[:, part]) for y in labels)


def test_an_array_that_members_share_is_not_copied():
    found = shelf([samples().subset(rows) for rows in CHOSEN])
    assert np.shares_memory(held(found).numpy(), POOL)


def test_an_array_that_a_model_prepares_otherwise_is_its_own():
    labeled = [samples().subset(rows) for rows in CHOSEN]
    prepared = [as_batch(one, CPU) for one in labeled]
    prepared[1].inputs["x"].mul_(2)
    found = shelf(labeled, prepared)
    assert len(held(found)) == 6
    ((x, *_),) = found.batches(torch.arange(3).expand(2, 3), [3])
    assert np.array_equal(x, np.array([POOL[CHOSEN[0]], 2 * POOL[CHOSEN[1]]]))


def test_members_of_several_arrays_have_their_own():
    found = shelf([samples().subset(CHOSEN[0]), samples(POOL + 1).subset(CHOSEN[1])])
    ((x, *_),) = found.batches(torch.arange(3).expand(2, 3), [3])
    assert np.array_equal(x, np.array([POOL[CHOSEN[0]], POOL[CHOSEN[1]] + 1]))


def test_an_array_that_torch_cannot_share_is_copied():
    backwards = POOL[::-1]
    found = shelf([samples(backwards).subset(rows) for rows in CHOSEN])
    ((x, *_),) = found.batches(torch.arange(3).expand(2, 3), [3])
    assert np.array_equal(x, np.array([backwards[rows] for rows in CHOSEN]))


def test_nothing_is_written_to_what_is_shared():
    POOL.flags.writeable = False
    try:
        found = shelf([samples().subset(rows) for rows in CHOSEN])
        ((x, *_),) = found.batches(ORDER, [3])
    finally:
        POOL.flags.writeable = True
    before = POOL.copy()
    x.zero_()
    assert np.array_equal(POOL, before)


def test_members_that_are_kept_keep_their_samples(labeled):
    found = shelf(labeled)
    found.keep([1, 1])
    ((x, *_),) = found.batches(ORDER, [3])
    assert np.array_equal(x, POOL[CHOSEN[1][ORDER.numpy()]])


def test_an_example_is_of_the_first_member(labeled):
    assert np.array_equal(shelf(labeled).example(2).inputs["x"], POOL[CHOSEN[0][:2]])
