"""Descriptions of fields, against those that pydantic itself would find."""

import inspect
import json
from typing import ClassVar, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, create_model

from alharness import FUSED, Params, Source, registry
from alharness.api.params import Documented, descriptions, sources
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


class Inner(Params):
    one: Source = "text"
    """A source."""


class Sources(Params):
    """Sources in every place that a field may have."""

    source: Source = FUSED
    maybe: Source | None = None
    several: tuple[Source, ...] = ("audio", "fused")
    listed: list[Source] = []
    weights: dict[Source, float] = {}
    whole: Literal["all"] | Source = "all"
    inner: Inner = Inner()
    other: str = "radio"


def test_sources_are_found_in_every_place_with_their_keys():
    params = Sources(
        maybe="a", listed=["b", "c"], weights={"d": 1.0}, whole="e", inner={"one": "f"}, several=["g", "fused"]
    )
    assert list(sources(params)) == [
        (("source",), "fused"),
        (("maybe",), "a"),
        (("several", 0), "g"),
        (("several", 1), "fused"),
        (("listed", 0), "b"),
        (("listed", 1), "c"),
        (("weights", "d"), "d"),
        (("whole",), "e"),
        (("inner", "one"), "f"),
    ]


def test_a_default_is_a_source_too_and_other_text_is_none():
    assert [source for _, source in sources(Sources())] == ["fused", "audio", "fused", "text"]


def test_a_source_is_text_in_the_schema_and_in_plain_data():
    assert Inner.model_json_schema()["properties"]["one"] == {
        "default": "text",
        "description": "A source.",
        "format": "source",
        "title": "One",
        "type": "string",
    }
    assert type(Inner(one="audio").model_dump()["one"]) is str
    assert json.loads(Sources(maybe="audio").model_dump_json())["maybe"] == "audio"


def test_a_plugin_without_parameters_says_so_in_the_schema():
    assert Params.model_json_schema()["description"] == "No parameters."


def test_a_source_of_another_type_is_refused():
    with pytest.raises(ValidationError, match="valid string"):
        Inner(one=3)


@pytest.mark.parametrize("name", ["badge", "bald", "dbal", "entropy", "margin"])
def test_the_source_of_a_baseline_is_one(name):
    params = registry.load().sampler(name).plugin.params
    assert list(sources(params(source="radio"))) == [(("source",), "radio")]
