"""Plugins from plain Python: a class of samplers or models, an instance, a data set that is loaded already."""

from __future__ import annotations

import copy
import inspect
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, get_type_hints

from alharness.api.dataset import Dataset, DatasetFacts, DatasetPlugin, split_sizes
from alharness.api.model import ModelPlugin
from alharness.api.params import Params
from alharness.api.sampler import Sampler, SamplerPlugin
from alharness.api.samples import Splits
from alharness.api.tracker import TrackerPlugin
from alharness.api.vocabulary import Feature, Task
from alharness.errors import PluginError, described

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Kind:
    """A kind of plugin, and the objects that become one.

    Attributes:
        plugin: the class of its plugins.
        expected: the objects that become a plugin, for messages.
        recognizes: whether an object is one of these.
        convert: (object, name) -> plugin.
    """

    plugin: type[Any]
    expected: str
    recognizes: Callable[[Any], bool]
    convert: Callable[[Any, str], Any]


def adapt(kind: str, thing: Any, name: str | None = None) -> Any:
    """The plugin that an object is, or becomes.

    Args:
        kind: a key of `KINDS`.
        thing: a plugin, a class or an object.
        name: what specs call it; None for the plugin's own name, or the name of the class.

    Raises:
        PluginError: it is none of these, or its parameters cannot be read from its constructor.
    """
    known = KINDS[kind]
    if not known.recognizes(thing):
        _refuse(kind, thing)
    if isinstance(thing, known.plugin):
        return thing if name is None else replace(thing, name=name)
    if name is None:
        if isinstance(thing, Dataset):
            raise PluginError('a data set has no name of its own; give it one: datasets={"name": data_set}')
        name = (thing if isinstance(thing, type) else type(thing)).__name__
    return known.convert(thing, name)


def _refuse(kind: str, thing: Any) -> NoReturn:
    what = thing.__qualname__ if isinstance(thing, type) else f"of type {type(thing).__qualname__}"
    hint = f"; a {kind} that is installed is named in the spec" if isinstance(thing, str) else ""
    raise PluginError(f"expected a {kind}, that is {KINDS[kind].expected}, but the object is {what}{hint}")


def _sampler(thing: Any, name: str) -> SamplerPlugin:
    cls = thing if isinstance(thing, type) else type(thing)
    if isinstance(thing, type):
        params, make = _constructor(thing, given=0)
    else:
        params, make = Params, partial(_copied, thing)
    return SamplerPlugin(
        name=name,
        params=params,
        make=make,
        requires=getattr(cls, "requires", frozenset(Feature)),
        tasks=getattr(cls, "tasks", frozenset(Task)),
        summary=_first_line(cls),
    )


def _model(thing: type[Any], name: str) -> ModelPlugin:
    params, make = _constructor(thing, given=1)
    return ModelPlugin(
        name=name,
        params=params,
        make=make,
        provides=getattr(thing, "provides", frozenset(Feature)),
        inputs=getattr(thing, "inputs", "pooled"),
        tasks=getattr(thing, "tasks", frozenset(Task)),
        summary=_first_line(thing),
    )


def _dataset(thing: Dataset, name: str) -> DatasetPlugin:
    content = thing.loaded
    if isinstance(content, Splits):
        sizes = len(content.train), len(content.valid), len(content.test)
    else:
        sizes = split_sizes(len(content), thing.fractions)
    facts = DatasetFacts(task=thing.task, modalities=thing.modalities, sizes=sizes, synthetic=thing.synthetic)
    return DatasetPlugin(name=name, params=Params, inspect=partial(_always, facts), make=partial(_always, thing))


def _is_sampler(thing: Any) -> bool:
    return isinstance(thing, Sampler | SamplerPlugin) or (inspect.isclass(thing) and issubclass(thing, Sampler))


def _is_model(thing: Any) -> bool:
    if isinstance(thing, ModelPlugin):
        return True
    network = sys.modules.get("alharness.api.network")  # a module that defines a model has imported it, and torch
    return network is not None and inspect.isclass(thing) and issubclass(thing, network.MultimodalModel)


KINDS = {
    "sampler": Kind(SamplerPlugin, "a Sampler or its class, or a SamplerPlugin", _is_sampler, _sampler),
    "model": Kind(ModelPlugin, "a class of MultimodalModel, or a ModelPlugin", _is_model, _model),
    "dataset": Kind(
        DatasetPlugin,
        "a Dataset, or a DatasetPlugin",
        lambda thing: isinstance(thing, Dataset | DatasetPlugin),
        _dataset,
    ),
    "tracker": Kind(
        TrackerPlugin, "a TrackerPlugin", lambda thing: isinstance(thing, TrackerPlugin), lambda thing, _: thing
    ),
}


def _constructor(cls: type[Any], given: int) -> tuple[type[Params], Callable[..., Any]]:
    """Parameters as its constructor takes them, and what makes an object from these.

    A constructor that takes a `Params` gets it whole; so does a sampler without a constructor of its own, whose
    class annotates `params`. Otherwise each of its arguments is a parameter, with its annotation and its default.

    Args:
        cls: the class.
        given: how many arguments come from the harness, before those of the user.
    """
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise PluginError(f"the class {cls.__qualname__} is abstract: define {', '.join(missing)}")
    try:
        arguments = [*inspect.signature(cls).parameters.values()][given:]
        hints = get_type_hints(cls.__init__)
        if cls.__init__ is Sampler.__init__:
            annotated = get_type_hints(cls)["params"]
            hints = {"params": Params if annotated is Any else annotated}
    except Exception as error:
        raise PluginError(
            f"the constructor of {cls.__qualname__} cannot be read ({described(error)}); offer a plugin instead"
        ) from error
    annotations = {argument.name: hints.get(argument.name, Any) for argument in arguments}
    match [*annotations.values()]:
        case [type() as only] if issubclass(only, Params):
            return only, partial(_construct, cls, arguments[0].name)
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
    return create_model(f"{cls.__name__}Params", __base__=Params, **fields), partial(_construct, cls, None)


def _construct(cls: type[Any], whole: str | None, params: Params, *given: Any) -> Any:
    """An object of the class; `whole` names the argument that takes all parameters at once."""
    arguments = {whole: params} if whole else {name: getattr(params, name) for name in type(params).model_fields}
    return cls(*given, **arguments)


def _copied(thing: Any, _: Params) -> Any:
    """A fresh copy: what one cell does to it reaches no other."""
    return copy.deepcopy(thing)


def _always(value: Any, _: Params) -> Any:
    return value


def _first_line(cls: type[Any]) -> str:
    return (vars(cls).get("__doc__") or "").strip().partition("\n")[0]
