"""Groups of cells in this process: what is trained together, what each cell gets, and how each ends."""

import pytest

from alharness import registry
from alharness.api.executor import At, Finished, FirstFit, Group, Warned
from alharness.api.records import Cell, Outcome, Schedule
from alharness.engine.training import Trainer
from alharness.registry import Extras
from alharness.runs.driver import Driver
from alharness.runs.messages import Blueprint
from alharness.runs.setup import pool_if_needed
from alharness.spec.settings import TrainingSettings

LABELS = ("random", "entropy", "margin")


def cell(label, seed=0, **more):
    return Cell(label=label, sampler=label, params={}, distribution="", seed=seed, key="k", **more)


@pytest.fixture
def group(make_dataset):
    """Drive a group of these cells; gives its messages."""
    installed = registry.load()
    model = installed.model("late_fusion").plugin
    blueprint = Blueprint(
        extras=Extras(),
        model="late_fusion",
        model_params=model.params(),
        sampler_params={label: installed.sampler(label).plugin.params() for label in LABELS},
        training=TrainingSettings(epochs=2, device="cpu"),
        schedule=Schedule(initial_pool=10, sizes=(5, 5)),
    )
    driver = Driver(blueprint, installed, lambda: pool_if_needed(make_dataset(), model))

    def drive(*cells, chosen=None, at=lambda _: None, **more):
        chosen, found = {cell.name: () for cell in cells} | (chosen or {}), []
        for message in driver.drive(Group(cells=cells, chosen=chosen, **more)):
            at(message.cell) if isinstance(message, At) else found.append(message)
        return found

    return drive


@pytest.fixture
def trained(monkeypatch):
    """How many models each call of fit_many was asked for."""
    found, fit_many = [], Trainer.fit_many

    def counted(self, requests):
        found.append(len(requests))
        return fit_many(self, requests)

    monkeypatch.setattr(Trainer, "fit_many", counted)
    return found


def cycles(messages):
    """Name of a cell -> its cycles, without what was measured."""
    found = {}
    for message in messages:
        if isinstance(message, Finished):
            cycle = message.cycle
            found.setdefault(message.cell.name, []).append(
                (cycle.labeled, cycle.metrics, cycle.chosen, cycle.scores)
            )
    return found


def ends(messages):
    return {message.cell.name: message.status for message in messages if isinstance(message, Outcome)}


CELLS = [cell(label, seed) for seed in (0, 1) for label in LABELS]


def test_cells_are_the_same_in_groups_of_any_size(group):
    alone = [message for one in CELLS for message in group(one)]
    for size in (3, 6):
        together = [m for start in range(0, 6, size) for m in group(*CELLS[start : start + size])]
        assert cycles(together) == cycles(alone)
        assert ends(together) == dict.fromkeys((one.name for one in CELLS), "ok")


def test_what_a_group_trains_in_a_cycle_is_asked_for_at_once_and_equal_requests_once(group, trained):
    messages = group(*CELLS)
    assert trained == [2, 6, 6]
    firsts = [message for message in messages if isinstance(message, FirstFit)]
    assert [(first.seed, first.everything) for first in firsts] == [(0, False), (1, False)]
    reused = [
        m.cycle.cost.get("train_reused", 0) for m in messages if isinstance(m, Finished) and not m.cycle.cycle
    ]
    assert reused == [0, 1, 1, 0, 1, 1]


def test_a_first_fit_that_is_given_is_not_trained_again(group, trained):
    first = next(message for message in group(CELLS[0]) if isinstance(message, FirstFit))
    trained.clear()
    messages = group(CELLS[1], fits={(0, False): first.content})
    assert trained == [0, 1, 1]
    assert not [message for message in messages if isinstance(message, FirstFit)]


def test_a_first_fit_that_is_damaged_is_told_and_trained_again(group, trained):
    messages = group(CELLS[0], fits={(0, False): b"nothing"})
    assert trained == [1, 1, 1]
    assert "a stored fit is damaged" in next(m.text for m in messages if isinstance(m, Warned))
    assert ends(messages) == {"random-s0": "ok"}


