import json
import shutil
from dataclasses import fields, replace

import pytest

from alharness import DatasetFacts, Task
from alharness.api.records import Cell, CycleRecord, Outcome, Paper, Plan, Schedule, Skip, Stopping
from alharness.errors import RunError
from alharness.runs import saved
from alharness.runs.journal import Journal


def cell(label="grace", seed=0, **more):
    known = {
        "params": {"alpha": 0.2, "of": ["audio", None]},
        "distribution": "grace==1.0",
        "key": "0123456789abcdef",
    }
    return Cell(**known | {"label": label, "sampler": "grace", "seed": seed} | more)


def ends(folder):
    """How cells ended, as the file has it: of cells that the plan does not name, too."""
    ended = json.loads((folder / "run.json").read_text())["ended"]
    return {name: (end["status"], end["error"]) for name, end in ended.items()}


@pytest.fixture
def full(tmp_path):
    """A run with everything set."""
    folder = tmp_path / "demo-1"
    folder.mkdir()
    return Plan(
        name="demo-standin",
        experiment="demo-standin-1",
        folder=folder,
        facts=DatasetFacts(
            task=Task.REGRESSION, modalities=("audio", "text"), sizes=(18, 200, 30), synthetic=True
        ),
        schedule=Schedule(initial_pool=10, sizes=(5, 3)),
        pool=18,
        cells=(cell(), cell(seed=7), cell("full-data", params={}, key="r" * 16, reference=True)),
        finished={"grace-s0": 2},
        jobs=2,
        groups=(("a-s0", "b-s0"),),
        skips=(Skip(label="needy", reason="it serves regression"),),
        warnings=("fewer than 3 seeds",),
        tracking=("mlflow: no address",),
        metric="mae",
        lower_is_better=("bias", "mae"),
        headline=("mae", "corr"),
        params={"dataset": "simsv2", "budget": 5, "ratio": 0.5, "nothing": None},
        environment={"torch": "2.9", "cores": "2"},
        spec_text="name: demo\n# ä\n",
        synthetic=True,
        valid=200,
        count_valid=True,
        paper=Paper(
            source="A paper, Table 1", labels=13, values={"grace": {"mae": 0.4}, "full-data": {"mae": 0.3}}
        ),
        statistics="paired_t",
        stopping=Stopping(margin=0.1),
        project="by cross-validation over the labels",
    )


def test_a_run_comes_back_as_it_was(full):
    assert all(getattr(full, f.name) != f.default for f in fields(Plan))  # nothing is left to chance
    saved.save(full)

    assert saved.load(full.folder)[0] == full


def test_a_run_with_little_set_comes_back_too(full):
    little = Plan(name="x", experiment="x-1", folder=full.folder, schedule=full.schedule, pool=9, cells=())
    saved.save(little)

    assert saved.load(full.folder)[0] == little


def test_a_run_directory_that_does_not_say_it_has_errors_that_are_better_when_lower(full):
    saved.save(full)
    path = full.folder / saved.NAME
    older = json.loads(path.read_text())
    del older["run"]["lower_is_better"]
    path.write_text(json.dumps(older))

    assert saved.load(full.folder)[0].lower_is_better == ("mae", "rmse")


def test_a_moved_run_is_where_it_was_found(full, tmp_path):
    saved.save(full)
    shutil.move(full.folder, tmp_path / "elsewhere")

    assert saved.load(tmp_path / "elsewhere")[0] == replace(full, folder=tmp_path / "elsewhere")


def test_how_cells_ended_comes_back(full):
    bad, worse, stopped = (cell(seed=seed) for seed in (1, 2, 3))
    records = [
        Outcome(cell=cell(), status="ok"),
        Outcome(cell=cell(seed=7), status="pending"),
        Outcome(cell=bad, status="failed", error="KeyError: 'ä'"),
        Outcome(cell=worse, status="diverged", error="the loss is NaN"),
        Outcome(cell=stopped, status="interrupted"),
    ]
    saved.save(full, records)

    assert ends(full.folder) == {
        bad.folder: ("failed", "KeyError: 'ä'"),
        worse.folder: ("diverged", "the loss is NaN"),
        stopped.folder: ("interrupted", ""),
    }


def test_a_cell_that_was_not_needed_is_pending_again_if_all_seeds_are_to_run(full):
    saved.save(full, [Outcome(cell=full.cells[0], status="spared")])
    assert saved.load(full.folder)[1][0].status == "spared"
    saved.begin(replace(full, stopping=None), [])
    assert saved.load(full.folder)[1][0].status == "pending"


def test_saving_takes_the_place_of_an_older_one(full):
    saved.save(full, [Outcome(cell=cell(), status="failed", error="broke")])
    saved.save(replace(full, jobs=1))

    assert saved.load(full.folder)[0] == replace(full, jobs=1)
    assert ends(full.folder) == {}
    assert [path.name for path in full.folder.iterdir()] == ["run.json"]


