"""Errors that are shown to a user without a traceback; anything else that escapes is a bug and keeps its own."""

from __future__ import annotations


class HarnessError(Exception):
    """What is wrong, where, and what to do, in one paragraph."""

    exit_code = 1


class SpecError(HarnessError):
    """The command line or a spec file cannot be used; nothing was started."""

    exit_code = 2


class PluginError(HarnessError):
    """A plugin is missing, broken, or clashes with another."""

    exit_code = 4


class DataError(HarnessError):
    """A data set is missing, malformed, or not the one that a run began with."""

    exit_code = 5


class TrackingError(HarnessError):
    """Tracking was required and is not available."""

    exit_code = 6


class RunError(HarnessError):
    """A cell, or the whole run, could not be finished."""


class Diverged(RunError):
    """The training loss became infinite or NaN."""


class SamplerError(RunError):
    """A sampler broke its contract: wrong count, duplicates, out of range, non-finite scores."""


class LabelLeak(SamplerError):
    """A sampler asked for labels that it must not see."""
