"""The structure of a spec, before its plugins have looked at their own parameters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
)

from alharness.api.plan import FULL_DATA, Statistics
from alharness.registry.discovery import NAME, PLUGIN, called, misnamed

from .settings import (
    ActiveLearningSettings,
    LimitsSettings,
    PaperSettings,
    RandomSettings,
    ReferenceSettings,
    Section,
    SeedSettings,
    TrainingSettings,
)

if TYPE_CHECKING:
    from .yamlfile import Keys


def _well_named(name: str, *, plugin: bool = False) -> str:
    if problem := misnamed(name, plugin=plugin):
        raise ValueError(problem)
    return name


Name = Annotated[str, AfterValidator(_well_named), WithJsonSchema({"type": "string", "pattern": NAME})]
PluginName = Annotated[
    str,
    AfterValidator(partial(_well_named, plugin=True)),
    WithJsonSchema({"type": "string", "pattern": PLUGIN}),
]

DEFAULT_MODEL, DEFAULT_TRACKER = "late_fusion", "mlflow"
MAX_SEEDS = 10_000


class Choice(Section):
    """A plugin and its parameters; its name alone is short for `{name: ...}`."""

    name: PluginName
    """Name of an installed plugin; `alharness plugins` lists them."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Its parameters; `alharness plugins NAME` lists them."""


class ModelChoice(Choice):
    """The task model and its parameters; its name alone is short for `{name: ...}`."""

    name: PluginName = DEFAULT_MODEL
    """Name of an installed model; `alharness plugins` lists them."""


class SamplerChoice(Choice):
    """A sampler and its parameters; its name alone is short for `{name: ...}`."""

    label: Name | None = None
    """What it is called in tables and plots; null takes its name, with '-' for a '/'. Unique in the
    spec."""


class InitialChoice(Choice):
    """The sampler that chooses the initial pool, and its parameters; its name alone is short for `{name: ...}`."""

    name: PluginName
    """Name of an installed sampler that reads inputs alone; `random` draws the pool, as without this."""


class TrackerChoice(Choice):
    """A tracker and its parameters; its name alone is short for `{name: ...}`."""

    name: PluginName = DEFAULT_TRACKER
    """Name of an installed tracker, or `none`; `alharness plugins` lists them."""


def trackers(tracking: Any) -> dict[Keys, Any]:
    """The trackers of a spec, by their paths below `tracking`, in their long form.

    There may be one or a list of them, and the parameters of the default tracker may be written without `params`.
    """

    def long(entry: Any) -> Any:
        if not isinstance(entry, dict):
            return entry
        whole = entry if entry.keys() & {"name", "params"} else {"params": entry}
        return {"name": DEFAULT_TRACKER} | whole

    if isinstance(tracking, list):
        return {(index,): long(entry) for index, entry in enumerate(tracking)}
    return {(): long(tracking)}


def _kind_of_seeds(value: Any) -> str:
    if isinstance(value, list):
        return "list"
    return "rule" if isinstance(value, dict | SeedSettings) else "count"


Trackers = Annotated[list[TrackerChoice], BeforeValidator(lambda value: list(trackers(value).values()))]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Seeds = Annotated[
    Annotated[Annotated[int, Field(ge=1, le=MAX_SEEDS)], Tag("count")]
    | Annotated[Annotated[list[Seed], Field(min_length=1, max_length=MAX_SEEDS)], Tag("list")]
    | Annotated[SeedSettings, Tag("rule")],
    Discriminator(_kind_of_seeds),
]


