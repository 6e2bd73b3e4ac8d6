"""The command line as a user starts it; in a process of its own, if signals, consoles or MLflow are the point."""

import json
import re
import signal
import sqlite3

import numpy as np
import pytest


@pytest.mark.slow
def test_a_first_run_ends_with_a_table_a_picture_and_mlflow(command, main, write_spec, tmp_path):
    process = command("run", write_spec(samplers="[first, needy]", dataset="digits"))
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "[2/2] first-s1: f1 0." in out
    assert "trial: digits, 10 → 20 labels" in out
    assert "│ first   │ 2 │" in out
    assert "skipped: needy: it serves regression" in out
    assert "Which sampler should I use here? first is best on average." in out
    assert len(list(tmp_path.glob("runs/trial-*/curves.png"))) == 1
    assert re.search(r"^MLflow:   (\S*/)?alharness ui$", out, re.MULTILINE)
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        assert store.execute("select name, status from runs order by name").fetchall() == [
            ("first-s0", "FINISHED"),
            ("first-s1", "FINISHED"),
        ]
        steps = store.execute("select step from metrics where key = 'test/f1' order by step").fetchall()
        assert steps == [(10,), (10,), (15,), (15,), (20,), (20,)]
    _, out, _ = main("run", tmp_path / "trial.yaml", "--no-tracking", "--report")
    assert "6 of 6 cycles are finished already, 2 of 2 cells complete" in out
    (page,) = tmp_path.glob("runs/trial-*/report/index.html")
    assert f"Page:     {page.relative_to(tmp_path)}" in out


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_case_04_and_case_05_a_signal_ends_the_run_and_tells_how_to_go_on(
    command, write_spec, wait_for_lines, tmp_path, number, code
):
    process = command("run", write_spec(samplers="[slow]", cycles=20), "--no-tracking")
    wait_for_lines(tmp_path / "runs", 1, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Nothing finished is lost; continue with: " in out
    assert "Traceback" not in err


def test_a_failed_cell_makes_the_exit_code_1_and_the_others_a_table(main, write_spec):
    code, out, err = main("run", write_spec(samplers="[twice, first]", seeds="[0]"), "--no-tracking")
    assert code == 1
    assert "failed: twice-s0: twice (toy-samplers==1.0), cycle 0: it chose position 0 5 times" in out
    assert "0 of 1" in out
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("[first, narrow]", "[frist]", 4, "no sampler named 'frist' is installed; did you mean 'first'?"),
        ("seeds: 2", "sedes: 2", 2, "unknown key 'sedes'; did you mean 'seeds'?"),
        ("seeds: 2", "seeds: 2\nseeds: 3", 2, "seeds"),
        ("budget: 5", "budget: -5", 2, "active_learning.budget"),
        ("budget: 5", "budget: five", 2, "active_learning.budget"),
        ("initial_pool: 10", "initial_pool: 5000", 2, "active_learning.initial_pool"),
        ("dataset: toy_data", "dataset: {name: mfeat, params: {path: nowhere}}", 5, "alharness data import mfeat"),
    ],
)
def test_a_wrong_spec_is_one_clear_paragraph_and_leaves_nothing(
    main, write_spec, tmp_path, old, new, code, message
):
    path = write_spec()
    path.write_text(path.read_text().replace(old, new))
    ended, out, err = main("run", path)
    assert ended == code
    assert err.startswith("error: ")
    assert message in err
    assert "Traceback" not in out + err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["trial.yaml"]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_own_arrays_run(main, tmp_path, task):
    rng = np.random.default_rng(0)
    n = 120
    folder = tmp_path / "mine"
    folder.mkdir()
    signal_ = rng.normal(size=n)
    np.save(folder / "audio.npy", signal_[:, None] + 0.1 * rng.normal(size=(n, 4)))
    np.save(folder / "video.npy", signal_[:, None, None] + rng.normal(size=(n, 6, 3)))
    np.save(folder / "video_lengths.npy", rng.integers(1, 7, n))
    labels = [("pos" if s > 0 else "neg") if task == "classification" else f"{s * 100:.3f}" for s in signal_]
    splits = ["train"] * 70 + ["valid"] * 20 + ["test"] * 30
    rows = [f"clip{i},{split},{label}" for i, (split, label) in enumerate(zip(splits, labels, strict=True))]
    (folder / "labels.csv").write_text("\n".join(["id,split,label", *rows]) + "\n")
    (tmp_path / "own.yaml").write_text(
        f"name: own\ndataset: {{name: arrays, params: {{path: mine, task: {task}}}}}\n"
        "active_learning: {initial_pool: 20, budget: 10, cycles: 2}\nseeds: 2\nsamplers: [first, draw]\n"
    )
    code, _, err = main("run", "own.yaml", "--no-tracking")
    assert code == 0, err
    last = [
        json.loads(book.read_text().splitlines()[-1])["metrics"]
        for book in tmp_path.glob("runs/*/cells/first-*/journal.jsonl")
    ]
    assert len(last) == 2
    if task == "classification":
        assert all(metrics["accuracy"] > 0.8 for metrics in last)
    else:
        assert all(metrics["corr"] > 0.8 for metrics in last)
        assert all(metrics["mae"] < 60 for metrics in last)  # in the units of the labels, whose spread is 100


@pytest.mark.slow
def test_case_20_a_server_that_is_down_does_not_fail_a_run_unless_asked(command, write_spec):
    path = write_spec(samplers="[first]", seeds="[0]")
    path.write_text(path.read_text() + "tracking: {uri: 'http://127.0.0.1:9'}\n")
    offline = command("run", path)
    out, _ = offline.communicate(timeout=120)
    assert offline.returncode == 0
    assert "MLflow at http://127.0.0.1:9: cannot be reached" in out
    assert "The results are safe in the journals; write them to MLflow later with" in out
    required = command("run", path, "--require-tracking")
    required.communicate(timeout=120)
    assert required.returncode == 6


def test_a_console_without_utf8_costs_nothing(command, write_spec):
    process = command(
        "run",
        write_spec(samplers="[first]"),
        "--no-tracking",
        variables={"PYTHONIOENCODING": "ascii", "COLUMNS": "40"},
    )
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "trial: toy_data, 10 -> 20 labels" in out
    assert "+-" in out
    assert out.isascii()
