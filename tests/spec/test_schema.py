import json
import tomllib
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from alharness import registry
from alharness.api.dataset import DatasetPlugin
from alharness.api.model import ModelPlugin
from alharness.api.params import Params, SpecPath
from alharness.api.sampler import SamplerPlugin
from alharness.registry import Registered, Registry
from alharness.spec import schema
from alharness.spec.document import RawSpec, expand
from alharness.spec.settings import TrainingSettings
from alharness.spec.yamlfile import parse
from alharness.tracking.plugin import MlflowParams

ROOT = Path(__file__).parents[2]


class Inner(Params):
    depth: int = 1


class ToyParams(Params):
    path: SpecPath
    """Its folder;
    relative to the spec."""
    alpha: float = Field(0.5, ge=0, lt=1)
    mode: Literal["a", "b"] | None = None
    names: tuple[str, ...] = ("x",)
    times: dict[str, int] = Field(default_factory=dict)
    inner: Inner = Inner()
    flag: bool = False


class Opaque:
    pass


class OpaqueParams(Params, arbitrary_types_allowed=True):
    thing: Opaque | None = Field(None, description="no JSON schema for this")


def registered(plugin, distribution="toys"):
    return Registered(plugin=plugin, distribution=distribution, version="1.0", entry_point="toys")


@pytest.fixture
def installed():
    toy = SamplerPlugin(name="toy", params=ToyParams, make=ToyParams)
    plain = SamplerPlugin(name="plain", params=Params, make=Params)
    opaque = SamplerPlugin(name="opaque", params=OpaqueParams, make=Params)
    return Registry(
        samplers={"toy": registered(toy), "plain": registered(plain, "others"), "opaque": registered(opaque)},
        models={"net": registered(ModelPlugin(name="net", params=Params, make=Params))},
        datasets={"d": registered(DatasetPlugin(name="d", params=Params, inspect=Params, make=Params))},
    )


def references(node: Any):
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere(installed):
    made = schema.make_schema(installed)

    assert {r.removeprefix("#/$defs/") for r in references(made)} <= set(made["$defs"])
    assert "sampler-toy-Inner" in made["$defs"]


def test_the_name_decides_what_the_parameters_may_be(installed):
    conditions = schema.make_schema(installed)["$defs"]["SamplerChoice"]["allOf"]

    assert {
        "if": {"properties": {"name": {"const": "toy"}}, "required": ["name"]},
        "then": {"properties": {"params": {"$ref": "#/$defs/sampler-toy"}}, "required": ["params"]},
    } in conditions


def test_the_short_form_is_allowed(installed):
    *short, _, long = schema.make_schema(installed)["properties"]["samplers"]["items"]["anyOf"]

    assert short == [{"const": "opaque"}, {"const": "plain"}, {"const": "toy"}]
    assert long == {"$ref": "#/$defs/SamplerChoice"}


def test_other_distributions_can_be_left_out(installed):
    names = schema.make_schema(installed, ["toys"])["$defs"]["SamplerChoice"]["properties"]["name"]["anyOf"]

    assert names[:-1] == [{"const": "opaque"}, {"const": "toy"}]


def test_parameters_are_described():
    assert schema.describe(ToyParams) == [
        ("path", "path", "required", "Its folder; relative to the spec."),
        ("alpha", "number >= 0, < 1", "0.5", ""),
        ("mode", "a | b | null", "null", ""),
        ("names", "list of text", '["x"]', ""),
        ("times", "mapping", "computed", ""),
        ("inner", "mapping", '{"depth": 1}', ""),
        ("flag", "true | false", "false", ""),
    ]


def test_parameters_without_a_json_schema_are_described():
    ((name, kind, default, description),) = schema.describe(OpaqueParams)

    assert (name, default, description) == ("thing", "None", "no JSON schema for this")
    assert "Opaque" in kind


@pytest.fixture(scope="module")
def ours():
    manifests = [ROOT / "pyproject.toml", *(ROOT / "plugins").rglob("pyproject.toml")]
    names = [tomllib.loads(path.read_text())["project"]["name"] for path in manifests]
    return schema.make_schema(registry.load(), names)


def test_the_schema_in_the_repository_is_fresh(ours):
    """Otherwise: alharness schema --out specs/schema.json (with no other plugins installed)."""
    assert json.loads((ROOT / "specs" / "schema.json").read_text()) == ours


def test_every_field_has_a_description(ours):
    undescribed = [
        f"{definition}.{name}"
        for definition, content in ours["$defs"].items()
        for name, field in content.get("properties", {}).items()
        if not field.get("description")
    ]

    assert not undescribed


@pytest.fixture(scope="module")
def manual():
    return (ROOT / "docs" / "reference" / "spec.md").read_text()


def test_the_manual_names_every_field(ours, manual):
    sections = [
        "TrainingSettings",
        "ActiveLearningSettings",
        "ReferenceSettings",
        "PaperSettings",
        "tracker-mlflow",
        "TrackerChoice",
        "SamplerChoice",
    ]
    fields = set(ours["properties"]).union(*(ours["$defs"][section]["properties"] for section in sections))

    assert [field for field in sorted(fields) if f"| `{field}` |" not in manual] == []


@pytest.mark.parametrize("section", [TrainingSettings, MlflowParams])
def test_the_manual_tells_the_defaults(manual, section):
    rows = [f"| `{name}` | `{default}` | {text} |" for name, _, default, text in schema.describe(section)]

    assert [row for row in rows if row not in manual] == []


def test_the_example_of_the_manual_is_a_spec(manual):
    example = manual.partition("```yaml\n")[2].partition("```")[0]

    assert RawSpec.model_validate(expand(parse(example, "example").data), strict=True).name == "digits_quick"
