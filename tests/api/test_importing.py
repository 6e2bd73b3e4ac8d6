from pathlib import Path

import pytest

from alharness.api.importing import readable


@pytest.fixture
def here(tmp_path, monkeypatch):
    path = tmp_path.resolve() / "project"
    (path / "specs").mkdir(parents=True)
    monkeypatch.chdir(path)
    return path


def test_a_place_below_the_current_folder_is_relative(here):
    assert readable(here / "specs" / ".." / "data" / "mine") == Path("data/mine")


def test_a_place_elsewhere_is_absolute(here):
    assert readable(Path("..") / "data") == here.parent / "data"


def test_the_parent_of_a_linked_folder_is_that_of_its_target(here, tmp_path):
    (tmp_path / "elsewhere" / "specs").mkdir(parents=True)
    Path("linked").symlink_to(tmp_path / "elsewhere" / "specs")
    assert readable(Path("linked/../data")) == tmp_path.resolve() / "elsewhere" / "data"


def test_a_name_that_no_file_can_have_is_left_alone():
    assert readable(Path("a\0b")) == Path("a\0b")


def test_a_loop_of_links_is_left_alone(here):
    Path("a").symlink_to("b")
    Path("b").symlink_to("a")
    assert readable(Path("a/data")) == Path("a/data")
