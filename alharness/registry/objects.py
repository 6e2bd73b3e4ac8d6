"""Plugins from plain Python: a class of samplers, models or trackers, an instance, a data set that is loaded."""

from __future__ import annotations

import copy
import inspect
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_type_hints

from alharness.api.dataset import Dataset, DatasetFacts, DatasetPlugin, split_sizes
from alharness.api.estimators import is_estimator
from alharness.api.estimators import plugin_of as plugin_of_estimator
from alharness.api.model import ModelPlugin
from alharness.api.params import Params
from alharness.api.sampler import Sampler, SamplerPlugin
from alharness.api.tracker import Tracker, TrackerPlugin
from alharness.api.vocabulary import PROVIDED, Feature, Task
from alharness.errors import PluginError, described

from .discovery import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

EXPECTED = {
    "sampler": "a Sampler or its class, or a SamplerPlugin",
    "model": "a class of MultimodalModel, an estimator of scikit-learn, a network of PyTorch, or a ModelPlugin",
    "dataset": "a Dataset, or a DatasetPlugin",
    "tracker": "a Tracker or its class, or a TrackerPlugin",
    "executor": "an ExecutorPlugin",
}
"""Kind -> the objects that are one, or become one."""


def kind_of(thing: Any) -> str:
    """The kind of plugin that an object is, or becomes; empty if it is none."""
    cls = thing if isinstance(thing, type) else type(thing)
    for kind, plugin in KINDS.items():
        if isinstance(thing, plugin):
            return kind
    network = sys.modules.get("alharness.api.network")  # a module that defines a model has imported it, and torch
    if network is not None and isinstance(thing, type) and issubclass(thing, network.MultimodalModel):
        return "model"
    if isinstance(thing, Dataset):
        return "dataset"
    if is_estimator(thing) or _is_network(thing):
        return "model"
    return "sampler" if issubclass(cls, Sampler) else "tracker" if issubclass(cls, Tracker) else ""


def _is_network(thing: Any) -> bool:
    """Whether an object is a network of PyTorch and no model of alharness."""
    torch, network = sys.modules.get("torch"), sys.modules.get("alharness.api.network")
    if torch is None or not isinstance(thing, torch.nn.Module):
        return False
    return network is None or not isinstance(thing, network.MultimodalModel)


def adapt(kind: str, thing: Any, name: str | None = None) -> Any:
    """The plugin that an object is, or becomes.

    Args:
        kind: a key of `KINDS`.
        thing: a plugin, a class or an object.
        name: what specs call it; None for the plugin's own name, or the name of the class.

    Raises:
        PluginError: it is of another kind, or its parameters cannot be read from its constructor.
    """
    cls = thing if isinstance(thing, type) else type(thing)
    if kind_of(thing) != kind:
        what = cls.__qualname__ if cls is thing else f"of type {cls.__qualname__}"
        hint = f"; a {kind} that is installed is named in the spec" if isinstance(thing, str) else ""
        if kind == "model" and cls is thing and (hasattr(cls, "fit") or hasattr(cls, "forward")):
            hint = f"; give an object, {cls.__qualname__}(...), in place of the class"
        raise PluginError(f"expected a {kind}, that is {EXPECTED[kind]}, but the object is {what}{hint}")
    if isinstance(thing, KINDS[kind]):
        return thing if name is None else replace(thing, name=name)
    summary = (vars(cls).get("__doc__") or "").strip().partition("\n")[0]
    if isinstance(thing, Dataset):
        if name is None:
            raise PluginError('a data set has no name of its own; give it one: datasets={"name": data_set}')
        facts = partial(_always, _facts(thing))
        return DatasetPlugin(name=name, params=Params, inspect=facts, make=partial(_always, thing))
    about: dict[str, Any] = {"name": name or cls.__name__, "summary": summary}
    if kind == "model":
        return _model(thing, about)
    if kind == "tracker":
        params, make = _constructor(cls) if cls is thing else (Params, partial(_always, thing))
        return TrackerPlugin(params=params, make=make, **about)
    params, make = _constructor(cls) if cls is thing else (Params, partial(_copied, thing))
    return SamplerPlugin(
        params=params,
        make=make,
        requires=getattr(cls, "requires", frozenset(Feature) - {Feature.TRUTH}),
        tasks=getattr(cls, "tasks", frozenset(Task)),
        **about,
    )