def test_a_run_keeps_how_cells_ended_that_it_does_not_work_on(full):
    mine, others = cell(seed=1), cell(seed=2)
    broke = Outcome(cell=others, status="failed", error="broke")
    saved.save(full, [broke, Outcome(cell=mine, status="failed", error="long ago")])
    saved.begin(full, [mine])
    assert ends(full.folder) == {others.folder: ("failed", "broke")}

    saved.conclude(full, [Outcome(cell=mine, status="timeout", error="slow")])
    assert ends(full.folder) == {
        others.folder: ("failed", "broke"),
        mine.folder: ("timeout", "slow"),
    }


def test_a_run_that_ends_does_not_replace_one_that_began_later(full):
    later = replace(full, jobs=5)
    saved.begin(full, [cell(seed=1)])
    saved.begin(later, [cell(seed=2)])
    saved.conclude(full, [Outcome(cell=cell(seed=1), status="ok")])
    assert saved.load(full.folder)[0] == later


def test_a_file_that_cannot_be_read_is_replaced_at_the_end(full):
    (full.folder / "run.json").write_text("{")
    saved.conclude(full, [])
    assert saved.load(full.folder)[0] == full


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(RunError, match="nowhere: there is no such folder; name a run directory, such as runs/"):
        saved.load(tmp_path / "nowhere")


def test_a_folder_of_run_directories_names_those_in_it(full):
    saved.save(full)

    with pytest.raises(RunError, match=f"is no run directory; in it are: {full.folder}$"):
        saved.load(full.folder.parent)


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(RunError, match="is no run directory$"):
        saved.load(tmp_path)


def test_a_run_of_an_earlier_version(full):
    (full.folder / "cells").mkdir()

    with pytest.raises(RunError, match="has no run.json, since an earlier version made it. Run its spec again"):
        saved.load(full.folder)


def test_a_path_that_cannot_be_read(full):
    (full.folder / "run.json").mkdir()

    with pytest.raises(RunError, match="run.json: Is a directory"):
        saved.load(full.folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-30], "cannot be read: Invalid JSON"),
        (lambda text: "", "cannot be read: Invalid JSON"),
        (lambda text: "[]", "cannot be read: Input should be an object"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "cannot be read: format: Input should be 1"),
        (lambda text: text.replace('"seed": 7', '"seed": "seven"'), r"cannot be read: run.cells.1.seed: "),
        (lambda text: text.replace('"pool": 18,', ""), "cannot be read: run.pool: "),
    ],
    ids=["cut", "empty", "list", "format", "type", "missing"],
)
def test_a_file_that_is_not_ours_is_told_with_its_place_and_a_way_out(full, change, message):
    saved.save(full)
    path = full.folder / "run.json"
    text = path.read_text()
    path.write_text(change(text))

    assert path.read_text() != text
    with pytest.raises(RunError, match=message) as caught:
        saved.load(full.folder)
    assert str(caught.value).startswith(f"{path}: ")
    assert "Run the spec again: it writes the file again and trains nothing that is finished" in str(caught.value)


@pytest.mark.parametrize("label", ["../../x", "/x", "a/b", "a/../../x", "..\x00/x"])
def test_case_37_a_cell_outside_of_the_run_directory_is_refused(full, label):
    saved.save(full)
    path = full.folder / "run.json"
    data = json.loads(path.read_text())
    data["run"]["cells"][1]["label"] = label
    path.write_text(json.dumps(data))

    with pytest.raises(RunError, match="is outside the run directory"):
        saved.load(full.folder)


CONTEXT = {"data": "d", "seed": 0}


@pytest.fixture
def plan(tmp_path):
    schedule = Schedule(initial_pool=1, sizes=(1, 1))
    return Plan(name="x", experiment="x-1", folder=tmp_path, schedule=schedule, pool=9, cells=(cell(),))


def write(plan, n):
    book = Journal(plan.folder / "cells" / cell().folder, CONTEXT, now=5)
    for c in range(n):
        book.append(CycleRecord(cycle=c, labeled=1 + c, metrics={"f1": 0.5}, chosen=(f"s{c}",)[: 2 - c]))
    return book


def test_a_cell_without_a_journal_is_pending(plan):
    assert saved.outcome_of(plan, cell()) == Outcome(cell=cell(), status="pending")


@pytest.mark.parametrize(("n", "status"), [(0, "pending"), (2, "pending"), (3, "ok")])
def test_a_cell_is_complete_with_its_last_cycle(plan, n, status):
    cycles = write(plan, n).cycles
    record = saved.outcome_of(plan, cell())

    assert record == Outcome(cell=cell(), status=status, cycles=tuple(cycles), started=5)
    assert record.context == {"journal format": 2, **CONTEXT}


def test_a_damaged_journal_is_a_failed_cell(plan):
    book = write(plan, 3).path
    book.write_bytes(book.read_bytes().replace(b'"cycle": 1', b'"cycle": 8'))
    record = saved.outcome_of(plan, cell())

    assert (record.status, record.cycles, record.context) == ("failed", (), {})
    assert "this line is damaged" in record.error
