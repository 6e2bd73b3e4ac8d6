"""How a plugin names what makes its sampler, model, data set or tracker, and the class of its parameters."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from alharness.errors import PluginError
from alharness.text.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .params import Params

F = TypeVar("F")

PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True)
class Imported:
    """What `module:name` names. It is imported when it is first called, and called with what this is called with.

    Attributes:
        path: `module:name`, a class or a function.
        owner: whose it is, for messages.
        role: what it is to its owner, for messages.

    >>> from alharness.api.make import Imported
    >>> Imported("math:hypot", "the example")(3, 4)
    5.0
    >>> Imported("math:hypo", "the example").check()
    Traceback (most recent call last):
    alharness.errors.PluginError: the example is made by 'math:hypo', and the module math has no class or function
    'hypo'; did you mean 'hypot'?
    """

    path: str
    owner: str
    role: str = field(default="is made by", repr=False)

    def __post_init__(self) -> None:
        """Raise PluginError if the path has another form."""
        if not PATH.fullmatch(self.path):
            raise PluginError(_wrong_form(self.owner, self.path))

    def __call__(self, *args: Any) -> Any:
        """Import it and call it. Raises PluginError if there is no such module or name."""
        return self.load()(*args)

    def load(self) -> Callable[..., Any]:
        """Import it. Raises PluginError if there is no such module or name."""
        module = self.path.partition(":")[0]
        try:
            imported = import_module(module)
        except ModuleNotFoundError as error:
            # Only if it is this module, or a package of it, that is missing, and not what the module imports.
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
            raise self._no_module(module) from None
        return self.found_in(imported)

    def found_in(self, module: ModuleType) -> Callable[..., Any]:
        """The class or function of this name in a module. Raises PluginError if there is none."""
        name = self.path.partition(":")[2]
        found: Callable[..., Any] | None = getattr(module, name, None)
        if not callable(found):
            raise self._no_name([key for key, value in vars(module).items() if callable(value)])
        return found

    def check(self) -> None:
        """Raise PluginError if there is no such module or name, as far as can be seen without importing it."""
        module, name = self.path.split(":")
        if (imported := sys.modules.get(module)) is not None:
            self.found_in(imported)
            return
        try:
            spec = find_spec(module)  # imports its packages, which the plugin's own module is in
        except ModuleNotFoundError:
            spec = None
        if spec is None:
            raise self._no_module(module)
        source = getattr(spec.loader, "get_source", lambda _: None)(module)
        if source is not None and not re.search(rf"\b{name}\b|import \*|def __getattr__\b", source):
            raise self._no_name(re.findall(r"^(?:class|def) (\w+)", source, flags=re.MULTILINE))

    def _no_module(self, module: str) -> PluginError:
        from pkgutil import iter_modules

        package, _, last = module.rpartition(".")
        try:
            folders = getattr(import_module(package), "__path__", []) if package else []
        except ModuleNotFoundError:
            folders = []
        near = did_you_mean(last, [found.name for found in iter_modules(folders)])
        return PluginError(f"{self.owner} {self.role} {self.path!r}, and there is no module {module!r}{near}")

    def _no_name(self, known: list[str]) -> PluginError:
        module, name = self.path.split(":")
        return PluginError(
            f"{self.owner} {self.role} {self.path!r}, and the module {module} has no class or function "
            f"{name!r}{did_you_mean(name, known)}"
        )


def _wrong_form(owner: str, value: object) -> str:
    form = "a function, or 'module:name', such as 'my_margin.sampler:Margin'"
    return f"{owner} has make={value!r:.100}; it may be {form}"


class Make(Generic[F]):
    """The field `make` of a plugin: takes a function or `module:name`, and is always a function when it is read.

    A descriptor, because the type of what is given and of what is read differ.

    >>> from alharness import Params, SamplerPlugin
    >>> SamplerPlugin(name="margin", params=Params, make="my_margin.sampler:Margin").make
    Imported(path='my_margin.sampler:Margin', owner="the sampler 'margin'")
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @overload
    def __get__(self, plugin: None, owner: type) -> F: ...
    @overload
    def __get__(self, plugin: object, owner: type) -> F: ...
    def __get__(self, plugin: object | None, owner: type) -> F:
        if plugin is None:
            raise AttributeError("make")  # to `dataclass` this says that the field has no default
        found: F = plugin.__dict__["make"]
        return found

    def __set__(self, plugin: Any, value: F | str) -> None:
        owner = f"the {self._kind} {plugin.name!r}"
        if not isinstance(value, str) and not callable(value):
            raise PluginError(_wrong_form(owner, value))
        plugin.__dict__["make"] = Imported(value, owner) if isinstance(value, str) else value


class ParamsClass:
    """The field `params` of a plugin: takes a class or `module:name`, and is always a class when it is read.

    A name is imported when the class is first read: a distribution of many plugins stays quick to list.

    >>> from alharness import SamplerPlugin
    >>> plugin = SamplerPlugin(name="margin", params="alharness:Params", make="my_margin.sampler:Margin")
    >>> plugin.params.__name__
    'Params'
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @overload
    def __get__(self, plugin: None, owner: type) -> type[Params]: ...
    @overload
    def __get__(self, plugin: object, owner: type) -> type[Params]: ...
    def __get__(self, plugin: object | None, owner: type) -> type[Params]:
        if plugin is None:
            raise AttributeError("params")  # to `dataclass` this says that the field has no default
        found: Any = plugin.__dict__["params"]
        if isinstance(found, Imported):
            found = plugin.__dict__["params"] = require_params(found.load(), found.owner)
        return cast("type[Params]", found)

    def __set__(self, plugin: Any, value: type[Params] | str) -> None:
        owner = f"the {self._kind} {plugin.name!r}"
        if not isinstance(value, str):
            plugin.__dict__["params"] = value
        elif PATH.fullmatch(value):
            plugin.__dict__["params"] = Imported(value, owner, "has its parameters from")
        else:
            form = "a class, or 'module:name', such as 'my_margin.params:MarginParams'"
            raise PluginError(f"{owner} has params={value!r:.100}; it may be {form}")


def require_params(found: Any, owner: str) -> type[Params]:
    """A class of parameters. Raises PluginError if it is anything else."""
    from .params import Params

    if not (isinstance(found, type) and issubclass(found, Params)):
        raise PluginError(f"params of {owner} must be a subclass of alharness.Params")
    return found
