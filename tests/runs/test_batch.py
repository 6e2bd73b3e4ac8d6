import json
from pathlib import Path

import pytest

import alharness
from alharness import BatchSystem, JobState, Spec
from alharness.api.records import CycleRecord
from alharness.attempts import make_batch, settings
from alharness.errors import PluginError, SpecError
from alharness.runs.batch import Batch
from alharness.runs.jobs import Terms
from alharness.runs.journal import Journal
from alharness.runs.run import Options
from alharness.spec.grid import make_plans

SPEC = {
    "name": "x",
    "dataset": "digits",
    "active_learning": {"initial_pool": 20, "budget": 10, "cycles": 1},
    "samplers": ["random", "coreset"],
    "seeds": 2,
}


class Queue(BatchSystem):
    """Keeps jobs in its queue until someone says that they have ended."""

    def __init__(self):
        self.jobs, self.ended = {}, set()

    def submit(self, jobs, logs, name):
        ids = [f"{len(self.jobs) + number}" for number in range(len(jobs))]
        self.jobs |= dict(zip(ids, jobs, strict=True))
        return ids

    def states(self, ids):
        return {one: JobState(state="queued") for one in ids if one not in self.ended}

    def cancelling(self, ids):
        return "end"

    def script(self, jobs, name):
        return f"{name}: {[job.cells for job in jobs]}"

    @property
    def cells(self):
        return [job.cells for job in self.jobs.values()]


@pytest.fixture
def ask(tmp_path):
    """A batch of this queue, and what it is asked to run."""

    def build(queue, spec=SPEC, **options):
        specs = Spec.load_all(spec, **{name: options.pop(name) for name in ("samplers",) if name in options})
        asked = Options(workdir=tmp_path / "runs", **options)
        batch = Batch("queue", queue, asked, None, lambda line: None, pytest.fail)
        return batch, settings(specs, make_plans(specs, asked.workdir), asked)

    return build


def finish(setting, cell):
    plan = setting.plan
    book = Journal(plan.folder / "cells" / cell.folder, {"data": "d"}, 1, plan.labeled(cell))
    for number, labeled in enumerate(plan.labeled(cell)):
        size = plan.schedule.sizes[number] if number < len(plan.schedule.sizes) else 0
        chosen = tuple(f"i{n}" for n in range(size))
        book.append(CycleRecord(cycle=number, labeled=labeled, metrics={"f1": 0.5}, chosen=chosen, at=number + 2))


def test_a_job_is_the_command_with_its_cells_and_the_spec_as_it_was(ask):
    queue = Queue()
    batch, (setting,) = ask(queue, stack=3, keep=True)
    batch.submit([setting])
    assert queue.cells == [("random-s0", "coreset-s0"), ("random-s1", "coreset-s1")]
    ((run, spec, *words),) = queue.jobs["1"].commands
    terms = Path(words[1])
    assert run == "run"
    assert words == [
        *("--job", str(terms), "--workdir", str(setting.plan.folder.parent), "--stack", "3", "--keep"),
        *("--only", "random-s1", "--only", "coreset-s1"),
    ]
    assert Spec.load(spec).seeds == (0, 1)
    read = Terms.read(terms)
    assert (read.folder, read.versions["alharness"]) == (str(Path.cwd()), alharness.__version__)
    assert {"Python", "torch", "numpy", "alharness-coreset"} <= set(read.versions)


def test_what_is_in_the_queue_or_finished_is_not_submitted_again(ask):
    queue = Queue()
    batch, (setting,) = ask(queue)
    first, second, *_ = setting.plan.cells
    setting.plan.folder.mkdir(parents=True)
    finish(setting, first)
    assert batch.submit([setting]) == batch.submit([setting])
    assert queue.cells == [("coreset-s0",), ("random-s1", "coreset-s1")]
    queue.ended.add("1")
    batch.submit([setting])
    assert queue.cells[2:] == [("random-s1", "coreset-s1")]
    finish(setting, second)
    queue.ended.update("012")
    batch.submit([setting])
    assert queue.cells[3:] == [("random-s1", "coreset-s1")]


