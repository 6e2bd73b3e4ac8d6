"""Objects as bytes for other processes: also those of a main module, which no other process can import."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any

from alharness.errors import PluginError, described

if TYPE_CHECKING:
    from collections.abc import Callable

Cached = type(functools.cache(lambda: None))
"""What `functools.cache` and `functools.lru_cache` make. cloudpickle sends it by its name alone."""


def dumps(value: Any) -> bytes:
    """Whatever `pickle.loads` reads in a process that has cloudpickle. Raises what an object raises."""
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, thing: Any) -> Any:
            if isinstance(thing, Cached) and thing.__module__ == "__main__":
                return _cached, (thing.__wrapped__, thing.cache_parameters())
            return super().reducer_override(thing)

    written = io.BytesIO()
    Pickler(written).dump(value)
    return written.getvalue()


def pack(value: Any) -> bytes:
    """The same. Raises PluginError if it cannot be sent: only plugins and parameters are of foreign types."""
    try:
        return dumps(value)
    except Exception as error:
        raise PluginError(
            f"the parameters of a plugin cannot be sent to another process ({described(error)}): leave out "
            "what cannot be pickled, such as open files and locks"
        ) from error


def _cached(function: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    """The function with an empty cache."""
    return functools.lru_cache(**parameters)(function)
