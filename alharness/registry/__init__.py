"""Finding and naming what is installed."""

from .extras import Extras
from .installed import ONLY, Broken, Clash, P, Registered, Registry, load

__all__ = ["ONLY", "Broken", "Clash", "Extras", "P", "Registered", "Registry", "load"]
