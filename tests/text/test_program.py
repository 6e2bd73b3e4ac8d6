import sys
from pathlib import Path

import pytest

from alharness.text.words import command_line


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put an interpreter, and perhaps our command next to it, into an environment."""

    def install(folder="env/bin", *, script=True, path=""):
        place = tmp_path / folder
        place.mkdir(parents=True)
        for name in ("python", *(["alharness"] if script else [])):
            (place / name).write_text("#!/bin/sh\n")
            (place / name).chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(place / "python"))
        monkeypatch.setenv("PATH", path.format(place))
        monkeypatch.chdir(tmp_path)
        return place

    return install


def test_a_command_on_the_path_is_called_by_its_name(install):
    install(path="{}")
    assert command_line("run", "my spec.yaml") == "alharness run 'my spec.yaml'"


def test_a_link_on_the_path_is_the_same_command(install, tmp_path, monkeypatch):
    place = install()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "alharness").symlink_to(place / "alharness")
    monkeypatch.setenv("PATH", str(tmp_path / "links"))
    assert command_line("ui") == "alharness ui"


def test_another_installation_on_the_path_is_not_the_command(install, tmp_path, monkeypatch):
    install()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "alharness").write_text("#!/bin/sh\n")
    (tmp_path / "other" / "alharness").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "other"))
    assert command_line("ui") == "env/bin/alharness ui"


def test_below_the_current_folder_the_path_is_relative_and_elsewhere_absolute(install, tmp_path, monkeypatch):
    place = install()
    assert command_line() == "env/bin/alharness"
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert command_line() == str(place / "alharness")
    monkeypatch.chdir(place)
    assert command_line() == "./alharness"


def test_without_a_script_the_module_is_called(install):
    install(script=False)
    assert command_line("ui") == "env/bin/python -m alharness ui"


def test_a_current_folder_that_is_gone_is_no_obstacle(install, tmp_path, monkeypatch):
    place = install()
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    Path(tmp_path / "gone").rmdir()
    assert command_line() == str(place / "alharness")
    monkeypatch.chdir(tmp_path)
