from dataclasses import replace
from multiprocessing import Pipe

import pytest

from alharness import registry
from alharness.api.executor import Begun, Done, Warned
from alharness.api.records import Plan, Schedule
from alharness.errors import PluginError
from alharness.runs import loader, pooltable
from alharness.runs.messages import Blueprint, Loaded, Wish
from alharness.spec.settings import TrainingSettings


@pytest.fixture
def load(tmp_path):
    """Have `digits` made in this process; gives the messages."""

    def made(samples=None, **facts):
        installed = registry.load()
        digits, model = installed.dataset("digits"), installed.model("late_fusion")
        announced = digits.plugin.inspect(digits.plugin.params())
        schedule = Schedule(initial_pool=10, sizes=(5,))
        wish = Wish(
            dataset="digits",
            params=digits.plugin.params(),
            who=f"the data set 'digits' of {digits.origin}",
            plan=Plan(
                name="x",
                experiment="x-1",
                folder=tmp_path,
                facts=replace(announced, **facts),
                schedule=schedule,
                pool=1000,
                cells=(),
            ),
            blueprint=Blueprint(
                extras=registry.Extras(),
                model="late_fusion",
                model_params=model.plugin.params(),
                sampler_params={},
                training=TrainingSettings(device="cpu"),
                schedule=schedule,
            ),
            seeds=(0, 3),
            recipe={},
            samples=samples,
            spec_folder=tmp_path,
        )
        here, there = Pipe()
        loader.load(there, wish)
        messages = []
        while here.poll():
            messages.append(here.recv())
        return messages

    return made


def test_what_a_run_must_know_comes_back_with_the_samples(load, tmp_path):
    begun, loaded, done = load(samples=tmp_path)
    assert (begun, done) == (Begun(), Done())
    assert isinstance(loaded, Loaded)
    assert len(loaded.dataset.open().parts["all"]) == 1797
    assert loaded.seeds[0].context["initial_pool"] != loaded.seeds[3].context["initial_pool"]


def test_no_samples_are_written_if_nothing_is_to_run(load, tmp_path):
    assert load()[1].dataset is None
    assert not list(tmp_path.rglob("*.npy"))


def test_a_pool_that_cannot_be_drawn_is_a_warning(load, monkeypatch):
    monkeypatch.setattr(pooltable, "save", lambda *_: 1 / 0)
    _, loaded, told, _ = load()
    assert told == Warned(text="what was chosen will not be shown in reports: ZeroDivisionError: division by zero")
    assert isinstance(loaded, Loaded)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"modalities": ("text",)}, "it announced classification on text, and is classification on top, bottom"),
        ({"synthetic": True}, "announced synthetic data and is real"),
        (
            {"incomplete": ("top",)},
            "announced samples that may lack top, with truth of nothing, and has samples that",
        ),
        (
            {"truth": ("value",)},
            "with truth of value, and has samples that may lack nothing, with truth of nothing",
        ),
    ],
)
def test_a_data_set_that_is_not_what_it_says_is_refused(load, facts, text):
    refused = load(**facts)[-1]
    assert isinstance(refused, PluginError)
    assert str(refused).startswith("the data set 'digits' of alharness==")
    assert text in str(refused)
