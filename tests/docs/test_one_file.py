"""The sampler of one file that the documentation writes, from zero to a comparison."""

import re
from pathlib import Path

import pytest

import alharness
from alharness.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "one-file-sampler.md"
QUICK = ("--set", "seeds=1", "--set", "training.epochs=2", "--set", "active_learning.cycles=1", "--no-tracking")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in re.findall(
        r"```\w+\n# (\S+\.\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    ):
        (tmp_path / name).write_text(content)
    return tmp_path


def alharness_command(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_it_is_compared_with_the_samplers_of_a_spec(here, capsys):
    assert alharness_command("check", "margin.yaml", "--include", "my_margin.py") == 0
    assert "my_margin.py" in capsys.readouterr().out
    assert alharness_command("run", "margin.yaml", "--include", "my_margin.py", *QUICK) == 0
    assert alharness.load("margin.yaml").cells["sampler"].tolist() == ["random", "Margin", "margin_top"]


def test_a_spec_need_not_name_it(here):
    only = ("--only", "Margin")
    assert alharness_command("run", "digits_quick", "--include", "my_margin.py", *QUICK, *only) == 0

    cells = alharness.load("digits_quick").cells.set_index("sampler")["status"]
    assert cells["Margin"] == "ok"
    assert list(cells.index) == ["random", "coreset", "grace", "Margin"]


def test_bench_measures_it(here, capsys):
    arguments = (
        "bench",
        "Margin",
        "--include",
        "my_margin.py",
        "--sizes",
        "200",
        "--labeled",
        "20",
        "--budget",
        "5",
    )
    assert alharness_command(*arguments) == 0
    assert "Margin" in capsys.readouterr().out