def test_a_script_has_what_is_left_of_all_settings(ask):
    queue = Queue()
    grid = {**SPEC, "name": "g", "samplers": ["random"], "matrix": {"active_learning.budget": [10, 20]}}
    grid["active_learning"] = {"initial_pool": 20, "cycles": 1}
    batch, both = ask(queue, grid, jobs=9)
    text = batch.script(both, lambda setting: ["run", setting.spec.name])
    assert text == "g: [('random-s0',), ('random-s1',), ('random-s0',), ('random-s1',)]"
    for setting in both:
        for cell in setting.plan.cells:
            finish(setting, cell)
    assert batch.script(both, lambda setting: ["run"]) == ""
    assert queue.jobs == {}


def test_settings_are_submitted_together_and_share_the_jobs_that_there_may_be(ask):
    queue = Queue()
    queue.most = 2
    grid = {**SPEC, "samplers": ["random"], "matrix": {"active_learning.budget": [10, 20]}}
    grid["active_learning"] = {"initial_pool": 20, "cycles": 1}
    batch, both = ask(queue, grid)
    batch.submit(both)
    assert queue.cells == [("random-s0", "random-s0"), ("random-s1", "random-s1")]
    for setting in both:
        (note,) = (setting.plan.folder / "jobs").glob("*.json")
        folders = [folder for own in json.loads(note.read_text())["cells"].values() for folder in own]
        assert sorted(folders) == sorted(cell.folder for cell in setting.plan.cells)
    assert len(batch.submit(both)) == 4, "cells of the same name are cells of their own"
    finish(both[0], both[0].plan.cells[0])
    queue.ended.add("0")
    batch.submit(both)
    assert queue.cells[2:] == [("random-s0",)]
    assert queue.jobs["2"].commands[0][1].startswith(str(both[1].plan.folder))


def test_cells_that_may_begin_again_are_for_the_job_to_judge(ask):
    queue = Queue()
    batch, (setting,) = ask(queue, restart=True)
    for cell in setting.plan.cells:
        finish(setting, cell)
    batch.submit([setting])
    assert len(queue.jobs) == 2
    assert "--restart" in queue.jobs["0"].commands[0]


def test_objects_of_the_program_are_refused(ask):
    class Mine(alharness.ScoringSampler):
        def score(self, query):
            return query

    batch, asked = ask(Queue(), samplers=[Mine])
    with pytest.raises(SpecError, match=r"know no objects of this program, such as .*Mine\. Put it in a file"):
        batch.submit(asked)


def test_a_cell_that_another_process_computes_is_not_submitted(ask, tmp_path):
    from alharness.runs.claims import Claims
    from alharness.runs.directory import RunDirectory

    queue = Queue()
    batch, (setting,) = ask(queue)
    with Claims(RunDirectory(setting.plan.folder), pytest.fail) as claims:
        claims.claim(setting.plan.cells[:1])
        with pytest.raises(SpecError, match="random-s0: in use by process"):
            batch.submit([setting])
    assert queue.jobs == {}


def test_what_a_batch_system_cannot_do_is_refused(tmp_path):
    from types import SimpleNamespace

    from alharness import BatchPlugin, Params
    from alharness.runs.shards import Shard

    specs = Spec.load_all(SPEC)
    plans = make_plans(specs, tmp_path)

    def make(made, **options):
        plugin = BatchPlugin(name="queue", params=Params, make=lambda params, context: made)
        chosen = SimpleNamespace(
            plugin=plugin, params=Params(), name="queue", registered=SimpleNamespace(origin="mine==1")
        )
        return make_batch(specs, plans, Options(executor=chosen, **options), print, print)

    assert isinstance(make(Queue()), Batch)
    with pytest.raises(SpecError, match="the executor 'queue' of mine==1 .* cannot be used with retime"):
        make(Queue(), retime=True)
    with pytest.raises(SpecError, match="cannot be used with shard"):
        make(Queue(), shard=Shard(1, 2))
    with pytest.raises(PluginError, match="make returned int, not BatchSystem"):
        make(3)
    assert make_batch(specs, plans, Options(), print, print) is None
