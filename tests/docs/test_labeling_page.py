"""The page on labeling does what it says, from its first block to its last."""

import csv
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import alharness
from alharness.cli import cli

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "label-your-own-data.md"
BLOCK = re.compile(r"```(python|bash)\n(?:# (\S+\.\w+)\n)?(.*?)```", re.DOTALL)
LOOP = re.compile(r"for \w+ in (.*?); do\n(.*?)done\n", re.DOTALL)


def follow(command):
    program, *words = shlex.split(command)
    if program == "python":
        exec(compile(Path(words[0]).read_text(), words[0], "exec"), {})
        return
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.mark.slow
def test_a_reader_gets_from_nothing_to_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for language, name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if name:
            Path(name).write_text(text)
        elif language == "python":
            exec(compile(text, str(PAGE), "exec"), {})
        else:
            for command in LOOP.sub(lambda loop: loop[2] * len(loop[1].split()), text).splitlines():
                follow(command)
    with Path("my_project/next_batch.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [row["by"] for row in rows] == ["badge"] * 20
    assert alharness.load("my_project").cycles["labeled"].tolist() == [20, 40, 60, 80, 100]
    assert Path("my_project/report/index.html").exists()
