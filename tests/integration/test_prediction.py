"""How long a run takes, from earlier runs on this machine, or from a trial."""

from dataclasses import replace

import pytest

from alharness import registry
from alharness import spec as specs
from alharness.errors import RunError
from alharness.runs import journal, saved
from alharness.runs.prediction import START, History, own, try_out, with_seeds
from alharness.spec.plan import make_plan


@pytest.fixture(scope="module")
def ask(run_spec):
    """What is known of a spec in the folder of runs next to it, and its plan."""

    def ask(path, *changes):
        spec = specs.load(path, registry.load(), changes)
        plan = make_plan(spec, path.parent / "runs")
        return History(plan.folder.parent).known(spec, plan), plan

    return ask


@pytest.fixture(scope="module")
def measured(run_spec, spec_text, tmp_path_factory):
    """A finished run whose cycles took 2 s to train, 1 s to evaluate and 3 s to query."""
    path = tmp_path_factory.mktemp("measured") / "trial.yaml"
    path.write_text(spec_text())
    run_spec(path, path.parent / "runs")
    for folder in (path.parent / "runs").glob("*/cells/*"):
        header, cycles = journal.read(folder / journal.NAME)
        fast = {"train_seconds": 2.0, "evaluate_seconds": 1.0}
        costs = [fast | ({"query_seconds": 3.0} if "query_seconds" in cycle.cost else {}) for cycle in cycles]
        changed = [replace(cycle, cost=cost) for cycle, cost in zip(cycles, costs, strict=True)]
        journal.Journal(folder, header.context, 0).replace(changed)
    return path


def test_what_is_finished_takes_no_time(measured, ask):
    found, plan = ask(measured)
    assert found.predict(plan).seconds == 0.0
    assert found.source == f"as in {plan.folder}"


def test_more_seeds_take_as_long_as_those_that_are_there(measured, ask):
    found, plan = ask(measured, "seeds=4")
    # Two cells a seed: three trainings of each, the first shared, three evaluations and two queries.
    assert found.predict(plan).seconds == pytest.approx(START + 2 * (5 * 2 + 6 * 1 + 4 * 3))
    assert found.predict(plan, jobs=2).seconds == pytest.approx(START + 5 * 2 + 6 * 1 + 4 * 3)
    assert not found.predict(plan).at_most


def test_another_budget_is_read_off_the_same_costs(measured, ask):
    found, plan = ask(measured, "active_learning.cycles=4")
    assert not plan.folder.exists()
    seconds = found.predict(plan).seconds
    assert seconds == pytest.approx(START + 2 * (9 * 2 + 10 * 1 + 8 * 3))


@pytest.mark.parametrize("change", ["training.epochs=4", "model.params.hidden=8", "dataset=digits"])
def test_runs_of_other_data_models_and_trainings_say_nothing(measured, ask, change):
    assert ask(measured)[0]
    assert ask(measured, change)[0] is None


def test_other_machines_say_nothing(measured, ask, monkeypatch):
    monkeypatch.setattr("alharness.runs.prediction.machine", lambda: "another processor, 4 cores")
    assert ask(measured)[0] is None


def test_damaged_run_directories_are_passed_over(measured, ask):
    broken = measured.parent / "runs" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    assert ask(measured)[0]


def test_a_trial_leaves_nothing_and_predicts(write_spec, ask, tmp_path):
    path = write_spec(samplers="[first, narrow]", seeds="3", cycles=8)
    installed = registry.load()
    spec = specs.load(path, installed, ["training.epochs=40"])
    found = try_out(spec, installed)
    plan = make_plan(spec, tmp_path / "runs")
    prediction = found.predict(plan)
    assert not plan.folder.exists()
    assert prediction.at_most
    assert prediction.source == "from 4 epochs of a trial"
    shorter = replace(plan, cells=plan.cells[:2])
    assert START < found.predict(shorter).seconds < prediction.seconds
    few = try_out(specs.load(path, installed, ["training.epochs=4"]), installed).predict(plan).seconds
    assert prediction.seconds > few


def test_a_trial_of_a_model_that_fits_itself_has_no_epochs(write_spec, ask):
    path = write_spec(samplers="[first]", seeds="1", cycles=1)
    found = try_out(specs.load(path, registry.load(), ["model=linear", "training={}"]), registry.load())
    assert (found.source, found.at_most) == ("from a trial", False)


def test_a_trial_that_fails_says_why(write_spec, run_spec):
    installed = registry.load()
    with pytest.raises(RunError, match="raises-s0: "):
        try_out(specs.load(write_spec(samplers="[raises]"), installed), installed)


def test_a_run_says_what_more_seeds_of_it_take(measured, ask):
    _, plan = ask(measured)
    run, outcomes = saved.load(plan.folder)
    found = own(run, outcomes)
    more = with_seeds(run, 4)
    assert [cell.name for cell in more.cells][-4:] == ["first-s2", "narrow-s2", "first-s3", "narrow-s3"]
    assert len({cell.folder for cell in more.cells}) == 8
    assert found.predict(more).seconds == pytest.approx(START + 2 * (5 * 2 + 6 * 1 + 4 * 3))
    assert with_seeds(run, 1) == run
    assert own(run, []) is None
