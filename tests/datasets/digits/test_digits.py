import subprocess
import sys

import numpy as np
import pytest

from alharness.api.dataset import split_sizes
from alharness.api.params import Params
from alharness.api.vocabulary import Task
from alharness.datasets.digits.plugin import alharness_datasets, cut

(PLUGIN,) = alharness_datasets()


@pytest.fixture(scope="module")
def dataset():
    return PLUGIN.make(Params())


def test_facts_are_those_of_the_loaded_data(dataset):
    facts = PLUGIN.inspect(Params())
    assert facts.task == dataset.task == Task.CLASSIFICATION
    assert facts.modalities == dataset.modalities
    assert facts.sizes == split_sizes(len(dataset.content), dataset.fractions)


def test_shapes_and_types(dataset):
    arrays = dataset.content.inputs.arrays
    assert {m: (a.shape, a.dtype.name) for m, a in arrays.items()} == {
        "top": ((1797, 32), "float32"),
        "bottom": ((1797, 32), "float32"),
        "profile": ((1797, 56), "float32"),
    }


def test_labels_are_the_ten_digits(dataset):
    assert dataset.classes == tuple("0123456789")
    assert dataset.content.labels.dtype == np.int64
    assert dataset.content.labels[:12].tolist() == [*range(10), 0, 1]


def test_ids_are_padded_row_numbers(dataset):
    assert (dataset.content.ids[7], dataset.content.ids[-1]) == ("digit-0007", "digit-1796")


def test_each_seed_draws_its_own_split(dataset):
    first, second = (dataset.split(np.random.default_rng(seed)) for seed in (0, 1))
    assert first.test.ids != second.test.ids


def one_pixel(row, column):
    image = np.zeros((1, 8, 8))
    image[0, row, column] = 16
    return cut(image)


def test_a_pixel_of_the_upper_half_is_in_top_only():
    views = one_pixel(3, 5)
    assert np.flatnonzero(views["top"][0]).tolist() == [3 * 8 + 5]
    assert not views["bottom"].any()


def test_a_pixel_of_the_lower_half_is_in_bottom_only():
    views = one_pixel(4, 1)
    assert np.flatnonzero(views["bottom"][0]).tolist() == [1]
    assert not views["top"].any()


def test_profile_begins_with_column_sums_then_row_sums():
    sums = one_pixel(3, 5)["profile"][0, :16]
    assert np.flatnonzero(sums).tolist() == [5, 8 + 3]


def test_the_brightest_pixel_is_one():
    assert one_pixel(0, 0)["top"].max() == 1


def test_profile_ends_with_the_magnitudes_of_a_textbook_fourier_transform():
    image = np.arange(64.0).reshape(8, 8) % 17
    wave = np.exp(-2j * np.pi * np.outer(np.arange(8), np.arange(8)) / 8)
    expected = np.abs(wave @ (image / 16) @ wave)[:, :5].ravel()
    np.testing.assert_allclose(cut(image[None])["profile"][0, 16:], expected, rtol=1e-4, atol=1e-5)


def test_inspecting_imports_nothing_heavy():
    code = (
        "import sys; from alharness.datasets.digits.plugin import inspect; from alharness import Params;"
        "inspect(Params()); print(sorted({'torch', 'sklearn', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
