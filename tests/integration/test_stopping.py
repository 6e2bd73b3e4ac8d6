"""Seeds that stop when they are decided: real runs on digits."""

import random

import pytest

from alharness import cli, hookimpl, registry
from alharness import spec as specs
from alharness.results.run import RunResults
from alharness.runs.finding import list_runs
from alharness.runs.run import Options
from alharness.runs.run import run as run_cells

SPEC = """\
name: trial
dataset: digits
training: {{epochs: 20, batch_size: 20, device: cpu}}
active_learning: {{initial_pool: 20, budget: 20, cycles: {cycles}}}
seeds: {seeds}
samplers: {samplers}
reference: {{full_data: {full_data}}}
tracking: none
"""
UNTIL = "{until: decided, at_least: 5, at_most: 9, block: 2}"


class Watching:
    def __init__(self):
        self.looks = []

    @hookimpl
    def alharness_seeds_judged(self, look):
        self.looks.append(look)


def spec_text(samplers="[random, {name: random, label: other}, sure]", seeds=UNTIL, cycles=3, full_data="false"):
    return SPEC.format(samplers=samplers, seeds=seeds, cycles=cycles, full_data=full_data)


@pytest.fixture
def write(tmp_path):
    def write(**values):
        path = tmp_path / "trial.yaml"
        path.write_text(spec_text(**values))
        return path

    return write


