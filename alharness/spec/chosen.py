"""The plugins of a spec with their parameters, each typed by the plugin's own model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import normpath, relpath
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Generic

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from alharness.api.params import Elsewhere
from alharness.errors import PluginError, described
from alharness.registry import P, Registered
from alharness.registry.discovery import called

from .document import RawSpec, WrittenSpec
from .problems import Problem, translate, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.api.params import Params

    from .yamlfile import Keys, YamlFile


@dataclass(frozen=True, kw_only=True)
class Chosen(Generic[P]):
    """A plugin of the spec, with its parameters.

    Attributes:
        registered: the plugin and its distribution.
        params: the parameters, typed by the plugin's own model.
        plain: the same as plain data, paths relative to the spec's folder; equal here, equal everywhere.
        label: what a sampler is called in this spec; the name of anything else.
        keys: the path in the spec below which the parameters are.
    """

    registered: Registered[P]
    params: Params
    plain: Mapping[str, Any]
    label: str
    keys: Keys = field(default=(), compare=False)

    @property
    def plugin(self) -> P:
        """The plugin itself."""
        return self.registered.plugin

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.plugin.name


class Reader:
    """Checks the parts of a file independently of each other, and keeps what is wrong with each."""

    def __init__(self, file: YamlFile, folder: Path) -> None:
        self.file, self.folder = file, folder
        self.problems: list[Problem] = []

    def document(self) -> RawSpec | None:
        """The structure; None if it is wrong."""
        try:
            return RawSpec.model_validate(self.file.data, strict=True)
        except ValidationError as error:
            self.problems += translate(error, WrittenSpec, self.file)
            return None

    def chosen(self, keys: Keys, find: Callable[[str], Registered[P]], choice: Any = None) -> Chosen[P] | None:
        """The plugin named at `keys`; None if it is wrong, which `document` reports if it is the structure.

        Args:
            keys: the path of the choice in the file.
            find: looks the plugin up.
            choice: its long form, if it is not the one in the file.
        """
        if choice is None:
            choice = self.file.data
            for key in keys:
                choice = choice.get(key) if isinstance(choice, dict) else choice[key]
        name, given = (choice.get("name"), choice.get("params", {})) if isinstance(choice, dict) else (None, None)
        if not (isinstance(name, str) and isinstance(given, dict)):
            return None
        try:
            registered = find(name)
        except PluginError as error:
            named = (*keys, "name")
            self.problems.append(Problem(self.file.locate(named), named, str(error), plugin=True))
            return None
        params = self._params(registered, given, (*keys, "params"))
        if params is None:
            return None
        label = choice.get("label") or called(name)
        return Chosen(
            registered=registered,
            params=params,
            plain=_plain(params.model_dump(), self.folder),
            label=label,
            keys=walk(self.file.data, (*keys, "params"))[0],
        )

    def _params(self, registered: Registered[P], given: Mapping[str, Any], keys: Keys) -> Params | None:
        model = registered.plugin.params
        try:
            return model.model_validate(self._at_home(given, keys), context={"folder": self.folder})
        except ValidationError as error:
            self.problems += translate(error, model, self.file, keys)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a validator of a plugin may raise anything
            what = f"{registered.origin} cannot check its parameters: {described(error)}"
            self.problems.append(Problem(self.file.locate(keys), keys, what, plugin=True))
        return None

    def _at_home(self, value: Any, keys: Keys) -> Any:
        """The value, in which each text of another file knows what it is as a path from the folder of this one."""
        if isinstance(value, dict):
            return {key: self._at_home(inner, (*keys, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._at_home(inner, (*keys, index)) for index, inner in enumerate(value)]
        folder = self.file.locate(keys).folder
        if not isinstance(value, str) or folder in (None, self.folder) or Path(value).is_absolute():
            return value
        return Elsewhere(value, relpath(normpath(folder / value), self.folder))


def _plain(value: Any, folder: Path) -> Any:
    if isinstance(value, PurePath):
        return str(value.relative_to(folder) if value.is_relative_to(folder) else value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, folder) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, folder) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item, folder) for item in value), key=repr)
    return to_jsonable_python(value, fallback=str, bytes_mode="base64")
