import errno
import os

import pytest

from alharness.errors import RunError
from alharness.runs.files import append, cut, write


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("content", ["new", b"new"])
def test_writing_replaces_the_whole_file(tmp_path, content):
    path = tmp_path / "spec.yaml"
    path.write_text("an older and longer text")
    write(path, content)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_case_11_writing_replaces_nothing_on_a_full_disk(tmp_path, monkeypatch):
    path = tmp_path / "spec.yaml"
    write(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_replaces_a_link_and_leaves_its_target(tmp_path):
    target, path = tmp_path / "target", tmp_path / "run.json"
    target.write_text("precious")
    path.symlink_to(target)
    write(path, "new")
    assert (target.read_text(), path.read_text()) == ("precious", "new")


def test_case_11_of_what_is_appended_to_a_full_disk_nothing_stays(tmp_path, monkeypatch):
    path = tmp_path / "journal"
    append(path, b"first\n", 0)
    real, calls = os.write, []

    def half(descriptor, content):
        calls.append(content)
        return real(descriptor, content[:3]) if len(calls) == 1 else full()

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        append(path, b"second\n", 6)
    assert len(calls) == 2
    assert path.read_bytes() == b"first\n"


def test_a_write_that_takes_several_calls_is_whole(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, content[:2]))
    append(tmp_path / "journal", b"a long line\n", 0)
    assert (tmp_path / "journal").read_bytes() == b"a long line\n"


def test_what_another_process_wrote_meanwhile_is_not_followed_by_ours(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b"first\nof another\n")
    with pytest.raises(RunError, match="another process has written to it meanwhile"):
        append(path, b"second\n", 6)
    assert path.read_bytes() == b"first\nof another\n"


@pytest.mark.parametrize("change", [lambda path: append(path, b"new", 8), lambda path: cut(path, 3)])
def test_nothing_is_changed_through_a_link(tmp_path, change):
    target, path = tmp_path / "target", tmp_path / "journal"
    target.write_text("precious")
    path.symlink_to(target)
    with pytest.raises(RunError, match="is a symbolic link, and nothing is written through it"):
        change(path)
    assert target.read_text() == "precious"
