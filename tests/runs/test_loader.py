import pickle
from multiprocessing import Pipe

import pytest

from alharness import registry
from alharness.api.records import Schedule
from alharness.runs import loader, pooltable
from alharness.runs.experiment import Experiment, Part
from alharness.runs.messages import Begun, Loaded, Made, Refused, Told, Wish
from alharness.spec.settings import TrainingSettings


@pytest.fixture
def load(tmp_path):
    """Have `digits` made in this process; gives the messages."""

    def made(samples=None, **facts):
        installed = registry.load()
        digits, model = installed.dataset("digits"), installed.model("late_fusion")
        announced = digits.plugin.inspect(digits.plugin.params())
        wish = Wish(
            part=Part(name="digits", origin=digits.origin, params=digits.plugin.params(), plain={}),
            facts=type(announced)(**{**vars(announced), **facts}),
            experiment=Experiment(
                name="x",
                folder=tmp_path,
                model=Part(name="late_fusion", origin=model.origin, params=model.plugin.params(), plain={}),
                samplers={},
                training=TrainingSettings(device="cpu"),
                schedule=Schedule(initial_pool=10, sizes=(5,)),
            ),
            seeds=(0, 3),
            samples=samples,
            spec_folder=tmp_path,
        )
        here, there = Pipe()
        loader.load(there, registry.Extras(), wish)
        messages = []
        while here.poll():
            messages.append(here.recv())
        return messages

    return made


def test_what_a_run_must_know_comes_back_with_the_samples(load, tmp_path):
    begun, made, loaded = load(samples=tmp_path)
    assert (begun, made) == (Begun(), Made())
    assert isinstance(loaded, Loaded)
    assert len(pickle.loads(loaded.samples).parts["all"]) == 1797
    assert loaded.seeds[0]["initial_pool"] != loaded.seeds[3]["initial_pool"]


def test_no_samples_are_written_if_nothing_is_to_run(load, tmp_path):
    assert load()[-1].samples == b""
    assert not list(tmp_path.rglob("*.npy"))


def test_a_pool_that_cannot_be_drawn_is_a_warning(load, monkeypatch):
    monkeypatch.setattr(pooltable, "save", lambda *_: 1 / 0)
    *_, told, loaded = load()
    assert told == Told(text="what was chosen will not be shown in reports: ZeroDivisionError: division by zero")
    assert isinstance(loaded, Loaded)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"modalities": ("text",)}, "it announced classification on text, and is classification on top, bottom"),
        ({"synthetic": True}, "announced synthetic data and is real"),
    ],
)
def test_a_data_set_that_is_not_what_it_says_is_refused(load, facts, text):
    refused = load(**facts)[-1]
    assert isinstance(refused, Refused)
    assert refused.kind == "PluginError"
    assert refused.text.startswith("the data set 'digits' of alharness==")
    assert text in refused.text
