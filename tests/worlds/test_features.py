"""The generator that `worlds` and the stand-ins share. What they make with it is tested with them."""

import numpy as np

from alharness.worlds.features import PARTS, combine
from alharness.worlds.population import Channel, World


def test_the_order_of_addition_does_not_matter():
    rng = np.random.default_rng(0)
    parts, matrix = 20 * rng.uniform(-1, 1, (50, PARTS)), rng.uniform(-1, 1, (PARTS, 200))
    order = rng.permutation(PARTS)
    assert (combine(parts, matrix) == combine(parts[:, order], matrix[order])).all()
    one_by_one = np.concatenate([combine(row[None], matrix) for row in parts])
    assert (combine(parts, matrix) == one_by_one).all()
    assert not (parts @ matrix == parts[:, order] @ matrix[order]).all()  # or there would be nothing to test


def test_no_source_is_in_two_parts():
    world = World(name="x", seed=0, sizes={"train": 300, "test": 90}, channels={"a": Channel(features=2)})
    train, test = world.populate().values()
    assert sorted(train.ids) == list(train.ids)
    assert train.sources.max() < test.sources.min()
    assert len(np.unique(np.concatenate([train.sources, test.sources]))) == 13