class RawSpec(Section):
    """One data set, one model, and every sampler with every seed."""

    model_config = ConfigDict(title="Spec")

    name: Name
    """Name of the spec; its run directory begins with it."""
    dataset: Choice
    """The data set."""
    model: ModelChoice = ModelChoice()
    """The task model, trained from scratch in every cycle."""
    training: TrainingSettings = TrainingSettings()
    """How it is trained."""
    active_learning: ActiveLearningSettings
    """How many labels are bought, and when."""
    initial: InitialChoice | None = None
    """The sampler that chooses the initial pool, the same for all samplers; null draws it at random."""
    seeds: Seeds = 5
    """A number n for the seeds 0 to n - 1, a list of distinct seeds, or `{until: decided, ...}`."""
    samplers: Annotated[list[SamplerChoice], Field(min_length=1, max_length=1000)]
    """The samplers to compare."""
    random: RandomSettings = RandomSettings()
    """How often Random runs within a seed."""
    statistics: Statistics = "blocks"
    """Whose noise a test of a difference takes: that of all samplers (`blocks`), or that of its own two alone
    (`paired_t`)."""
    reference: ReferenceSettings = ReferenceSettings()
    """What the samplers are compared with."""
    paper: PaperSettings | None = None
    """Figures of a paper, shown next to ours if the data are real."""
    limits: LimitsSettings = LimitsSettings()
    """What an attempt at a cell may take."""
    tracking: Trackers = Field(default_factory=lambda: [TrackerChoice()])
    """What keeps the results outside the run directory: a tracker, a list of them, or `none`."""
    strict: bool = False
    """Refuse the spec if a sampler cannot run with its data set and model, instead of skipping it."""

    @field_validator("seeds", mode="before")
    @classmethod
    def _seeds_that_stop_say_so(cls, seeds: Any) -> Any:
        if isinstance(seeds, dict) and "until" not in seeds:
            raise ValueError(
                f"{', '.join(map(str, seeds)) or 'a mapping'} without until: add `until: decided`, or write the "
                "number of seeds alone"
            )
        return seeds

    @field_validator("seeds")
    @classmethod
    def _seeds_are_distinct(cls, seeds: int | list[int] | SeedSettings) -> int | list[int] | SeedSettings:
        if isinstance(seeds, list) and len(set(seeds)) < len(seeds):
            twice = next(seed for seed in seeds if seeds.count(seed) > 1)
            raise ValueError(f"the seed {twice} is listed twice; list each seed once")
        return seeds

    @field_validator("samplers")
    @classmethod
    def _labels_are_distinct(cls, samplers: list[SamplerChoice]) -> list[SamplerChoice]:
        first: dict[str, int] = {}
        for index, sampler in enumerate(samplers):
            label = sampler.label or called(sampler.name)
            if label == FULL_DATA:
                raise ValueError(f"entry {index} is labeled {label!r}, which is the reference's; choose another")
            if first.setdefault(label, index) != index:
                raise ValueError(
                    f"entries {first[label]} and {index} are both labeled {label!r}; "
                    f"give one another label: {{name: {sampler.name}, label: ...}}"
                )
        return samplers


class WrittenSpec(RawSpec):
    """What a file may hold: a spec, or what several are made of."""

    extends: str | None = None
    """A spec that this one begins with: a path from this file, or the name of one that alharness ships."""
    matrix: dict[str, list[Any]] | None = None
    """Path of a value to the values that it takes: a setting is made of each combination."""


def choice(value: Any) -> Any:
    """A bare name as `{name: ...}`; anything else as it is."""
    return {"name": value} if isinstance(value, str) else value


def expand(data: dict[str, Any]) -> dict[str, Any]:
    """The same data without short forms: each bare name as `{name: ...}`, and the model named."""
    expanded = data | {"model": choice(data.get("model", {}))}
    if isinstance(expanded["model"], dict):
        expanded["model"] = {"name": DEFAULT_MODEL} | expanded["model"]
    if "dataset" in data:
        expanded["dataset"] = choice(data["dataset"])
    if "initial" in data:
        expanded["initial"] = choice(data["initial"])
    if isinstance(samplers := data.get("samplers"), list):
        expanded["samplers"] = [choice(sampler) for sampler in samplers]
    if "tracking" in data:
        tracking = data["tracking"]
        expanded["tracking"] = [choice(t) for t in tracking] if isinstance(tracking, list) else choice(tracking)
    return expanded
