"""`alharness.select`: which samples to label next, in one call."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import registry
from alharness.api.dataset import Dataset, DatasetFacts
from alharness.api.metrics import metrics_of
from alharness.api.samples import Samples, Splits
from alharness.api.vocabulary import Task
from alharness.errors import DataError, HarnessWarning, SpecError
from alharness.spec import Spec
from alharness.spec.executor import choose as choose_plugin
from alharness.spec.plan import TOO_FEW, make_plan

from .frames import to_inputs, to_labels
from .settings import usual_model, usual_sampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alharness.api.plan import Plan
    from alharness.api.sampler import SamplerPlugin
    from alharness.api.samples import Inputs
    from alharness.spec import Chosen

    from .frames import Labels

DATA, OWN = "data", "own"
"""What a data set, and a sampler or model that is an object, are called in messages."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Selected:
    """What to label next.

    Attributes:
        positions: (n,) rows of X, the first choice first.
        ids: of the same samples.
        scores: (n,) that they were chosen by; empty if the sampler does not score.
        guesses: (n,) what the model takes them for: classes as they were given, or numbers.
        probabilities: (n,) of these classes; empty in regression.
        diagnostics: what the sampler logged.
        cost: seconds and MiB of training and query, by name.

    >>> import numpy as np
    >>> from alharness import select
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> y = [int(row[0] > 0) if number < 10 else None for number, row in enumerate(x)]
    >>> chosen = select(x, y, sampler="margin", n=5)
    >>> len(chosen), bool(chosen.positions.min() >= 10)
    (5, True)
    """

    positions: NDArray[np.int64]
    ids: tuple[str, ...]
    scores: NDArray[np.float64]
    guesses: tuple[Any, ...]
    probabilities: NDArray[np.float64]
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.positions)

    def __repr__(self) -> str:
        """In short; `table` has all of it."""
        some = ", ".join(self.ids[:5]) + (", ..." if len(self) > 5 else "")
        return f"Selected({len(self)} samples: {some})"

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each sample: id, position, rank, and what is known of score, guess and probability."""
        import pandas as pd

        columns: dict[str, Any] = {"id": self.ids, "position": self.positions, "rank": range(1, len(self) + 1)}
        optional: dict[str, Any] = {
            "score": self.scores,
            "guess": list(self.guesses),
            "probability": self.probabilities,
        }
        return pd.DataFrame(columns | {name: values for name, values in optional.items() if len(values)})

    def _repr_html_(self) -> str:
        """In a notebook."""
        html: str = self.table.to_html(index=False)
        return html


def select(
    X: Any,
    y: Any = None,
    *,
    n: int,
    sampler: Any = None,
    params: Mapping[str, Any] | None = None,
    model: Any = None,
    model_params: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    task: Task | str | None = None,
    classes: Sequence[Any] | None = None,
    ids: Sequence[Any] | None = None,
    seed: int = 0,
) -> Selected:
    """Train a model on the samples that have labels, and choose n of the others to be labeled next.

    Without any label a sampler that reads inputs alone chooses them, such as `typiclust`; others leave it to
    chance.

    >>> import numpy as np
    >>> from alharness import select
    >>> x = {"text": np.eye(6), "image": np.ones((6, 2))}
    >>> len(select(x, [0, 1, None, None, None, None], sampler="coreset", n=2))
    2

    Args:
        X: a row for each sample: an array (n, d), or (n, t, d) for sequences, a data frame with columns of
            numbers, a tensor; or a mapping of names of modalities to these.
        y: a label for each sample; None, NaN or an empty text for those without one. None for no labels at all.
        n: samples to choose.
        sampler: the name of an installed one, a class or an object; None for `badge`, or `coreset` for numbers.
        params: parameters of the named sampler, as in a spec.
        model: the same of the model, an estimator of scikit-learn, or a network of PyTorch that ends in a linear
            layer; None for `linear`, or `late_fusion` if the sampler needs what that does not provide.
        model_params: parameters of the named model.
        training: how it is trained, as in a spec.
        task: `classification` or `regression`; None to go by the labels.
        classes: all classes, if some have no label yet.
        ids: distinct names of the samples; by default the index of a data frame, or the numbers of the rows.
        seed: of every random stream.

    Raises:
        HarnessError: an argument is wrong, or the model or the sampler failed; says what to do.
    """
    if isinstance(n, bool) or not hasattr(n, "__index__") or int(n) < 1:
        raise SpecError(f"n: expected a whole number from 1 on, and not {n!r:.60}")
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= int(seed) < 2**32:
        raise SpecError(f"seed: expected a whole number from 0 to 2**32 - 1, and not {seed!r:.60}")
    inputs = to_inputs(X, ids if ids is not None else _index(X))
    labels = to_labels(y, len(inputs), task, classes)
    labeled = np.flatnonzero(labels.known)
    if (left := len(inputs) - len(labeled)) < int(n):
        raise DataError(
            f"n: {int(n):,} samples are asked for, and {left:,} have no label"
            + ("; choose fewer" if left else ": nothing is left to label")
            + ("; -1 is a class: write None for a sample without a label" if -1 in labels.classes else "")
        )
    if sampler is None:
        sampler = usual_sampler(labels.task)
    own = {} if isinstance(sampler, str) else {OWN: sampler}
    installed = registry.load(extras=registry.Extras.collect(samplers=own))
    chosen = choose_plugin(installed.sampler(_name(sampler)), params, f"sampler {_name(sampler)}")
    if not len(labeled):
        return _start(inputs, chosen, int(n), int(seed), labels)
    if model is None:
        model = usual_model(chosen.plugin.features(chosen.params), installed)
    samples = Samples(inputs=inputs, labels=labels.values)
    spec, plan = _planned(
        samples,
        labels,
        {
            "model": {"name": _name(model), "params": dict(model_params or {})},
            "training": {"valid": "none", **(training or {})},
            "samplers": [{"name": _name(sampler), "params": dict(params or {})}],
            "seeds": [int(seed)],
            "active_learning": {"initial_pool": len(labeled), "budget": int(n), "cycles": 1},
        },
        samplers=own,
        models={} if isinstance(model, str) else {OWN: model},
    )
    for text in plan.warnings:
        if text != TOO_FEW:
            _warn(text)
    from alharness.runs.setup import Setup

    from .asking import Known, ask_once
    from .starting import make_sampler

    setup = Setup(
        Dataset(task=labels.task, content=samples, classes=labels.names, stored_digest=DATA),
        spec.model.plugin,
        spec.model.params,
        spec.training,
        plan.schedule,
    )
    (cell,) = plan.cells
    known = Known(
        samples=samples,
        batches=(tuple(labeled.tolist()),),
        classes=labels.names,
        metrics=metrics_of(labels.task),
    )
    answer = ask_once(
        setup.trainer,
        known,
        make_sampler(chosen, _warn),
        size=int(n),
        seed=int(seed),
        batch=spec.training.inference_batch,
        features=chosen.plugin.features(chosen.params),
        who=cell.who,
        warn=_warn,
    )
    guesses = [labels.classes[int(g)] if labels.classes else float(g) for g in answer.guesses]
    return Selected(
        positions=answer.positions,
        ids=answer.record.chosen,
        scores=np.array(answer.scores),
        guesses=tuple(guesses),
        probabilities=answer.probabilities,
        diagnostics=answer.record.diagnostics,
        cost=answer.record.cost,
    )


def _planned(samples: Samples, labels: Labels, document: dict[str, Any], **objects: Any) -> tuple[Spec, Plan]:
    """The call as a spec, with everything checked that a spec is checked for. Raises SpecError and its like."""
    if labels.task == Task.CLASSIFICATION and len(labels.classes) < 2:
        raise DataError(
            f"y: all labels are {labels.classes[0]!r:.60}; a model needs two classes or more: label "
            "some of another, or name all classes with classes=[...]"
        )
    nothing = samples.take(np.zeros(0, np.int64))
    content = Splits(train=samples, valid=nothing, test=nothing)
    dataset = Dataset(task=labels.task, content=content, classes=labels.names, stored_digest=DATA)
    spec = Spec.load(
        {"name": "select", "dataset": DATA, "tracking": "none", **document}, datasets={DATA: dataset}, **objects
    )
    facts = DatasetFacts(task=labels.task, modalities=samples.inputs.modalities, sizes=(len(samples), 0, 0))
    return spec, make_plan(spec, facts=facts)


def _start(inputs: Inputs, chosen: Chosen[SamplerPlugin], n: int, seed: int, labels: Labels) -> Selected:
    """The first samples: of a sampler that reads inputs alone, otherwise at random."""
    from alharness.engine.initial import READABLE

    from .starting import first_batch

    features = chosen.plugin.features(chosen.params)
    positions, scores = first_batch(
        chosen if features and features <= READABLE else None,
        inputs,
        size=n,
        seed=seed,
        task=labels.task,
        classes=labels.names,
        warn=_warn,
    )
    return Selected(
        positions=np.array(positions, np.int64),
        ids=tuple(inputs.ids[position] for position in positions),
        scores=np.array(scores, np.float64),
        guesses=(),
        probabilities=np.zeros(0),
    )


def _name(thing: Any) -> str:
    return thing if isinstance(thing, str) else OWN


def _index(given: Any) -> Any:
    """The index of a data frame, if it is one with distinct names."""
    index = getattr(given, "index", None)
    return index if hasattr(given, "select_dtypes") and index is not None and index.is_unique else None


def _warn(text: str) -> None:
    import warnings

    warnings.warn(text, HarnessWarning, stacklevel=3)
