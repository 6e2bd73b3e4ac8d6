import json
import os

import pytest

from alharness import cli
from alharness.cli import init as command
from alharness.spec import finding
from alharness.spec.schema import schema_text


@pytest.fixture
def source(tmp_path, monkeypatch):
    """What is shipped, in small, and a current folder that is empty."""
    source = tmp_path / "source"
    for name in ("specs/digits_quick.yaml", "specs/bases/shared.yml", "specs/schema.json", str(command.SKILL)):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(f"# {name}\n")
    monkeypatch.setattr(command, "shipped", lambda name=finding.FOLDER: source / name)
    monkeypatch.setattr(command, "schema_text", lambda installed: '{"title": "of what is installed"}')
    monkeypatch.chdir(tmp_path)
    return source


def run(*arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(["init", *arguments])
    return caught.value.code


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_specs_are_copied_with_what_they_extend(source, tmp_path):
    assert run("new") == 0

    assert files(tmp_path / "new") == ["specs/bases/shared.yml", "specs/digits_quick.yaml", "specs/schema.json"]
    assert (tmp_path / "new/specs/bases/shared.yml").read_text() == "# specs/bases/shared.yml\n"


def test_the_schema_is_that_of_what_is_installed(source, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "schema_text", schema_text)

    run("new")

    assert json.loads((tmp_path / "new/specs/schema.json").read_text())["title"] == "Spec"


def test_without_a_folder_it_is_this_one(source, tmp_path, capsys):
    assert run() == 0

    assert (tmp_path / "specs/digits_quick.yaml").exists()
    assert "specs has the 1 spec of alharness, and schema.json" in capsys.readouterr().out


def test_the_skill_comes_if_it_is_asked_for(source, tmp_path):
    run("new", "--skill")

    assert (tmp_path / "new" / command.SKILL).read_text() == (source / command.SKILL).read_text()


def test_what_was_changed_stays_and_is_named(source, tmp_path, capsys):
    run("new")
    mine = tmp_path / "new/specs/digits_quick.yaml"
    mine.write_text("mine")
    capsys.readouterr()

    assert run("new") == 0

    assert mine.read_text() == "mine"
    assert capsys.readouterr().out.count(" stays: it differs from the one that is shipped") == 1


def test_what_was_deleted_comes_back(source, tmp_path):
    run("new")
    (tmp_path / "new/specs/digits_quick.yaml").unlink()

    run("new")

    assert (tmp_path / "new/specs/digits_quick.yaml").exists()


@pytest.mark.parametrize("blocked", ["new", "new/specs", "new/specs/bases"])
def test_a_file_in_the_place_of_a_folder(source, tmp_path, blocked, capsys):
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_text("mine")

    assert run("new") == 2

    assert (tmp_path / blocked).read_text() == "mine"
    assert "error: " in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_closed(source, tmp_path, capsys):
    (tmp_path / "new").mkdir(mode=0o500)

    assert run("new") == 2

    assert "cannot be written: Permission denied" in capsys.readouterr().err


def test_what_ships_is_there():
    """Otherwise: the folder `specs`, or the skill, is missing from the package or the checkout."""
    assert command._specs()
    assert finding.shipped(command.SKILL).read_text().startswith("---\nname: alharness\n")
