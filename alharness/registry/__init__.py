"""Finding and naming what is installed."""

from .installed import ONLY, Broken, Clash, P, Registered, Registry, load

__all__ = ["ONLY", "Broken", "Clash", "P", "Registered", "Registry", "load"]