@pytest.fixture(scope="module")
def run(toy_site):
    """Run a spec until it is decided; gives the outcomes, the looks and the warnings."""

    def run(path, workdir, assignments=(), **options):
        installed, watching, warnings = registry.load(), Watching(), []
        installed.register(watching)
        spec = specs.load(path, installed, assignments)
        from alharness.results.judge import judge

        _, record = run_cells(spec, installed, Options(workdir=workdir, **options), warnings.append, judge)
        return record, watching.looks, warnings

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(toy_site)
        yield run


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory):
    """The folder of a run of one process that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "trial.yaml"
    path.write_text(spec_text())
    run(path, folder / "runs")
    return folder / "runs"


def finished(record):
    seeds = {}
    for one in record.cells:
        if one.status == "ok":
            seeds.setdefault(one.cell.label, []).append(one.cell.seed)
    return seeds


def decisions(workdir):
    (folder,) = workdir.glob("trial-*")
    from alharness.results.looks import look_at

    return look_at(RunResults.read(folder)).decisions


@pytest.mark.long
def test_samplers_that_differ_stop_and_a_second_random_is_not_declared_different(write, run, tmp_path):
    record, looks, warnings = run(write(full_data="true"), tmp_path / "runs")
    seeds = finished(record)
    assert seeds["sure"] == [0, 1, 2, 3, 4]  # it learns nothing from what it is sure of
    assert seeds["other"] == seeds["random"] == seeds["full-data"] == list(range(9))
    assert {one.status for one in record.cells} == {"ok", "spared"}
    assert (record.failed, warnings) == ((), [])
    found = decisions(tmp_path / "runs")
    assert (found["sure", "random"].verdict, found["other", "random"].verdict) == ("worse", "")
    assert [look.seeds for look in looks] == [0, 5, 7, 9]
    assert [len(look.lines) for look in looks] == [0, 1, 0, 1]
    assert looks[1].lines[0].startswith("sure is worse than random: -0.")
    assert {cell.label for cell in looks[1].possible if cell.seed > 4} == {"random", "other", "full-data"}


def test_seeds_that_were_enough_are_said(write, run, tmp_path, capsys):
    record, looks, _ = run(write(samplers="[random, sure]"), tmp_path / "runs")
    assert finished(record) == {"random": [0, 1, 2, 3, 4], "sure": [0, 1, 2, 3, 4]}
    assert looks[-1].over
    (found,) = list_runs(tmp_path / "runs")
    assert found.progress == "10 of 10 cells complete; 5 of 9 seeds were enough"
    with pytest.raises(SystemExit) as ended:
        cli.main(["report", str(found.path)])
    assert ended.value.code == 0
    page = (found.path / "report" / "index.html").read_text()
    assert "8 more cells were not needed: 5 of 9 seeds were enough" in page
    assert "Seeds are missing" not in page
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_what_runs_and_is_decided_does_not_depend_on_stacks_and_workers(write, run, whole, journals, tmp_path):
    run(write(), tmp_path, stack=3, jobs=2)
    assert journals(tmp_path) == journals(whole)
    assert decisions(tmp_path) == decisions(whole)


@pytest.mark.long
def test_what_runs_and_is_decided_does_not_depend_on_kills(
    write, whole, command, wait_for_lines, journals, tmp_path
):
    path, chance = write(), random.Random(0)
    total = sum(len(lines) - 1 for lines in journals(whole).values())
    process = command("run", path, "--jobs", "2")
    wait_for_lines(tmp_path / "runs", chance.randrange(total // 2, total), process)
    process.kill()
    process.communicate()
    last = command("run", path)
    out, err = last.communicate(timeout=300)
    assert last.returncode == 0, out + err
    assert "sure is worse than random" in out
    assert journals(tmp_path / "runs") == journals(whole)
    assert decisions(tmp_path / "runs") == decisions(whole)


def test_a_run_of_fixed_seeds_goes_on_until_decided_and_back(write, run, journals, tmp_path):
    path = write(samplers="[random, sure]")
    run(path, tmp_path / "runs", ["seeds=3"])
    assert len(journals(tmp_path / "runs")) == 6
    _, looks, _ = run(path, tmp_path / "runs")
    assert [look.seeds for look in looks] == [0, 5]
    assert len(journals(tmp_path / "runs")) == 10
    _, looks, _ = run(path, tmp_path / "runs")  # nothing is left to do
    assert ([look.seeds for look in looks], looks[0].over) == ([5], True)
    record, looks, _ = run(path, tmp_path / "runs", ["seeds=6"])
    assert (looks, {one.status for one in record.cells}) == ([], {"ok"})
    (found,) = list_runs(tmp_path / "runs")
    assert found.progress == "12 of 12 cells complete"


def test_a_cell_that_fails_is_missing_and_is_tried_again(write, run, tmp_path, monkeypatch):
    path = write(samplers="[random, sure, moody]", seeds="{until: decided, at_least: 3, at_most: 6, block: 3}")
    monkeypatch.setenv("ALHARNESS_TEST_MOOD", "bad")
    record, looks, _ = run(path, tmp_path / "runs")
    assert {one.cell.label for one in record.failed} == {"moody"}
    assert looks[-1].over
    assert "undecided: moody and random: fewer than 3 seeds in which both are finished" in looks[-1].lines
    monkeypatch.delenv("ALHARNESS_TEST_MOOD")
    record, looks, _ = run(path, tmp_path / "runs")
    assert (record.failed, finished(record)["moody"][:3]) == ((), [0, 1, 2])
    assert looks[0].seeds == 0  # it waits for what failed


def test_data_of_later_seeds_are_drawn_when_they_are_needed(write, run, tmp_path, monkeypatch):
    from alharness.runs import run as runs

    drawn = []

    def draw(processes, wish, dataset, seeds, **more):
        drawn.append(([*wish.seeds], seeds))
        return original(processes, wish, dataset, seeds, **more)

    original = runs.draw
    monkeypatch.setattr(runs, "draw", draw)
    run(write(samplers="[random, {name: random, label: other}]"), tmp_path / "runs")
    first = [0, 1, 2, 3, 4]
    assert [(sorted(known), new) for known, new in drawn] == [(first, [5, 6]), (first, [7, 8])]


def test_a_command_that_leaves_cells_out_says_what_the_next_look_needs(write, run, tmp_path):
    path = write(samplers="[random, sure]")
    record, _, warnings = run(path, tmp_path / "runs", only=("sure",))
    assert finished(record) == {"sure": [0, 1, 2, 3, 4]}
    assert warnings == [
        "the next look needs random-s0 and 4 more cells, which this command leaves out; run all that are needed"
    ]
    record, looks, _ = run(path, tmp_path / "runs", only=("random",))
    assert looks[-1].over
    assert finished(record) == {"random": [0, 1, 2, 3, 4], "sure": [0, 1, 2, 3, 4]}


def test_the_command_says_what_is_decided_and_ends_well(write, main):
    code, out, err = main("run", write(samplers="[random, sure]"))
    assert code == 0, out + err
    assert "[10/18]" in out
    assert "sure is worse than random: -0." in out
    assert "after 5 seeds; it stops" in out
    assert "5 of 9 seeds were enough." in out
