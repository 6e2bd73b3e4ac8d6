import warnings

import numpy as np
import pytest
import torch

from alharness.engine import batches
from alharness.engine.batches import as_batch, storage_device

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def test_tensors_share_memory_that_may_be_written_to(make_samples):
    samples = make_samples(9)
    batch = as_batch(samples, CPU)
    samples.inputs.arrays["audio"][4, 2] = 77
    assert batch.inputs["audio"][4, 2] == 77
    assert batch.labels["fused"].data_ptr() == batch.labels["text"].data_ptr()


def test_read_only_arrays_are_copied_without_a_word(make_samples):
    samples = make_samples(9)
    for array in samples.inputs.arrays.values():
        array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = as_batch(samples, CPU)
    batch.inputs["audio"].zero_()
    assert samples.inputs.arrays["audio"].any()


def test_a_batch_is_gathered_in_the_order_of_its_positions(make_samples):
    samples = make_samples(9)
    batch = as_batch(samples, CPU).take(torch.tensor([7, 0, 7]))
    assert np.array_equal(batch.inputs["vision"], samples.inputs.arrays["vision"][[7, 0, 7]])
    assert np.array_equal(batch.lengths["vision"], samples.inputs.lengths["vision"][[7, 0, 7]])
    assert np.array_equal(batch.labels["audio"], samples.labels[[7, 0, 7]])


def test_parts_are_views_and_hold_every_row_once(make_samples):
    batch = as_batch(make_samples(9), CPU)
    parts = list(batch.parts(4))
    assert [len(part) for part in parts] == [4, 4, 1]
    assert torch.equal(torch.cat([part.inputs["text"] for part in parts]), batch.inputs["text"])
    assert (
        parts[1].inputs["text"].untyped_storage().data_ptr() == batch.inputs["text"].untyped_storage().data_ptr()
    )


def test_a_batch_is_itself_where_it_lies(make_samples):
    batch = as_batch(make_samples(9), CPU)
    assert batch.to(CPU) is batch
    assert batch.to(torch.device("meta")).device.type == "meta"


@pytest.mark.parametrize(("room", "place"), [(0.99, "cpu"), (1.01, "cuda")])
def test_samples_lie_on_a_device_that_has_room_for_them(make_samples, monkeypatch, room, place):
    samples = make_samples(9).pooled()
    size = 9 * (6 + 4 + 3) * 4
    free = int(size / batches.SHARE * room)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    monkeypatch.setattr(torch.cuda, "get_per_process_memory_fraction", lambda device: 1.0)
    assert storage_device(samples, GPU).type == place
    assert storage_device(samples, CPU) == CPU
