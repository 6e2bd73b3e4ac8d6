import errno

import pytest

from alharness.api.records import Cell
from alharness.errors import Diverged, PluginError, SamplerError, blaming
from alharness.runs.driver import failure

CELL = Cell(label="mine", sampler="x", params={}, distribution="dist==1", seed=0, key="k")


def test_case_25_a_divergence_is_no_failure():
    assert (found := failure(CELL, Diverged("inf"))).status == "diverged"
    assert found.error == "inf"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_no_more_is_no_bug(number):
    found = failure(CELL, OSError(number, "No space", "book"))
    assert found.status == "failed"
    assert found.error.startswith("book: cannot be written (No space); ")
    assert not found.traceback


def test_a_file_that_is_missing_is_a_bug_of_the_sampler():
    found = failure(CELL, FileNotFoundError("x"))
    assert found.error == "mine (dist==1): FileNotFoundError: x"
    assert found.traceback


def test_an_error_that_was_meant_has_no_traceback():
    found = failure(CELL, SamplerError("one too many"))
    assert (found.error, found.traceback) == ("one too many", "")


def test_an_unexpected_error_of_a_plugin_has_its_traceback():
    with pytest.raises(PluginError) as caught, blaming("the model 'm' of d==1", PluginError):
        raise ValueError("oops")
    found = failure(CELL, caught.value)
    assert found.error == "the model 'm' of d==1: ValueError: oops"
    assert "ValueError: oops" in found.traceback


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(errno.ENOMEM, "no"), RuntimeError("DefaultCPUAllocator: can't allocate memory: x")],
)
def test_want_of_memory_is_found_behind_other_errors(error):
    wrapped = SamplerError("could not")
    wrapped.__cause__ = error
    assert failure(CELL, wrapped).status == "oom"
