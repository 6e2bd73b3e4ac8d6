"""Descriptions of fields, against those that pydantic itself would find."""

import inspect
from typing import ClassVar

import pytest
from pydantic import BaseModel, Field, create_model

from alharness import Params, registry
from alharness.api.params import Documented, descriptions
from alharness.spec.settings import Section


class Base(Documented):
    kept: int = 1
    """Kept as it is."""
    said: int = 2
    """Replaced below."""
    silent: int = 3
    plain: int = Field(4, description="In the field.")
    """Not this one."""


class Chain(Documented):
    after: "Chain | None" = None
    """What comes then."""


class Derived(Base):
    said: int = 5
    """Said again,
    on two lines."""

    def method(self):
        """No field's."""

    own: list[int] = []
    """Its own."""
    constant: ClassVar[int] = 6
    """No field's either."""
    "Not this one either."


def test_descriptions_are_those_of_the_class_and_what_it_inherits():
    assert descriptions(Derived) == {
        "kept": "Kept as it is.",
        "said": "Said again,\non two lines.",
        "plain": "In the field.",
        "own": "Its own.",
    }
    assert descriptions(Base)["said"] == "Replaced below."


def test_a_class_inside_of_a_function_is_read_too():
    class Inner(Documented):
        x: int = 0
        """Deep
inside."""

    assert descriptions(Inner) == {"x": "Deep\ninside."}


def test_the_schema_tells_them_also_of_models_inside_of_models():
    class Outer(BaseModel):
        inner: Derived
        more: list[Base]
        chain: Chain

    definitions = Outer.model_json_schema()["$defs"]
    for model in (Base, Derived, Chain):
        told = {
            name: field.get("description") for name, field in definitions[model.__name__]["properties"].items()
        }
        assert {name: text for name, text in told.items() if text} == descriptions(model)


def test_a_model_that_refers_to_itself_is_told_too():
    assert Chain.model_json_schema()["$defs"]["Chain"]["properties"]["after"]["description"] == "What comes then."


def test_a_class_without_source_has_what_its_fields_say():
    made = create_model("Made", __base__=Base, x=(int, Field(0, description="Here.")), y=(int, 0))
    assert descriptions(made) == descriptions(Base) | {"x": "Here."}
    namespace = {"Documented": Documented, "__name__": "nowhere"}
    exec('class Typed(Documented):\n    x: int = 0\n    """Lost."""\n', namespace)
    assert descriptions(namespace["Typed"]) == {}


@pytest.mark.parametrize("kind", ["samplers", "models", "datasets"])
def test_every_plugin_is_described_as_pydantic_would(kind):
    from pydantic._internal._docs_extraction import extract_docstrings_from_cls

    for registered in getattr(registry.load(), kind).values():
        params = registered.plugin.params
        theirs = {}
        for base in reversed(params.__mro__):
            if issubclass(base, BaseModel):
                theirs |= extract_docstrings_from_cls(base, use_inspect=True)
        assert descriptions(params) == {name: theirs[name] for name in params.model_fields if name in theirs}
        assert set(params.model_fields) == set(descriptions(params))


@pytest.mark.parametrize("base", [Params, Section])
def test_no_source_is_read_until_somebody_asks(base, monkeypatch):
    def read(*_):
        raise AssertionError

    monkeypatch.setattr(inspect, "findsource", read)

    class New(base):
        z: int = 1
        """Read later."""

    monkeypatch.undo()
    assert descriptions(New)["z"] == "Read later."


def test_a_validator_is_built_for_a_model_that_is_used():
    class Own(Documented):
        x: int = 1

    assert not Own.__pydantic_complete__
    assert Own(x=2).x == 2
    assert Own.__pydantic_complete__
