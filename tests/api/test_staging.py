import os
import subprocess
import sys

import pytest

from alharness.api.staging import staged
from alharness.errors import DataError


def make(target, *, replace=False, names=("a.npy",), text="new"):
    with staged(target, replace=replace) as folder:
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)


def held(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_becomes_the_target(tmp_path):
    make(tmp_path / "data" / "mine")
    assert held(tmp_path) == {"data/mine/a.npy": "new"}


def test_an_empty_folder_is_no_obstacle(tmp_path):
    (tmp_path / "mine").mkdir()
    make(tmp_path / "mine")
    assert held(tmp_path) == {"mine/a.npy": "new"}


def test_others_may_read_it_as_any_new_folder(tmp_path):
    make(tmp_path / "mine")
    (tmp_path / "usual").mkdir()
    assert (tmp_path / "mine").stat().st_mode == (tmp_path / "usual").stat().st_mode


def stop(folder, error):
    (folder / "a.npy").write_text("half")
    raise error


@pytest.mark.parametrize("error", [DataError("no"), KeyboardInterrupt(), ZeroDivisionError()])
def test_nothing_is_left_of_a_failure(tmp_path, error):
    with pytest.raises(type(error)), staged(tmp_path / "mine", replace=False) as folder:
        stop(folder, error)
    assert list(tmp_path.iterdir()) == []


def test_the_target_does_not_exist_before_the_end(tmp_path):
    with staged(tmp_path / "mine", replace=False) as folder:
        (folder / "a.npy").write_text("half")
        assert not (tmp_path / "mine").exists()


def test_a_full_disk_is_no_traceback(tmp_path):
    with (
        pytest.raises(DataError, match=r"mine: cannot be made: No space left on device \(a\.npy\)"),
        staged(tmp_path / "mine", replace=False),
    ):
        raise OSError(28, os.strerror(28), "a.npy")


def test_an_older_folder_is_kept(tmp_path):
    make(tmp_path / "mine", text="old")
    with pytest.raises(DataError, match=r"mine: exists already; replace it with --force, or name another"):
        make(tmp_path / "mine")
    assert held(tmp_path) == {"mine/a.npy": "old"}


def test_an_older_folder_is_replaced_on_demand(tmp_path):
    make(tmp_path / "mine", text="old", names=("a.npy",))
    make(tmp_path / "mine", replace=True, names=("a.npy", "b.npy"))
    assert held(tmp_path) == {"mine/a.npy": "new", "mine/b.npy": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_older_folder_survives_a_failure(tmp_path):
    make(tmp_path / "mine", text="old")
    with pytest.raises(DataError), staged(tmp_path / "mine", replace=True):
        raise DataError("no")
    assert held(tmp_path) == {"mine/a.npy": "old"}


@pytest.mark.parametrize("name", ["thesis.txt", "sub/thesis.txt"])
def test_files_of_somebody_else_are_never_removed(tmp_path, name):
    make(tmp_path / "mine", text="old", names=("a.npy", "sub/b.npy"))
    (tmp_path / "mine" / name).write_text("years of work")
    with pytest.raises(DataError, match=rf"mine: is not replaced, because it holds '{name}', which is no part"):
        make(tmp_path / "mine", replace=True, names=("a.npy", "sub/b.npy"))
    assert held(tmp_path / "mine") == {"a.npy": "old", "sub/b.npy": "old", name: "years of work"}


def test_when_the_last_step_fails_the_older_folder_comes_back(tmp_path, monkeypatch):
    target = tmp_path / "mine"
    make(target, text="old")
    rename = type(target).rename

    def fail(self, to):
        if self.name == "new":
            raise OSError(18, "Invalid cross-device link")
        return rename(self, to)

    monkeypatch.setattr(type(target), "rename", fail)
    with pytest.raises(DataError, match="mine: cannot be made: Invalid cross-device link"):
        make(target, replace=True)
    assert held(tmp_path) == {"mine/a.npy": "old"}


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_is_never_replaced(tmp_path, replace):
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(DataError, match="mine: is a file; name a new folder with --out"):
        make(tmp_path / "mine", replace=replace)


def test_a_link_to_another_disk_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "mine").symlink_to(tmp_path / "disk")
    make(tmp_path / "mine")
    assert (tmp_path / "mine").is_symlink()
    assert held(tmp_path / "disk") == {"a.npy": "new"}


def test_a_place_where_nothing_can_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/mine: cannot be made: (Not a directory|File exists)"):
        make(tmp_path / "file" / "mine")


def killed(target, *, text="half", old=None):
    """A staging folder as a process leaves it that is killed; with `old` while it replaces the target."""
    code = (
        "import os, sys; from pathlib import Path; from alharness.api import staging\n"
        "with staging.staged(Path(sys.argv[1]), replace=True) as new:\n"
        "    (new / 'a.npy').write_text(sys.argv[2])\n"
        "    if sys.argv[3]: Path(sys.argv[1]).rename(new.with_name('old'))\n"
        "    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, target, text, old or ""], check=False).returncode == 9


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_leftovers_of_a_process_that_ended_are_removed_by_the_next(tmp_path):
    killed(tmp_path / "mine")
    assert len(names(tmp_path)) == 1
    make(tmp_path / "mine")
    assert names(tmp_path) == ["mine"]


def test_the_staging_folder_of_a_living_process_stays(tmp_path):
    with staged(tmp_path / "mine", replace=False) as first:
        make(tmp_path / "mine", text="other")
        assert first.is_dir()
        make(tmp_path / "mine", text="third", replace=True)
        assert first.is_dir()
        (first / "a.npy").write_text("last")
    assert held(tmp_path) == {"mine/a.npy": "last"}


@pytest.mark.parametrize("name", ["mine-too", "min"])
def test_leftovers_of_another_target_stay(tmp_path, name):
    killed(tmp_path / name)
    make(tmp_path / "mine")
    assert len(names(tmp_path)) == 2


@pytest.mark.parametrize("content", [None, "", "another-host"])
def test_leftovers_whose_process_may_live_elsewhere_stay(tmp_path, content):
    folder = tmp_path / ".mine-abcdefgh"
    folder.mkdir()
    if content is not None:
        (folder / "owner").write_text(content)
    make(tmp_path / "mine")
    assert names(tmp_path) == [".mine-abcdefgh", "mine"]


def test_an_older_data_set_that_was_just_moved_away_comes_back(tmp_path):
    make(tmp_path / "mine", text="old")
    killed(tmp_path / "mine", old="old")
    assert not (tmp_path / "mine").exists()
    with pytest.raises(DataError, match="mine: exists already"):
        make(tmp_path / "mine")
    assert held(tmp_path) == {"mine/a.npy": "old"}
