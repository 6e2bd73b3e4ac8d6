import json

import pytest

from alharness import cli


def run(*arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(["schema", *arguments])
    return caught.value.code


def test_the_schema_is_printed(capsys):
    assert run() == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Spec"


def test_the_schema_is_written(capsys, tmp_path):
    run()
    printed = capsys.readouterr().out
    assert run("--out", str(tmp_path / "schema.json")) == 0
    assert (tmp_path / "schema.json").read_text() == printed


def test_a_file_that_cannot_be_written(capsys, tmp_path):
    assert run("--out", str(tmp_path / "no" / "schema.json")) == 2
    assert "cannot be written" in capsys.readouterr().err
