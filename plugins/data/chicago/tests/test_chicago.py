from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from alharness import DataError, Task
from alharness_chicago import reader
from alharness_chicago.plugin import FORTNIGHT, ChicagoParams, Split, alharness_datasets

(PLUGIN,) = alharness_datasets()


def make(split=Split.FORTNIGHTS):
    return PLUGIN.make(ChicagoParams(split=split))


@pytest.fixture(scope="module")
def samples():
    return make().content


def days(samples):
    return [date.fromisoformat(name) for name in samples.ids]


@pytest.mark.parametrize("split", Split)
def test_facts_are_those_of_the_loaded_data(split):
    facts, dataset = PLUGIN.inspect(ChicagoParams(split=split)), make(split)
    drawn = dataset.split(np.random.default_rng(0))
    assert facts.sizes == tuple(len(part) for part in drawn.parts.values())
    assert facts.modalities == dataset.modalities
    assert facts.task == dataset.task == Task.REGRESSION


def test_shapes_and_types(samples):
    arrays = {m: (a.shape, a.dtype.name) for m, a in samples.inputs.arrays.items()}
    sizes = {"stations": 20, "weather": 18, "calendar": 37}
    assert arrays == {name: ((5698, size), "float32") for name, size in sizes.items()}
    assert all(np.isfinite(array).all() for array in samples.inputs.arrays.values())


def test_no_day_is_missing(samples):
    assert {later - day for day, later in pairwise(days(samples))} == {timedelta(days=1)}


def test_the_stations_are_those_of_a_fortnight_before(samples):
    clark_lake = samples.inputs.arrays["stations"][:, 6]
    assert np.array_equal(clark_lake[FORTNIGHT:], samples.labels[:-FORTNIGHT])


def test_every_day_has_one_weekday_and_one_month(samples):
    calendar = samples.inputs.arrays["calendar"]
    assert (calendar[:, :7].argmax(axis=1) == [day.weekday() for day in days(samples)]).all()
    assert (calendar[:, 7:19].argmax(axis=1) == [day.month - 1 for day in days(samples)]).all()
    assert (calendar[:, :7].sum(axis=1) == 1).all()
    assert (calendar[:, 7:19].sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("day", "holidays"),
    [
        ("2012-01-01", ["New Year's Day"]),
        ("2012-01-02", ["observed on a Friday or Monday"]),
        ("2010-12-31", ["observed on a Friday or Monday"]),  # for the first of January, a Saturday
        ("2010-12-24", ["Christmas Eve", "observed on a Friday or Monday"]),
        ("2014-01-20", ["Martin Luther King Day"]),
        ("2014-02-17", ["Presidents' Day"]),
        ("2015-05-25", ["Memorial Day"]),
        ("2015-05-18", []),
        ("2016-07-04", ["Independence Day"]),
        ("2015-09-07", ["Labor Day"]),
        ("2013-11-28", ["Thanksgiving"]),
        ("2013-11-29", ["day after Thanksgiving"]),
        ("2013-11-21", []),
        ("2015-12-25", ["Christmas"]),
        ("2011-12-26", ["observed on a Friday or Monday"]),
    ],
)
def test_holidays_are_those_of_that_year(day, holidays):
    (row,) = reader.calendar([date.fromisoformat(day)])[:, 19:]
    assert [name for name, on in zip(reader.HOLIDAYS, row, strict=True) if on] == holidays


def test_fewer_people_travel_on_holidays(samples):
    on = samples.inputs.arrays["calendar"][:, 19:30].any(axis=1)
    weekday = np.array([day.weekday() < 5 for day in days(samples)])
    assert np.median(samples.labels[weekday & on]) < 0.7 * np.median(samples.labels[weekday & ~on])


def test_stretches_are_whole_fortnights():
    test = make().split(np.random.default_rng(0)).test
    first = date(2001, 1, 22)
    stretches = [(day - first).days // FORTNIGHT for day in days(test)]
    assert {stretches.count(stretch) for stretch in stretches} == {FORTNIGHT}


def test_in_time_every_day_of_the_test_is_later():
    parts = make(Split.TIME).parts
    assert max(parts["train"].ids) < min(parts["valid"].ids)
    assert max(parts["valid"].ids) < min(parts["test"].ids)


def test_another_split_is_refused():
    with pytest.raises(ValidationError, match="'fortnights', 'days' or 'time'"):
        ChicagoParams.model_validate({"split": "weeks"})


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_named(tmp_path, monkeypatch, content):
    path = tmp_path / reader.FILE
    path.write_bytes(content)
    monkeypatch.setattr(reader, "files", lambda _package: tmp_path)
    with pytest.raises(DataError, match=r"days.npz: damaged .* install alharness-chicago again"):
        make()
