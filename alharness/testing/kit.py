"""What all conformance kits have in common: plain classes, which pytest collects and `alharness check` runs."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tempfile
import traceback
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from unittest import SkipTest

from alharness.api.make import Imported
from alharness.api.params import sources
from alharness.errors import HarnessError, SpecError, described, text_of
from alharness.registry.objects import Arguments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Self

    import pytest

    from alharness.api.params import Params


class Conformance:
    """The part of a kit that is the same for every kind of plugin.

    A kit is a class whose `test_*` methods check one promise each, by `assert`. pytest collects a subclass that
    names a plugin; `examine` runs it without pytest. A promise that cannot be tested here raises
    `unittest.SkipTest`.

    >>> from alharness import Params, SamplerPlugin
    >>> from alharness.testing import Conformance
    >>> class Kit(Conformance):
    ...     plugin = SamplerPlugin(name="mine", params=Params, make="my_margin.sampler:Margin")
    >>> Kit().test_every_parameter_has_a_description()

    Attributes:
        plugin: the plugin.
        params: parameters other than the defaults.
    """

    plugin: Any
    params: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def of(cls, plugin: Any, params: Mapping[str, Any]) -> type[Self]:
        """The kit of a plugin whose author has written none: what else it needs to know is found out."""
        kit = type(cls.__name__, (cls,), {"plugin": plugin, "params": params})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = kit().supposed()
        for name, value in found.items():
            setattr(kit, name, value)
        return kit

    def supposed(self) -> Mapping[str, Any]:
        """Attributes of the kit -> what they must be, as far as the plugin shows."""
        return {}

    def arguments(self) -> Mapping[str, Sequence[Any]]:
        """Argument of tests -> the values that they are called with. There is also `tmp_path`, an empty folder."""
        return {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each value."""
        for name, values in self.arguments().items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values, ids=str)

    # What the plugin says

    def test_the_defaults_are_valid_parameters(self) -> None:
        """A spec may leave them out, or give them."""
        params = self._params()
        assert type(params)(**params.model_dump()) == params, (
            "its defaults are other parameters when they are given"
        )

    def test_every_parameter_has_a_description(self) -> None:
        """`alharness plugins` shows it. Arguments of the constructor of a class in one file have none."""
        if issubclass(self.plugin.params, Arguments):
            return
        schema = self.plugin.params.model_json_schema()
        models = {self.plugin.params.__name__: schema, **schema.get("$defs", {})}
        bare = [
            f"{name}.{parameter}"
            for name, model in models.items()
            for parameter, content in model.get("properties", {}).items()
            if not content.get("description")
        ]
        assert not bare, f"write a docstring below each of {', '.join(bare)}"

    def test_importing_the_plugin_imports_no_torch(self) -> None:
        """It is imported at every start of alharness."""
        for module in self._light_modules():
            if PathFinder.find_spec(module.partition(".")[0]) is None:
                raise SkipTest(f"a new process cannot import {module}: it is a file of this call")
            assert not imports_torch(module), (
                f"{module} imports torch; give `make` as text, 'module:name', or import what it makes inside it"
            )

    def _light_modules(self) -> set[str]:
        """The module of `make`; if that is text, the module of the parameters and the package's entry points."""
        make = self.plugin.make
        if not isinstance(make, Imported):
            return {inspect.unwrap(make).__module__}
        package = re.split(r"[.:]", make.path)[0]
        modules = {entry.module for entry in entry_points(group="alharness")}
        return {self.plugin.params.__module__} | {name for name in modules if name.split(".")[0] == package}

    def _params(self) -> Params:
        made: Params = self.plugin.params(**self.params)
        return made

    def _require_known(self, known: Collection[str]) -> None:
        """Raise SpecError if a parameter names a modality that the samples of the kit do not have."""
        for place, name in sources(self._params()):
            if name not in known:
                key = ".".join(map(str, place))
                raise SpecError(f"{key}: the samples of the kit have no {name!r}; name one of {', '.join(known)}")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one promise with one set of arguments.

    Attributes:
        test: name of the method.
        promise: what it checks, in words.
        case: the arguments, in words; empty if there are none.
        status: whether the promise is kept; `skipped` if it cannot be said.
        reason: why not.

    >>> from alharness.testing import Verdict
    >>> verdict = Verdict(test="test_repeats", promise="repeats", case="regression", status="passed")
    >>> str(verdict)
    'repeats (regression)'
    """

    test: str
    promise: str
    case: str
    status: Literal["passed", "failed", "skipped"]
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.promise} ({self.case})" if self.case else self.promise


def examine(kit: type[Conformance], only: Collection[str] = ()) -> Iterator[Verdict]:
    """Run the tests of a kit, without pytest; each on a new object, and one after another.

    Args:
        kit: names the plugin.
        only: names of the tests to run; all, if there are none.

    >>> from alharness import ExecutorPlugin, Params
    >>> from alharness.testing import ExecutorConformance, examine
    >>> class Kit(ExecutorConformance):
    ...     plugin = ExecutorPlugin(name="pipes", params=Params, make="my_pipes:Pipes")
    >>> next(iter(examine(Kit))).status
    'passed'
    """
    if not __debug__:
        raise HarnessError("Python was started with -O or PYTHONOPTIMIZE, which leaves out what a kit asserts")
    for name in promises_of(kit):
        if only and name not in only:
            continue
        values = _values(kit, name)
        for case in product(*values.values()):
            arguments = dict(zip(values, case, strict=True))
            status, reason = _ended(kit, name, arguments)
            shown = ", ".join(map(str, case))
            promise = name.removeprefix("test_").replace("_", " ")
            yield Verdict(test=name, promise=promise, case=shown, status=status, reason=reason)


def promises_of(kit: type[Conformance]) -> list[str]:
    """Names of a kit's tests, in the order in which they are written."""
    names = dict.fromkeys(name for base in reversed(kit.__mro__) for name in vars(base))
    return [name for name in names if name.startswith("test_") and callable(getattr(kit, name))]


