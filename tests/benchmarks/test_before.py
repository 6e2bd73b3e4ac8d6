"""The version before stacks is taken from the history, or from a folder, and it is its code that runs."""

import subprocess
import sys

import pytest

from benchmarks import before, trainings
from benchmarks.bench import Unavailable
from benchmarks.problems import Training
from benchmarks.rows import Cost

TINY = Training(N=40, features={"text": 3}, epochs=1, members=2)


@pytest.fixture(autouse=True)
def forget():
    before._from_history.cache_clear()
    yield
    before._from_history.cache_clear()


@pytest.fixture
def old():
    try:
        return before.root(None)
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_trainings_before_are_those_of_its_code_and_time_themselves(old):
    assert not (old / "alharness" / "engine" / "stack").exists()
    for model in ("late_fusion", "av_mc"):
        call = trainings.Before(old, Training(**{**vars(TINY), "model": model}))
        found = [call() for _ in range(2)]
        assert all(isinstance(cost, Cost) and 0 < cost.cpu < 60 for cost in found)


def test_commands_before_import_its_code(old):
    code = "import alharness, alharness_sentiment; print(alharness.__file__, alharness_sentiment.__file__)"
    paths = subprocess.check_output([sys.executable, "-c", code], env=before.environment(old), text=True).split()
    assert [path.startswith(str(old)) for path in paths] == [True, True]


def test_a_clone_without_history_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(before, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(Unavailable, match=r"needs commit fa2f5d6 .*`git fetch --unshallow`, or `--before`"):
        before.root(None)


def test_a_folder_without_that_version_is_missing(tmp_path):
    with pytest.raises(Unavailable, match="needs a checkout of fa2f5d6 at"):
        before.root(tmp_path)


def test_a_folder_is_used_as_it_is(tmp_path):
    for name in before.PACKAGES:
        (tmp_path / name).mkdir()
    assert before.root(tmp_path) == tmp_path


def test_other_code_than_asked_for_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(before, "environment", lambda root: {"PYTHONPATH": str(before.ROOT)})
    with pytest.raises(RuntimeError, match="is not what PYTHONPATH leads to"):
        trainings.Before(tmp_path, TINY)
