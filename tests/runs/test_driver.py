import pytest

from alharness import registry
from alharness.api.records import Schedule
from alharness.engine.selection import Chooser
from alharness.runs import driver
from alharness.runs.fits import FitStore
from alharness.runs.journal import Journal
from alharness.runs.workbench import Workbench, suited
from alharness.spec.settings import TrainingSettings


@pytest.fixture
def cell(make_dataset, tmp_path):
    """What a finished cell was driven with."""
    installed = registry.load()
    model, random = installed.model("late_fusion").plugin, installed.sampler("random").plugin
    settings = TrainingSettings(epochs=1, device="cpu")
    schedule = Schedule(initial_pool=10, sizes=(5, 5))
    bench = Workbench(suited(make_dataset(), model), model, model.params(), settings, schedule).bench(0)
    chooser = Chooser(sampler=random.make(random.params()), name="random", features=frozenset())
    book = Journal(tmp_path / "cell", {}, 0)
    parts = {"trainer": bench.trainer, "fits": FitStore(tmp_path / "fits", {}, print), "finished": lambda _: None}
    driver.drive(bench.world, chooser, bench.initial, book, timing="shared", **parts)
    return (bench.world, chooser, bench.initial, book), parts


def test_the_model_of_the_last_cycle_is_not_trained_to_measure_queries_again(cell, monkeypatch):
    arguments, parts = cell
    trained, fit = [], parts["trainer"].fit
    monkeypatch.setattr(
        parts["trainer"], "fit", lambda labeled, seed: trained.append(len(labeled)) or fit(labeled, seed)
    )
    driver.retime(*arguments, **parts)
    assert trained == [15]  # that of 10 labels is stored, and after 20 nothing is asked


def test_queries_next_to_another_process_are_marked_as_shared(cell, tmp_path):
    (world, chooser, initial, _), parts = cell
    book = Journal(tmp_path / "other", {}, 0)
    at_work = iter([False, False, True, False])  # at the beginning, and after each of three cycles
    driver.drive(world, chooser, initial, book, timing="exclusive", crowded=lambda: next(at_work), **parts)
    assert [cycle.timing for cycle in book.cycles] == ["exclusive", "shared", "shared"]
