"""How long it takes until data sets are there: those that are shipped, and those that are made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from alharness.registry.installed import load
from benchmarks.bench import Kernel, timed
from benchmarks.rows import DATA, Row, at_most

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench, Call

SMALL = {"pool": 10, "valid": 1, "test": 1, "topics": 1}


@dataclass(frozen=True, kw_only=True)
class Data:
    """A data set of the registry.

    Attributes:
        name: in a spec.
        params: its parameters.
        small: parameters with which it is tiny.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tiny(self) -> Self:
        """The same with small parameters."""
        return replace(self, params={**self.params, **self.small})


def prepare(data: Data) -> Call:
    """Read or make all of it."""
    plugin = load().dataset(data.name).plugin
    params = plugin.params(**data.params)
    return lambda: plugin.make(params).loaded


def there(data: Data, work: str, limit: float, bench: Bench) -> Row:
    """A row that says how long it takes until the samples are in memory."""
    kernel, problem = Kernel(name=data.name, prepare=prepare), bench.at(data)
    cost = replace(timed(kernel, problem), memory=bench.memory(kernel, problem))
    return Row(group=DATA, work=work, ours=cost, bounds=(at_most("time", cost.wall, limit, " s"),))


MADE = Data(name="worlds", params={"pool": 100_000, "valid": 1, "test": 1}, small=SMALL)

ROWS: dict[str, Callable[[Bench], Row]] = {
    "openclipart": partial(there, Data(name="openclipart"), "openclipart, loading", 0.3),
    "worlds": partial(there, MADE, "worlds, 100,000 samples x 3 modalities", 5),
}