def test_a_fit_that_cannot_be_stored_is_told_and_trained_for_each(group, trained, monkeypatch):
    alone = cycles(group(*CELLS[:2]))
    trained.clear()
    monkeypatch.setattr("alharness.runs.driver.stored", lambda _: 1 / 0)
    messages = group(*CELLS[:2])
    assert cycles(messages) == alone
    assert trained == [1, 1, 2, 2]
    assert "a fit cannot be stored (ZeroDivisionError" in next(m.text for m in messages if isinstance(m, Warned))
    assert not [message for message in messages if isinstance(message, FirstFit)]


def test_a_cell_goes_on_from_the_ids_that_it_chose(group):
    whole = group(*CELLS[:2])
    chosen = {name: tuple(cycle[2] for cycle in found) for name, found in cycles(whole).items()}
    rest = group(*CELLS[:2], chosen={"random-s0": chosen["random-s0"][:1], "entropy-s0": chosen["entropy-s0"][:2]})
    assert cycles(rest) == {
        "random-s0": cycles(whole)["random-s0"][1:],
        "entropy-s0": cycles(whole)["entropy-s0"][2:],
    }


def test_cells_that_are_behind_catch_up_and_train_with_the_others_from_then_on(group, trained):
    chosen = {name: tuple(cycle[2] for cycle in found) for name, found in cycles(group(*CELLS[:3])).items()}
    trained.clear()
    messages = group(
        *CELLS[:3], chosen={"random-s0": chosen["random-s0"][:2], "margin-s0": chosen["margin-s0"][:1]}
    )
    assert trained == [1, 2, 3]
    assert [m.cell.name for m in messages if isinstance(m, Finished)][:3] == [
        "entropy-s0",
        "entropy-s0",
        "margin-s0",
    ]


def test_references_are_trained_last(group, trained):
    messages = group(*[cell("full-data", seed, reference=True) for seed in (0, 1)], *CELLS[:2])
    assert trained == [1, 2, 2, 2]
    assert [m.cell.reference for m in messages if isinstance(m, Finished)][-2:] == [True, True]


def test_it_is_said_whose_work_is_done(group):
    whose = []
    group(*CELLS[:2], at=lambda cell: whose.append(cell and cell.label))
    assert whose == [*["random", "entropy", None] * 3, "random", "entropy"]


def test_a_reference_is_trained_once_with_all_labels(group):
    messages = group(cell("full-data", reference=True), CELLS[0])
    assert len(cycles(messages)["full-data-s0"]) == 1
    assert {m.everything for m in messages if isinstance(m, FirstFit)} == {False, True}


def test_ids_that_do_not_fit_the_pool_end_their_cell_alone(group):
    messages = group(*CELLS[:2], chosen={"random-s0": (("unknown",),)})
    assert "the pool has no sample 'unknown'" in messages[0].error
    assert ends(messages) == {"random-s0": "failed", "entropy-s0": "ok"}


def test_a_member_that_fails_leaves_the_others_as_they_are(group):
    broken = cell("broken")
    messages = group(CELLS[0], broken, CELLS[1])
    assert ends(messages) == {"broken-s0": "failed", "random-s0": "ok", "entropy-s0": "ok"}
    assert cycles(messages) == cycles(group(CELLS[0])) | cycles(group(CELLS[1]))


def test_other_conditions_are_refused_by_the_worker(group):
    (ended,) = group(CELLS[0], contexts={0: {"device": "cuda"}})
    assert ended.status == "failed"
    assert "this worker computes under other conditions: device was cuda and is cpu" in ended.error


def test_the_model_of_the_last_cycle_is_not_trained_to_measure_queries_again(group, trained):
    chosen = tuple(cycle[2] for cycle in cycles(group(CELLS[0]))["random-s0"])
    trained.clear()
    messages = group(CELLS[0], chosen={"random-s0": chosen}, action="retime")
    assert trained == [1, 1]
    assert [len(cycle[2]) for cycle in cycles(messages)["random-s0"]] == [5, 5]
    assert ends(messages) == {"random-s0": "ok"}


def test_a_query_that_chooses_others_is_not_measured_again(group):
    chosen = [cycle[2] for cycle in cycles(group(CELLS[0]))["random-s0"]]
    chosen[1] = chosen[1][::-1]
    *_, ended = group(CELLS[0], chosen={"random-s0": tuple(chosen)}, action="retime")
    assert "cycle 1 chose other samples" in ended.error
