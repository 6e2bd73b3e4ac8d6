import time

import numpy as np
import pytest

from alharness import RunError
from alharness.engine.pool import Impossible, Oracle, Pool

IDS = tuple("abcdef")


def test_labeling_moves_samples_and_leaves_the_old_pool_alone():
    before = Pool(IDS)
    after = before.label([4, 1])
    assert (before.labeled, after.labeled) == ((), (4, 1))
    assert after.unlabeled.tolist() == [0, 2, 3, 5]
    assert after.known.tolist() == [1, 4]
    assert before.known.tolist() == []


@pytest.mark.parametrize("positions", [[1, 1], [0], [6], [-1]])
def test_a_pool_refuses_a_second_label_and_strangers(positions):
    with pytest.raises(RunError):
        Pool(IDS, (0,)).label(positions)


def test_what_cycles_chose_is_labeled_again():
    assert Pool(IDS, (2,)).replay([("e", "b"), ("a",)]) == Pool(IDS, (2, 4, 1, 0))


@pytest.mark.parametrize(
    ("ids", "told"),
    [("abcdf", "the pool has no sample 'e'"), ("eabcdf", "'e' was labeled from the beginning")],
)
def test_a_choice_that_the_pool_cannot_give_is_refused_with_its_cycle(ids, told):
    with pytest.raises(Impossible, match=told) as refused:
        Pool(tuple(ids), (0,)).replay([("b",), ("e",)])
    assert refused.value.cycle == 1


def test_replaying_takes_time_for_the_pool_once():
    ids = tuple(f"s{i}" for i in range(100_000))
    chosen = [ids[10 + 5 * c : 15 + 5 * c] for c in range(10_000)]
    began = time.process_time()
    pool = Pool(ids, tuple(range(10))).replay(chosen)
    assert time.process_time() - began < 1
    assert len(pool.labeled) == 50_010


def test_the_initial_pool_is_uniform():
    counts = np.zeros(6)
    for seed in range(600):
        counts[list(Pool(IDS).draw(2, np.random.default_rng(seed)).labeled)] += 1
    # 600 draws of 2 out of 6: each is met 200 times, standard deviation 11.5.
    assert np.abs(counts - 200).max() < 60


def test_the_oracle_reveals_what_was_bought_in_canonical_order(make_samples):
    train = make_samples(30)
    revealed = Oracle(train).reveal(Pool(train.ids, (9, 2, 25)))
    assert revealed.ids == (train.ids[2], train.ids[9], train.ids[25])
    assert revealed.labels.tolist() == train.labels[[2, 9, 25]].tolist()
