"""Made-up plugins, and a spec file that is read with them."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field, field_validator

from alharness import spec
from alharness.api.dataset import DatasetPlugin
from alharness.api.model import ModelPlugin
from alharness.api.params import Params, SpecPath
from alharness.api.sampler import SamplerPlugin
from alharness.api.tracker import Tracker, TrackerPlugin
from alharness.errors import HarnessError, SpecError
from alharness.registry import Registered, Registry
from alharness.tracking.plugin import alharness_trackers


class Inner(Params):
    depth: int = 1


class ToyParams(Params):
    alpha: float = Field(0.5, ge=0)
    mode: Literal["a", "b"] | int = "a"
    path: SpecPath | None = None
    inner: Inner = Inner()


class MoodyParams(Params):
    mood: str = "good"

    @field_validator("mood")
    @classmethod
    def _mood(cls, mood):
        if mood == "bad":
            raise ValueError("the mood must not be bad")
        if mood == "awful":
            raise KeyError("mood")
        return mood


class CarelessParams(Params):
    size: int = Field(0, ge=1)


TOY_TRACKER = TrackerPlugin(name="lines", params=ToyParams, make=lambda params, context: Tracker())


def registered(plugin):
    return Registered(plugin=plugin, distribution="toys", version="1.0", entry_point="toys")


@pytest.fixture(scope="module")
def registry():
    samplers = [SamplerPlugin(name=n, params=ToyParams, make=ToyParams) for n in ("toy", "top", "kin/toy")]
    samplers.append(SamplerPlugin(name="moody", params=MoodyParams, make=MoodyParams))
    samplers.append(SamplerPlugin(name="careless", params=CarelessParams, make=CarelessParams))
    model = ModelPlugin(name="late_fusion", params=ToyParams, make=ToyParams)
    dataset = DatasetPlugin(name="blocks", params=ToyParams, inspect=ToyParams, make=ToyParams)
    return Registry(
        samplers={s.name: registered(s) for s in samplers},
        models={"late_fusion": registered(model)},
        datasets={"blocks": registered(dataset)},
        trackers={t.name: registered(t) for t in (*alharness_trackers(), TOY_TRACKER)},
    )


@pytest.fixture
def load(tmp_path, monkeypatch, registry):
    monkeypatch.chdir(tmp_path)

    def load(text, *assignments):
        Path("x.yaml").write_text(text)
        return spec.load("x.yaml", registry, assignments)

    return load


@pytest.fixture
def refusal(load):
    def refusal(text, *assignments, kind=SpecError):
        with pytest.raises(HarnessError) as caught:
            load(text, *assignments)
        assert type(caught.value) is kind
        return str(caught.value)

    return refusal
