"""Typed sections of a spec. Light: each is read by the module that its name says, which may be heavy."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from alharness.api.params import Documented
from alharness.text.numbers import read_bytes, read_seconds


class Section(Documented):
    """A section of a spec: typed, frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


class TrainingSettings(Section):
    """How the task model is trained, the same for every sampler and every cycle."""

    epochs: int = Field(60, ge=1, le=100_000)
    """Most passes over the labeled samples."""
    batch_size: int = Field(32, ge=1, le=1_000_000)
    """Samples per optimizer step."""
    learning_rate: float | None = Field(None, gt=0, le=10)
    """Step size for all parameters, instead of those of the model's own recipe; null keeps the recipe."""
    weight_decay: float | None = Field(None, ge=0, le=10)
    """Weight decay for all parameters, instead of those of the model's own recipe; null keeps the recipe."""
    patience: int = Field(20, ge=1, le=100_000)
    """Stop after this many epochs without a better validation score; the best epoch's weights are kept."""
    stop_on: Literal["metric", "loss"] = "metric"
    """The validation score: the ranking metric of the fused head, or the model's loss over all heads."""
    valid: Literal["full", "none"] | Annotated[str, StringConstraints(pattern=r"^budgeted:[1-9][0-9]{0,8}$")] = (
        "full"
    )
    """Validation samples for early stopping: `full`, `budgeted:n` (n of them, drawn per seed), or `none`."""
    count_val_in_budget: bool = False
    """Count these validation samples as labels wherever results are shown. It changes no result, and nothing that
    is bought."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Device for training and queries; `auto` takes a GPU if there is one."""
    threads: int = Field(1, ge=1, le=1024)
    """CPU threads while training. A small network is fastest with one, and its weights then do not depend on
    the number of cores; queries use all cores."""
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"
    """Arithmetic of training: `tf32` on a GPU that has it, or mixed with `bfloat16`. Both round more, so that
    results are no longer those of `float32`, which evaluation and queries always are."""
    inference_batch: int = Field(4096, ge=1, le=10_000_000)
    """Samples per batch without gradients: evaluation and inference over the pool."""

    @property
    def of_epochs(self) -> list[str]:
        """Settings that were given, and serve only models that are trained in epochs."""
        names = ("epochs", "batch_size", "learning_rate", "weight_decay", "patience", "stop_on")
        return [name for name in names if name in self.model_fields_set]

    @property
    def recipe(self) -> dict[str, Any]:
        """What a fit depends on: all of it but how labels are counted."""
        return self.model_dump(exclude={"count_val_in_budget"})


class ActiveLearningSettings(Section):
    """How many labels are bought, and when."""

    initial_pool: int = Field(ge=1, le=10**9)
    """Labels at cycle 0, drawn at random or chosen by `initial`, the same for every sampler of a seed."""
    budget: int = Field(ge=1, le=10**9)
    """Labels bought per cycle."""
    cycles: int = Field(ge=1, le=100_000)
    """Number of queries."""


class RandomSettings(Section):
    """How often Random, with which all samplers are compared, runs."""

    replicates: Annotated[int, Field(ge=1, le=100)] | Literal["auto"] = 1
    """Runs of Random within a seed, from the same split and initial pool but with other draws. Its curve in a seed
    is their mean, so that its noise enters each comparison less. `auto`: the root of the number of other
    samplers."""


class SeedSettings(Section):
    """Seeds that run until the comparisons are decided."""

    until: Literal["decided"]
    """After each block of seeds every sampler is compared with Random, by intervals that hold although they are
    looked at again and again. A sampler that is decided stops."""
    at_least: int = Field(5, ge=3, le=1000)
    """Seeds before the first look, from 3 on: a test needs them."""
    at_most: int = Field(50, ge=3, le=1000)
    """Seeds after which whatever is undecided stays so. It may be raised later."""
    block: int = Field(5, ge=1, le=1000)
    """Seeds between two looks."""
    margin: float | None = Field(None, gt=0)
    """A difference that does not matter, in units of the ranking metric: an interval within ± margin
    decides that there is no relevant difference. Null: only differences decide."""
    confidence: float = Field(0.95, ge=0.5, le=0.9999)
    """With which all intervals of all looks hold, together."""
    pairs: Literal["random", "all"] = "random"
    """What is compared: every sampler with Random, or all samplers with each other."""

    @field_validator("at_most")
    @classmethod
    def _not_below_at_least(cls, at_most: int, info: ValidationInfo) -> int:
        if at_most < info.data.get("at_least", 0):
            raise ValueError(f"fewer than at_least, which is {info.data['at_least']}; raise it")
        return at_most


class ReferenceSettings(Section):
    """What the samplers are compared with."""

    full_data: bool = False
    """Train once per seed with all labels of the pool: the line that no choice of samples is expected to pass."""


class PaperSettings(Section):
    """Figures of a paper, shown next to ours if the data are real."""

    source: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    """The paper, and the table or figure."""
    labels: int | None = Field(None, ge=1)
    """Number of labels that its figures belong to; null for the last cycle."""
    values: dict[str, dict[str, float]] = Field(min_length=1)
    """Label of a sampler of this spec, or `full-data`, to metric, to figure. Write percentages as shares: 0.82."""


Seconds = Annotated[
    float,
    BeforeValidator(read_seconds),
    Field(gt=0, le=10**9),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 10**9},
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(s|m|h|d)$"},
            ]
        }
    ),
]
Bytes = Annotated[
    int,
    BeforeValidator(read_bytes),
    Field(ge=2**20, le=2**60),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 2**20, "maximum": 2**60},
                {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?([KMGT]i?B|B)$"},
            ]
        }
    ),
]


class LimitsSettings(Section):
    """What may be taken. No part of a result: the next run tries again what was ended."""

    cell_timeout: Seconds | None = None
    """Most time for an attempt at a cell, in seconds or as `90s`, `30m`, `2h`, `1d`; null for no limit."""
    memory: Bytes | None = None
    """Most memory of a worker, as `512MiB` or `4GiB`, without what it maps from files; null for no limit."""
    max_cells: int = Field(10_000, ge=1, le=1_000_000)
    """Most cells of a spec, in all settings of its matrix together; what asks for more is refused."""
