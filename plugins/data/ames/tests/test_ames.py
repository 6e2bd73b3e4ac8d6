import math

import numpy as np
import pytest

from alharness import DataError, Task
from alharness_ames import reader
from alharness_ames.plugin import AmesParams, Split, alharness_datasets

(PLUGIN,) = alharness_datasets()


def make(split=Split.HOUSES):
    return PLUGIN.make(AmesParams(split=split))


@pytest.fixture(scope="module")
def samples():
    return make().content


@pytest.mark.parametrize("split", Split)
def test_facts_are_those_of_the_loaded_data(split):
    facts, dataset = PLUGIN.inspect(AmesParams(split=split)), make(split)
    drawn = dataset.split(np.random.default_rng(0))
    assert facts.sizes == tuple(len(part) for part in drawn.parts.values())
    assert facts.modalities == dataset.modalities
    assert facts.task == dataset.task == Task.REGRESSION


def test_shapes_and_types(samples):
    arrays = {m: (a.shape, a.dtype.name) for m, a in samples.inputs.arrays.items()}
    sizes = {"place": 65, "size": 24, "build": 136, "sale": 28}
    assert arrays == {name: ((2930, size), "float32") for name, size in sizes.items()}
    assert all(np.isfinite(array).all() for array in samples.inputs.arrays.values())


def test_the_target_is_the_logarithm_of_the_price(samples):
    assert 10 ** samples.labels[:3] == pytest.approx([215_000, 105_000, 172_000], rel=1e-4)
    exact = np.array([math.log10(price) for price in reader.load()["price"].tolist()], np.float32)
    assert np.array_equal(samples.labels, exact)  # as no logarithm in float32 is, on any machine


def test_larger_houses_cost_more(samples):
    assert np.corrcoef(samples.inputs.arrays["size"][:, 0], samples.labels)[0, 1] > 0.6


def test_every_house_has_at_most_one_neighborhood(samples):
    zones = 5
    neighborhoods = samples.inputs.arrays["place"][:, 4 + zones : 4 + zones + 25].sum(axis=1)
    assert set(neighborhoods) == {0, 1}
    assert (neighborhoods == 1).mean() > 0.99


def test_in_time_every_sale_of_the_test_is_later_or_in_the_same_month():
    parts, months = make(Split.TIME).parts, reader.load()["month"]
    sold = {name: [months[int(house[-4:]) - 1] for house in part.ids] for name, part in parts.items()}
    assert max(sold["train"]) <= min(sold["valid"])
    assert max(sold["valid"]) <= min(sold["test"])


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_named(tmp_path, monkeypatch, content):
    path = tmp_path / reader.FILE
    path.write_bytes(content)
    monkeypatch.setattr(reader, "files", lambda _package: tmp_path)
    with pytest.raises(DataError, match=r"houses.npz: damaged .* install alharness-ames again"):
        make()
