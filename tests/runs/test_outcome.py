import errno

import pytest

from alharness.api.records import Cell
from alharness.errors import Diverged, PluginError, SamplerError, blaming
from alharness.runs.outcome import outcome

CELL = Cell(label="mine", sampler="x", params={}, distribution="dist==1", seed=0, key="k")


def ended(folder, error):
    def action():
        raise error

    return outcome(CELL, folder, action)


def test_a_divergence_is_no_failure(tmp_path):
    assert (found := ended(tmp_path, Diverged("inf"))).status == "diverged"
    assert found.error == "inf"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_no_more_is_no_bug(tmp_path, number):
    found = ended(tmp_path, OSError(number, "No space", "book"))
    assert found.status == "failed"
    assert found.error.startswith("book: cannot be written (No space); ")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_missing_is_a_bug_of_the_sampler(tmp_path):
    found = ended(tmp_path, FileNotFoundError("x"))
    assert found.error == f"mine (dist==1): FileNotFoundError: x; see {tmp_path}/traceback.txt"


def test_an_error_that_was_meant_has_no_traceback(tmp_path):
    assert ended(tmp_path, SamplerError("one too many")).error == "one too many"
    assert not list(tmp_path.iterdir())


def test_an_unexpected_error_of_a_plugin_keeps_its_traceback(tmp_path):
    def action():
        with blaming("the model 'm' of d==1", PluginError):
            raise ValueError("oops")

    found = outcome(CELL, tmp_path, action)
    assert found.error == f"the model 'm' of d==1: ValueError: oops; see {tmp_path}/traceback.txt"
    assert "ValueError: oops" in (tmp_path / "traceback.txt").read_text()


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(errno.ENOMEM, "no"), RuntimeError("DefaultCPUAllocator: can't allocate memory: x")],
)
def test_want_of_memory_is_found_behind_other_errors(tmp_path, error):
    wrapped = SamplerError("could not")
    wrapped.__cause__ = error
    assert ended(tmp_path, wrapped).status == "oom"


def test_a_traceback_that_cannot_be_kept_fails_nothing_else(tmp_path):
    found = ended(tmp_path / "missing", ValueError("oops"))
    assert found.status == "failed"
    assert found.error == "mine (dist==1): ValueError: oops; its traceback is lost (No such file or directory)"
