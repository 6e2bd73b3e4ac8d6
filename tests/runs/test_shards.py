"""Which cells are those of a shard; whole commands are in tests/integration/test_shards.py."""

from pathlib import Path

import pytest

from alharness.api.records import Cell, Plan, Schedule
from alharness.runs.shards import Shard, cut, share


def setting(name, seeds, labels=("random", "a", "b"), budget=5):
    cells = tuple(
        Cell(label=label, sampler=label, params={}, distribution="", seed=seed, key=f"{label}{seed}")
        for seed in range(seeds)
        for label in labels
    )
    return Plan(
        name=name,
        experiment=name,
        folder=Path(name),
        schedule=Schedule(initial_pool=10, sizes=(budget,) * 3),
        pool=100,
        cells=cells,
    )


@pytest.fixture
def shares():
    """The names of the cells of each of n shards, with the setting."""

    def deal(of, *plans):
        asked = [(plan, plan.cells) for plan in plans]
        found = [share(asked, Shard(number, of)) for number in range(1, of + 1)]
        return [[f"{p.name}:{c.name}" for p, own in zip(plans, part, strict=True) for c in own] for part in found]

    return deal


@pytest.mark.parametrize("of", [1, 2, 3, 5, 7, 8, 14, 20, 21, 40])
def test_each_cell_is_in_one_shard(shares, of):
    plans = setting("x", 4), setting("y", 3)
    found = [name for part in shares(of, *plans) for name in part]
    assert sorted(found) == sorted(f"{plan.name}:{cell.name}" for plan in plans for cell in plan.cells)


@pytest.mark.parametrize("of", range(1, 8))
def test_seeds_are_whole_while_there_are_as_many_as_shards(shares, of):
    for part in shares(of, setting("x", 4), setting("y", 3)):
        assert part
        counts = {name.rpartition("-")[0].partition(":")[0] + name.rpartition("-")[2] for name in part}
        assert len(part) == 3 * len(counts)


def test_the_seeds_of_a_setting_are_dealt_so_that_more_of_them_are_everywhere(shares):
    before, after = (
        [{int(name.rpartition("-s")[2]) for name in part} for part in shares(3, setting("x", seeds))]
        for seeds in (7, 12)
    )
    assert before == [{0, 3, 6}, {1, 4}, {2, 5}]  # one by one, so a shard that has finished its seeds keeps them
    assert after == [{0, 3, 6, 9}, {1, 4, 7, 10}, {2, 5, 8, 11}]


def test_a_shard_has_whole_settings_if_there_are_as_many(shares):
    assert [{name[0] for name in part} for part in shares(2, setting("x", 4), setting("y", 4))] == [{"x"}, {"y"}]


def test_a_setting_with_more_work_has_more_shards(shares):
    found = shares(4, setting("x", 3, budget=1), setting("y", 3, budget=100))
    assert [{name[0] for name in part} for part in found] == [{"x"}, {"y"}, {"y"}, {"y"}]


def test_with_more_shards_than_seeds_the_cells_of_a_seed_are_cut(shares):
    assert shares(3, setting("x", 2)) == [
        ["x:random-s0", "x:a-s0"],
        ["x:b-s0"],
        ["x:random-s1", "x:a-s1", "x:b-s1"],
    ]


def test_with_more_shards_than_cells_the_last_ones_have_none(shares):
    assert [len(part) for part in shares(9, setting("x", 2))] == [1] * 6 + [0] * 3


@pytest.mark.parametrize(
    ("work", "parts", "expected"),
    [
        ([1, 1, 1, 1], 2, [(0, 2), (2, 4)]),
        ([10, 1, 1, 1], 3, [(0, 1), (1, 2), (2, 4)]),
        ([1, 1, 1, 10], 3, [(0, 2), (2, 3), (3, 4)]),
        ([2, 9, 2, 9, 2], 2, [(0, 3), (3, 5)]),
        ([1], 1, [(0, 1)]),
        ([5, 5, 5], 3, [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_parts_have_about_as_much_work_and_none_is_empty(work, parts, expected):
    assert cut(work, parts) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0/4", "0/4: shards are counted from 1, up to 4/4; number the tasks of an array job 1-4"),
        ("5/4", "5/4: of 4 shards, the last one is 4/4"),
        ("1/0", "there is at least one shard: the only one is 1/1"),
        ("/4", "but it is '/4'; is the variable with its number set?"),
        ("3", "expected i/n, such as 3/8 for the third of eight, but it is '3'"),
        ("-1/4", "expected i/n"),
        ("1/4/2", "expected i/n"),
        ("٣/٨", "expected i/n"),
        ("1.5/4", "expected i/n"),
        ("1/" + "9" * 5000, "expected i/n"),
        ("", "expected i/n"),
    ],
)
def test_what_is_no_shard_is_refused_with_what_to_write(text, said):
    with pytest.raises(ValueError, match=".") as refused:
        Shard.read(text)
    assert said in str(refused.value)


def test_a_shard_is_read_as_it_is_written():
    assert str(Shard.read(" 03/08 ")) == "3/8"