def _model(thing: Any, about: dict[str, Any]) -> ModelPlugin:
    """A plugin of a model, of an estimator, or of a network."""
    if is_estimator(thing):
        return plugin_of_estimator(thing, **about)
    if _is_network(thing):
        from alharness.api.plain import plugin_of as plugin_of_network

        return plugin_of_network(thing, about["name"])
    params, make = _constructor(thing)
    return ModelPlugin(
        params=params,
        make=make,
        provides=getattr(thing, "provides", PROVIDED),
        inputs=getattr(thing, "inputs", "pooled"),
        incomplete=getattr(thing, "incomplete", False),
        fits_itself=getattr(thing, "fits_itself", False),
        tasks=getattr(thing, "tasks", frozenset(Task)),
        **about,
    )


def _facts(dataset: Dataset) -> DatasetFacts:
    sizes = [len(part) for part in dataset.parts.values()]
    train, valid, test = sizes if len(sizes) > 1 else split_sizes(sizes[0], dataset.fractions, dataset.stretch)
    return DatasetFacts(
        task=dataset.task,
        modalities=dataset.modalities,
        sizes=(train, valid, test),
        synthetic=dataset.synthetic,
        incomplete=dataset.incomplete,
        truth=dataset.truth,
    )


class Arguments(Params):
    """What a constructor takes: it says no more of them than their names, types and defaults."""


def _constructor(cls: type[Any]) -> tuple[type[Params], Callable[..., Any]]:
    """Parameters as its constructor takes them, and what makes an object from these.

    A constructor that takes a `Params` gets it whole; so does a sampler without a constructor of its own, whose
    class annotates `params`. Otherwise each of its arguments is a parameter, with its annotation and its default.
    What the harness gives is none: the first argument of a model, and the argument `context` of a tracker.
    """
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise PluginError(f"the class {cls.__qualname__} is abstract: define {', '.join(missing)}")
    try:
        arguments = [*inspect.signature(cls).parameters.values()]
        hints = get_type_hints(cls.__init__)
        if cls.__init__ is Sampler.__init__:
            annotated = get_type_hints(cls)["params"]
            hints = {"params": Params if annotated is Any else annotated}
    except Exception as error:
        raise PluginError(
            f"the constructor of {cls.__qualname__} cannot be read ({described(error)}); offer a plugin instead"
        ) from error
    kind, context = kind_of(cls), False
    if kind == "model":
        arguments = arguments[1:]
    if kind == "tracker":
        context = "context" in {argument.name for argument in arguments}
        arguments = [argument for argument in arguments if argument.name != "context"]
    annotations = {argument.name: hints.get(argument.name, Any) for argument in arguments}
    match [*annotations.values()]:
        case [type() as only] if issubclass(only, Params):
            return only, partial(_construct, cls, arguments[0].name, context)
    for argument in arguments:
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD, argument.POSITIONAL_ONLY):
            raise PluginError(
                f"the constructor of {cls.__qualname__} takes {argument}; a spec can only name arguments: write "
                "each of them out"
            )
    from pydantic import create_model

    fields: dict[str, Any] = {
        argument.name: (
            annotations[argument.name],
            ... if argument.default is argument.empty else argument.default,
        )
        for argument in arguments
    }
    params = create_model(f"{cls.__name__}Params", __base__=Arguments, **fields)
    return params, partial(_construct, cls, None, context)


def _construct(cls: type[Any], whole: str | None, context: bool, params: Params, *given: Any) -> Any:
    """An object of the class.

    Args:
        cls: the class.
        whole: the argument that takes all parameters at once; None if each is an argument.
        context: whether a tracker takes its context.
        params: the parameters.
        given: the shape for a model, the context for a tracker.
    """
    arguments = {whole: params} if whole else {name: getattr(params, name) for name in type(params).model_fields}
    if issubclass(cls, Tracker):
        return cls(**arguments, **({"context": given[0]} if context else {}))
    return cls(*given, **arguments)


def _copied(thing: Any, _: Params) -> Any:
    """A fresh copy: what one cell does to it reaches no other."""
    return copy.deepcopy(thing)


def _always(value: Any, *_: Any) -> Any:
    return value
