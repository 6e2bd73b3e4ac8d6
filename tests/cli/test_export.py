"""The command `export`."""

import csv
import io

import pytest

from alharness.api.records import Cell, CycleRecord, Plan, Schedule
from alharness.cli import main
from alharness.runs import saved
from alharness.runs.journal import Journal


@pytest.fixture
def folder(tmp_path):
    """A run of two samplers and two seeds, of which one label begins a formula."""
    return make_folder(tmp_path / "runs" / "demo-1")


def frame(text):
    """The table in CSV text."""
    import pandas as pd

    return pd.read_csv(io.StringIO(text))


def make_folder(folder, metric="f1"):
    cells = tuple(
        Cell(label=label, sampler="random", params={}, distribution="d==1", seed=seed, key=f"{label}{seed}0000000")
        for seed in range(2)
        for label in ("random", "=1+1")
    )
    run = Plan(
        name="demo",
        experiment=folder.name,
        folder=folder,
        schedule=Schedule(initial_pool=10, sizes=(5,)),
        pool=30,
        cells=cells,
        metric=metric,
        params={"dataset": "digits", "model": "late_fusion"},
    )
    folder.mkdir(parents=True)
    for cell in cells:
        book = Journal(folder / "cells" / cell.folder, {}, now=1)
        for cycle in range(2):
            cost = {"query_seconds": 0.25} if cycle == 0 else {}
            used = {f"{measure}/text": 0.4 + 0.1 * cycle for measure in ("share", "drop", "moved")}
            metrics = {metric: 0.1 * cycle}
            book.append(
                CycleRecord(cycle=cycle, labeled=10 + 5 * cycle, metrics=metrics, utilisation=used, cost=cost)
            )
    saved.save(run)
    return folder


def call(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["export", *map(str, arguments)])
    return ended.value.code


def export(capsys, *arguments):
    assert call(*arguments) == 0
    return capsys.readouterr().out


def test_cycles_are_the_default(folder, capsys):
    table = frame(export(capsys, folder))
    place = ["run", "setting", "sampler", "seed", "replicate", "cycle", "labeled"]
    assert list(table.columns) == [*place, "f1", "share_text", "drop_text", "moved_text", "query_seconds"]
    assert table["f1"].tolist() == [0.0, 0.1] * 4
    assert table["query_seconds"].isna().tolist() == [False, True] * 4


def test_a_summary_has_bounds(folder, capsys):
    table = frame(export(capsys, folder, "--table", "summary"))
    assert {"mean", "low", "high", "sd", "n"} <= set(table.columns)
    assert set(table["n"]) == {2}


def test_differences_are_of_pairs(folder, capsys):
    table = frame(export(capsys, folder, "--table", "differences"))
    assert table[["first", "second", "n"]].to_numpy().tolist() == [["random", "'=1+1", 2]]


def test_no_spreadsheet_takes_a_label_for_a_formula(folder, capsys):
    cells = [cell for row in csv.reader(io.StringIO(export(capsys, folder))) for cell in row]
    assert "'=1+1" in cells
    assert "=1+1" not in cells


def test_names_of_columns_are_ascii(tmp_path, capsys):
    folder = make_folder(tmp_path / "demo-1", metric="f1_café_悲")
    header = export(capsys, folder).splitlines()[0]
    assert ",f1_cafe_u60b2,share_text," in header


def test_the_ending_of_the_file_says_the_format(folder, capsys, tmp_path):
    for ending, begin in ((".csv", "run,"), (".tex", "% needs"), (".md", "| sampler |")):
        path = tmp_path / f"table{ending}"
        assert export(capsys, folder, "--output", path) == ""
        assert path.read_text().startswith(begin)


def test_parquet_holds_the_same_table(folder, capsys, tmp_path):
    import pandas as pd

    path = tmp_path / "cycles.parquet"
    export(capsys, folder, "--output", path)
    found = pd.read_parquet(path)
    assert found["sampler"].tolist()[2] == "=1+1"  # no spreadsheet opens it
    assert found["f1"].tolist() == [0.0, 0.1] * 4


def test_without_pyarrow_the_message_says_what_to_do(folder, capsys, tmp_path, monkeypatch):
    def without(*_, **__):
        raise ImportError("pyarrow")

    monkeypatch.setattr("pandas.DataFrame.to_parquet", without)
    assert call(folder, "--output", tmp_path / "x.parquet") == 1
    assert "pip install pyarrow" in capsys.readouterr().err


def test_metrics_can_be_chosen(folder, capsys):
    header = export(capsys, folder, "--metric", "query_seconds").splitlines()[0]
    assert header == "run,setting,sampler,seed,replicate,cycle,labeled,query_seconds"
    table = frame(export(capsys, folder, "--table", "summary", "--metric", "f1"))
    assert set(table["metric"]) == {"f1"}


def test_a_run_in_another_folder_is_named_by_its_spec(folder, capsys):
    assert export(capsys, "demo", "--workdir", folder.parent) == export(capsys, folder)


def test_several_runs_are_several_settings(folder, tmp_path, capsys):
    other = make_folder(tmp_path / "runs" / "demo-2")
    table = frame(export(capsys, folder, other))
    assert table["setting"].unique().tolist() == ["demo", "demo-2"]
    assert export(capsys, folder, other, "--format", "latex").count(r"\begin{table}") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--metric", "query_second"], 1, "no run has such a metric or cost; did you mean 'query_seconds'?"),
        (["--format", "parquet"], 2, "name a file with --output"),
        (["--format", "latex", "--table", "cycles"], 2, "prints the summary"),
        (["--output", "missing/x.csv"], 1, "cannot be written"),
    ],
)
def test_what_cannot_be_is_refused(folder, capsys, monkeypatch, tmp_path, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    assert call(folder, *arguments) == code
    assert message in " ".join(capsys.readouterr().err.split())


def test_how_much_the_models_use_each_modality(capsys, folder):
    table = frame(export(capsys, folder, "--table", "utilisation"))
    assert table[["sampler", "modality", "n"]].to_numpy().tolist() == [["random", "text", 2], ["'=1+1", "text", 2]]
    assert table[["share", "drop", "moved"]].to_numpy().ravel() == pytest.approx([0.45] * 6)
    assert table["difference"].isna().tolist() == [True, False]
    assert table["neglected"].tolist() == [False, False]
    assert call(folder, "--table", "utilisation", "--metric", "f1") == 2
    assert "it has no --metric" in capsys.readouterr().err
