"""Estimators of scikit-learn, or objects that follow its rules, as models: what they predict, and what they offer.

scikit-learn is imported when one is asked about; torch, when a model is made.
"""

from __future__ import annotations

import inspect
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from alharness.errors import SpecError, described
from alharness.text.words import did_you_mean

from .make import Imported
from .model import ModelPlugin
from .params import Params
from .vocabulary import Feature, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .dataset import DatasetFacts
    from .network import MultimodalModel
    from .vocabulary import ModelShape

CHANCES = ("predict_proba", "decision_function")
"""What an estimator may have to say how sure it is of each class; the first that it has is used."""


def made(path: str, params: Mapping[str, Any]) -> Any:
    """A fresh estimator of scikit-learn.

    Args:
        path: `sklearn.ensemble:RandomForestClassifier`: only what such a package lists in `__all__` is made.
        params: of its constructor.

    Raises:
        SpecError: there is no such estimator, or it has no such parameters.
    """
    from sklearn.base import BaseEstimator

    module, name = path.split(":")
    try:
        package = import_module(module)
    except ImportError as error:
        raise SpecError(f"there is no module {module!r}: {described(error)}") from None
    known = [
        key
        for key in getattr(package, "__all__", ())
        if inspect.isclass(found := getattr(package, key, None)) and issubclass(found, BaseEstimator)
    ]
    if name not in known:
        raise SpecError(f"{module} has no estimator {name!r}{did_you_mean(name, known)}")
    kind = getattr(package, name)
    allowed = list(inspect.signature(kind).parameters)
    for key in params:
        if key not in allowed:
            raise SpecError(f"{name} has no parameter {key!r}{did_you_mean(key, allowed)}")
    try:
        estimator = kind(**params)
        if check := getattr(estimator, "_validate_params", None):  # what its `fit` does first
            check()
    except Exception as error:  # noqa: BLE001 - what it raises is not one kind
        raise SpecError(f"{name} cannot be made: {described(error)}") from None
    return estimator


class EstimatorParams(Params):
    """What can be chosen about an estimator that is given as an object.

    >>> from alharness.api.estimators import EstimatorParams
    >>> EstimatorParams(standardize=False)
    EstimatorParams(standardize=False)
    """

    standardize: bool = True
    """Give the estimator inputs with mean 0 and deviation 1 over the labeled samples."""


def is_estimator(thing: object) -> bool:
    """Whether an object fits and predicts as estimators do. Imports nothing.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from alharness.api.estimators import is_estimator
    >>> is_estimator(DecisionTreeClassifier()), is_estimator(DecisionTreeClassifier)
    (True, False)
    """
    methods = ("fit", "predict", "get_params", "set_params")
    return not inspect.isclass(thing) and all(callable(getattr(thing, method, None)) for method in methods)


def plugin_of(estimator: Any, name: str, summary: str = "") -> ModelPlugin:
    """An estimator as a model that a spec can name.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from alharness.api.estimators import plugin_of
    >>> plugin = plugin_of(DecisionTreeClassifier(), "tree")
    >>> print(*sorted(plugin.features(plugin.params())))
    embeddings predictions representations
    """
    return ModelPlugin(
        name=name,
        params=EstimatorParams,
        make=partial(make, estimator),
        provides=partial(_features, estimator),
        inputs="pooled",
        incomplete=True,
        fits_itself=True,
        review=partial(_review, estimator),
        summary=summary,
    )


def make(estimator: Any, params: EstimatorParams, shape: ModelShape) -> MultimodalModel:
    """A model that fits copies of an estimator."""
    found: MultimodalModel = Imported("alharness.models.sklearn.network:Estimated", "the model")(
        estimator, params, shape
    )
    return found


def task_of(estimator: Any) -> Task | None:
    """What an estimator predicts; None for anything else, such as clusters."""
    from sklearn.base import is_classifier, is_regressor

    try:
        kinds = {Task.CLASSIFICATION: is_classifier(estimator), Task.REGRESSION: is_regressor(estimator)}
    except AttributeError:  # of a library that derives from nothing of scikit-learn
        kind = getattr(estimator, "_estimator_type", "")
        kinds = {Task.CLASSIFICATION: kind == "classifier", Task.REGRESSION: kind == "regressor"}
    return next((task for task, served in kinds.items() if served), None)


def features_of(estimator: Any) -> frozenset[Feature]:
    """What a sampler can have from a model of it: inputs as representations, and predictions if it has chances."""
    offered = {Feature.EMBEDDINGS, Feature.REPRESENTATIONS}
    if task_of(estimator) == Task.REGRESSION or any(hasattr(estimator, method) for method in CHANCES):
        offered.add(Feature.PREDICTIONS)
    return frozenset(offered)


def require_task(estimator: Any, task: Task) -> None:
    """Raise SpecError if an estimator does not serve this task."""
    if (found := task_of(estimator)) != task:
        what = "classifier" if task == Task.CLASSIFICATION else "regressor"
        kind = {
            Task.CLASSIFICATION: "a classifier",
            Task.REGRESSION: "a regressor",
            None: "neither a classifier nor a regressor",
        }[found]
        raise SpecError(
            f"{type(estimator).__name__} is {kind}, and the data set is {task}; choose a {what}, such as "
            f"sklearn.ensemble:RandomForest{what.capitalize()}"
        )


def _features(estimator: Any, _: Params) -> frozenset[Feature]:
    return features_of(estimator)


def _review(estimator: Any, _: Params, facts: DatasetFacts) -> list[str]:
    require_task(estimator, facts.task)
    return []
