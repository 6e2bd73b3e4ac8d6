"""The knobs of `worlds`, sets of them under a name, and which contradict each other. No heavy imports."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from alharness.api.params import Params
from alharness.api.vocabulary import Task
from alharness.datasets.arrays.params import check_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

Preset = Literal[
    "aligned",
    "conflicting",
    "duplicates",
    "imbalanced",
    "missing",
    "mixed",
    "neglect",
    "noisy",
    "outliers",
    "synergistic",
    "unique",
]

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "aligned": {},
    "conflicting": {"conflict": 0.4},
    "duplicates": {"duplicates": 0.7},
    "imbalanced": {"classes": 8, "imbalance": 20.0},
    "missing": {"missing": 0.4, "unique": 0.3},
    "mixed": {
        "unique": 0.3,
        "conflict": 0.2,
        "missing": 0.2,
        "imbalance": 5.0,
        "outliers": 0.1,
        "label_noise": 0.1,
        "duplicates": 0.3,
    },
    "neglect": {"unique": {"audio": 0.2, "vision": 0.2}, "signal": {"text": 1.5, "audio": 0.6, "vision": 0.6}},
    "noisy": {"label_noise": 0.3},
    "outliers": {"outliers": 0.3},
    "synergistic": {"synergistic": 0.6, "classes": 2, "topics": 1, "signal": 2.0},
    "unique": {"unique": 0.9},
}
"""Name -> what differs from the defaults."""

TRUTH = ("value", "original", "region", "duplicate", "outlier", "noisy_label", "conflict")
"""What is known of every sample; docs/reference/worlds.md says what each is."""

MODALITIES = ("text", "audio", "vision")
CLASSES = 4
EPSILON = 1e-9
MOST_VALUES = 10**9
"""Of all features, which would take 4 GB, and twice as much while they are made."""

Share = Annotated[float, Field(ge=0, le=1)]
Missing = Annotated[float, Field(ge=0, lt=1)]
Size = Annotated[float, Field(ge=0, le=100)]
Features = Annotated[int, Field(ge=1, le=10_000)]

Mechanism = Literal["completely_at_random", "at_random", "by_class"]


class WorldsParams(Params):
    """Parameters of `worlds`. Each number per modality is one for all of them, or a table of those that differ."""

    preset: Preset = "aligned"
    """Begin with these knobs; whatever else is given overrides them. `aligned`: nothing goes wrong."""

    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of the data, which has nothing to do with the seeds of a run."""

    task: Task = Task.CLASSIFICATION
    """`classification`, or `regression` of numbers between -1 and 1."""

    classes: int | None = Field(None, ge=2, le=1000)
    """Number of classes; 4 if this is left out."""

    modalities: Annotated[tuple[str, ...], AfterValidator(check_names)] = MODALITIES
    """Their names, which mean nothing."""

    pool: int = Field(2000, ge=10, le=10_000_000)
    """Samples that can be labeled."""
    valid: int = Field(300, ge=1, le=10_000_000)
    """Samples for early stopping."""
    test: int = Field(1000, ge=1, le=10_000_000)
    """Samples for evaluation. Like those for early stopping they are no outliers, and have right labels."""

    topics: int = Field(6, ge=1, le=1000)
    """Topics, in each of which a class looks partly different."""
    zipf: float = Field(1.0, ge=0, le=5)
    """Exponent of the topics' sizes: the k-th has a share proportional to k to the power of minus this."""

    features: Features | dict[str, Features] = 32
    """Features of a modality."""
    signal: Size | dict[str, Size] = 0.6
    """How loudly a modality shows what it shows, against everything else that its features hold."""
    noise: Size | dict[str, Size] = 0.5
    """Standard deviation of what is added to each feature by itself."""

    redundant: Share | None = None
    """Share of samples whose label every modality shows; what the other two shares leave, if this is left out."""
    unique: Share | dict[str, Share] = 0.0
    """Share of samples whose label one modality shows, and the others say nothing; a number is divided equally."""
    synergistic: Share = 0.0
    """Share of samples whose label two modalities show together, and neither of them alone."""
    between: tuple[str, str] | None = None
    """These two modalities; the first two if this is left out."""

    conflict: Share = 0.0
    """Share of samples in which one modality shows another label than that of the sample."""
    contradicting: dict[str, Annotated[float, Field(ge=0)]] | None = None
    """Which modality it is: weights; all are equally likely if this is left out."""

    missing: Missing | dict[str, Missing] = 0.0
    """Share of samples that lack a modality. A sample keeps at least one."""
    mechanism: Mechanism = "completely_at_random"
    """What decides which samples lack it: nothing; another modality, which is never missing (`at_random`); or the
    label (`by_class`), in each modality other classes."""

    imbalance: float = Field(1.0, ge=1, le=10_000)
    """How much more frequent the first class is than the last; in regression, labels near 1 than those near -1."""

    outliers: Share = 0.0
    """Share of the pool whose features are corrupted, and whose labels mean nothing."""
    label_noise: Share = 0.0
    """Share of the pool that has the label of another class; in regression, any other label."""
    duplicates: Share = 0.0
    """Share of the pool that are near copies of another sample."""
    copies: int = Field(10, ge=1, le=1000)
    """Near copies of a sample that has any."""

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, given: Any) -> Any:
        """What is given, over the knobs of the preset."""
        if not (isinstance(given, dict) and isinstance(preset := given.get("preset", "aligned"), str)):
            return given
        knobs = _renamed(PRESETS.get(preset, {}), given.get("modalities"))
        if given.get("task") == Task.REGRESSION:
            knobs.pop("classes", None)
        return {**knobs, **given}

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Raise ValueError for the first knob that contradicts another, saying what to change."""
        for wrong in self._contradictions():
            raise ValueError(wrong)
        return self

    def by_modality(self, knob: str) -> dict[str, Any]:
        """Modality -> its value of a knob that may be one for all."""
        value = getattr(self, knob)
        if not isinstance(value, dict):
            return dict.fromkeys(self.modalities, value)
        default = type(self).model_fields[knob].default
        return {modality: value.get(modality, default) for modality in self.modalities}

    @property
    def kinds(self) -> int:
        """Classes; 0 in regression."""
        return 0 if self.task == Task.REGRESSION else self.classes or CLASSES

    @property
    def shares(self) -> dict[str, float]:
        """Who shows the label -> share of samples: `redundant`, a modality, or `synergistic`. They sum to 1."""
        unique = self.by_modality("unique")
        if not isinstance(self.unique, dict):
            unique = {modality: share / len(unique) for modality, share in unique.items()}
        rest = max(1 - sum(unique.values()) - self.synergistic, 0.0)
        return {"redundant": rest, **unique, "synergistic": self.synergistic}

    @property
    def together(self) -> tuple[str, ...]:
        """The modalities that show synergistic labels."""
        return self.between or self.modalities[:2]

    @property
    def class_shares(self) -> tuple[float, ...]:
        """Of the classes; they fall geometrically."""
        powers = [self.imbalance ** (-k / (self.kinds - 1)) for k in range(self.kinds)]
        total = sum(powers)
        return tuple(power / total for power in powers)

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The modalities that samples may lack."""
        return tuple(m for m, rate in self.by_modality("missing").items() if rate > 0)

    def _contradictions(self) -> Iterator[str]:
        yield from self._names()
        yield from self._information()
        yield from self._conflicts()
        yield from self._absent()
        yield from self._spoilt()

    def _names(self) -> Iterator[str]:
        for name in ("redundant", "synergistic"):
            if name in self.modalities:
                yield f"a modality cannot be named {name!r}, which is a share of information: rename it"
        for knob in ("features", "signal", "noise", "unique", "contradicting", "missing", "between"):
            value = getattr(self, knob)
            for name in value if isinstance(value, dict | tuple) else ():
                if name not in self.modalities:
                    yield (
                        f"{knob} names the modality {name!r}, but there are {', '.join(self.modalities)}: "
                        f"leave it out of {knob}, or add it to modalities"
                    )

    def _information(self) -> Iterator[str]:
        shares, signals = self.shares, self.by_modality("signal")
        others = sum(share for name, share in shares.items() if name != "redundant")
        if others > 1 + EPSILON:
            yield (
                f"unique and synergistic are shares of the same samples, but sum to {others:g}: "
                f"lower them by {others - 1:g}"
            )
        if self.redundant is not None and not math.isclose(self.redundant, shares["redundant"], abs_tol=1e-6):
            yield (
                f"redundant, unique and synergistic must sum to 1, but sum to {self.redundant + others:g}: "
                f"set redundant to {shares['redundant']:g}, or leave it out"
            )
        if self.synergistic and len(set(self.together)) < 2:
            yield "synergistic needs two different modalities: add one to modalities, or name two in between"
        if self.between and not self.synergistic:
            yield "between says which modalities show synergistic labels, but synergistic is 0: raise it"
        silent = [m for m, signal in signals.items() if signal == 0]
        for modality in silent:
            needed = [f"unique.{modality}"] if shares[modality] else []
            needed += ["synergistic"] if self.synergistic and modality in self.together else []
            if needed:
                yield (
                    f"signal.{modality} is 0, so that it shows nothing, but {needed[0]} says that it does: raise "
                    f"signal.{modality}, or set {needed[0]} to 0"
                )
        if len(silent) == len(signals):
            yield "signal is 0 in every modality, so that nothing can be learned: raise it in one of them"

    def _conflicts(self) -> Iterator[str]:
        weights = self.contradicting
        if weights is not None and not self.conflict:
            yield "contradicting says which modality contradicts the others, but conflict is 0: raise it"
        if not self.conflict:
            return
        if len(self.modalities) < 2:
            yield "conflict needs a second modality to contradict: add one to modalities, or set conflict to 0"
        who = self.modalities if weights is None else [m for m, weight in weights.items() if weight > 0]
        if not who:
            yield "contradicting has no weight above 0: raise one, or leave contradicting out"
        if len(who) == 1 and self.shares[who[0]]:
            yield (
                f"only {who[0]} contradicts the others, but of a share of samples it alone shows the label: "
                f"give another modality a weight in contradicting, or set unique.{who[0]} to 0"
            )
        if self.conflict > 1 - self.synergistic + EPSILON:
            yield (
                f"conflict is {self.conflict:g}, but only redundant and unique samples have any, and those are "
                f"{1 - self.synergistic:g}: lower conflict or synergistic"
            )

    def _absent(self) -> Iterator[str]:
        rates = self.by_modality("missing")
        most = len(rates) - 1
        if sum(rates.values()) > most:
            yield (
                f"missing sums to {sum(rates.values()):g} over {len(rates)} modalities, so that samples would "
                f"have none: lower it, to a sum of {most} at most"
            )
        if self.mechanism == "at_random" and self.incomplete and len(self.incomplete) == len(rates):
            yield (
                "mechanism at_random lets a modality that is never missing decide, but all may be missing: "
                f"name those that may, such as missing: {{{self.modalities[-1]}: {rates[self.modalities[-1]]:g}}}"
            )
        if self.mechanism != "completely_at_random" and not self.incomplete:
            yield f"mechanism {self.mechanism} says what decides who lacks a modality, but missing is 0: raise it"

    def _spoilt(self) -> Iterator[str]:
        if self.task == Task.REGRESSION and self.classes is not None:
            yield "a regression has no classes: leave classes out, or set task to classification"
        if self.kinds and (rarest := min(self.class_shares) * self.pool) < 1:
            yield (
                f"the rarest of {self.kinds} classes would have {rarest:.2g} samples of the pool: raise pool, or "
                "lower imbalance or classes"
            )
        if self.kinds and self.label_noise > 1 - 1 / self.kinds + EPSILON:
            yield (
                f"label_noise is {self.label_noise:g}, but above {1 - 1 / self.kinds:g} the right one of "
                f"{self.kinds} classes is rarer than each wrong one: lower it"
            )
        if self.outliers + self.label_noise > 1 + EPSILON:
            yield (
                f"outliers and label_noise are different samples of the pool, but sum to "
                f"{self.outliers + self.label_noise:g}: lower one of them"
            )
        values = (self.pool + self.valid + self.test) * sum(self.by_modality("features").values())
        if values > MOST_VALUES:
            yield (
                f"the features would be {values:.2g} numbers, above {MOST_VALUES:.0e}: lower pool, valid, test "
                "or features"
            )
        if self.topics > self.pool:
            yield f"there are {self.topics} topics in a pool of {self.pool}: lower topics, or raise pool"
        needed = self.outliers + self.duplicates * (1 + 1 / self.copies)
        if needed > 1 + EPSILON:
            yield (
                f"outliers, near copies (duplicates) and the samples that are copied would be {needed:.3g} of the "
                "pool: lower outliers or duplicates, or raise copies"
            )


def _renamed(knobs: Mapping[str, Any], modalities: Any) -> dict[str, Any]:
    """A preset for other modalities: the first of them is what text is in it, and so on."""
    if not isinstance(modalities, list | tuple) or not all(isinstance(name, str) for name in modalities):
        return dict(knobs)
    names = dict(zip(MODALITIES, modalities, strict=False))
    return {
        knob: {names[m]: number for m, number in value.items() if m in names} if isinstance(value, dict) else value
        for knob, value in knobs.items()
    }