def _values(kit: type[Conformance], test: str) -> dict[str, Sequence[Any]]:
    """The arguments that a test takes of those that its kit gives, each with its values."""
    taken = inspect.signature(getattr(kit, test)).parameters
    return {name: values for name, values in kit().arguments().items() if name in taken}


def _ended(
    kit: type[Conformance], test: str, arguments: Mapping[str, Any]
) -> tuple[Literal["passed", "failed", "skipped"], str]:
    """How a test ended, and what it says if it has not passed."""
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        method = getattr(kit(), test)
        if "tmp_path" in inspect.signature(method).parameters:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            arguments = {**arguments, "tmp_path": Path(folder).resolve()}
        try:
            method(**arguments)
        except SkipTest as reason:
            return "skipped", str(reason)
        except AssertionError as error:
            return "failed", text_of(error) or f"it is not true that {_asserted(error)}"
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a plugin raises, the other promises are looked at
            return "failed", str(error) if isinstance(error, HarnessError) else described(error)
    return "passed", ""


def _asserted(error: AssertionError) -> str:
    """The line that failed, as it is written."""
    return (traceback.extract_tb(error.__traceback__)[-1].line or "").removeprefix("assert ")


@contextmanager
def refuses(*errors: type[Exception], saying: str = "") -> Iterator[None]:
    """A block that must raise one of these errors, whose text holds something like this regular expression."""
    try:
        yield
    except errors as error:
        if not re.search(saying, str(error)):
            raise AssertionError(f"the text of its error should hold {saying!r}, but it is {error}") from None
    else:
        raise AssertionError(f"it should have been refused with {' or '.join(kind.__name__ for kind in errors)}")


@cache  # plugins are tested with many sets of parameters, and a new process takes a while
def imports_torch(module: str) -> bool:
    """Whether torch is loaded after this module was, in a process of its own.

    Raises:
        ModuleNotFoundError: the module cannot be imported there.
    """
    code = f"import sys, {module}; print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if run.returncode:
        raise ModuleNotFoundError(f"{module} cannot be imported in a new process:\n{run.stderr}")
    return run.stdout.strip() == "True"
