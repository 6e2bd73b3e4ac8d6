"""Errors that are shown to a user without a traceback; any other exception is a bug and keeps its traceback."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4_000
"""Characters of an exception's text that are shown."""
LONGEST_TRACE = 200_000
"""Characters of a traceback that are kept."""


class HarnessError(Exception):
    """What is wrong, where, and what to do, in one paragraph.

    Attributes:
        culprit: whose fault it is, as shown before the text: a plugin and its distribution; empty if the text
            says it.
        unexpected: whether it was made from an exception that a plugin did not mean to raise, its `__cause__`:
            then the traceback is worth keeping.

    >>> from alharness import SamplerError
    >>> error = SamplerError("3 of 40 scores are NaN or infinite")
    >>> error.culprit = "margin (my-margin 1.0)"
    >>> str(error), error.exit_code
    ('margin (my-margin 1.0): 3 of 40 scores are NaN or infinite', 1)
    """

    exit_code = 1
    culprit = ""
    unexpected = False

    def __str__(self) -> str:
        return f"{self.culprit}: {super().__str__()}" if self.culprit else super().__str__()


class HarnessWarning(UserWarning):
    """What a caller of `alharness.run` should know, and what does not stop the run.

    >>> import warnings
    >>> from alharness import HarnessWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", HarnessWarning)  # or "error"
    """


class SpecError(HarnessError):
    """The command line or a spec file cannot be used; nothing was started.

    Args:
        text: what is wrong, and what to do.
        key: from a plugin's `review`, the parameter that is wrong: the message then begins with its place.
    """

    exit_code = 2

    def __init__(self, text: str, *, key: str = "") -> None:
        super().__init__(text)
        self.key = key


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


class ModelError(RunError):
    """A task model broke its contract: outputs of a wrong shape, a loss that is not one number, a head missing."""


class SamplerError(RunError):
    """A sampler broke its contract: wrong count, duplicates, out of range, non-finite scores."""


class LabelLeak(SamplerError):
    """A sampler asked for labels that it must not see."""


def described(error: BaseException) -> str:
    """The type and the text of an exception, even if `str` of it fails."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(error: BaseException) -> str:
    """The text of an exception, or why `str` of it fails: an exception of a plugin runs the plugin's code."""
    try:
        return _plain(str(error), LONGEST)
    except BaseException as worse:  # noqa: BLE001 - a plugin's `__str__` may raise anything
        return f"(its text cannot be made: {type(worse).__name__})"


def trace_of(error: BaseException) -> str:
    """The traceback of an exception, or its text if formatting the traceback fails."""
    try:
        return _plain("".join(traceback.format_exception(error)), LONGEST_TRACE)
    except BaseException:  # noqa: BLE001 - the same
        return described(error)


@contextmanager
def blaming(
    culprit: str, kind: type[HarnessError], *, moment: str = "", passing: tuple[type[HarnessError], ...] = ()
) -> Iterator[None]:
    """Around a plugin's code: what it raises becomes an error of this kind that names the plugin.

    An error that names a plugin already passes unchanged, and so do KeyboardInterrupt, which is the user's, and
    MemoryError, which is the machine's.

    Args:
        culprit: the plugin and its distribution.
        kind: what its errors become.
        moment: when, such as `cycle 2`.
        passing: other errors that pass unchanged.
    """
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, MemoryError):
        raise
    except passing:
        raise
    except HarnessError as error:
        if error.culprit:
            raise
        if isinstance(error, kind):
            error.culprit = f"{culprit}, {moment}" if moment else culprit
            raise
        raise _blamed(f"{culprit}, {moment}" if moment else culprit, kind, text_of(error)) from error
    except BaseException as error:
        found = _blamed(culprit, kind, f"{described(error)}, in {moment}" if moment else described(error))
        found.unexpected = True
        raise found from error


def _plain(text: str, longest: int) -> str:
    """An exact `str` that UTF-8 can encode: a subclass may not be picklable in another process."""
    exact = str.__str__(text)
    cut = exact if len(exact) <= longest else f"{exact[:longest]} ... ({len(exact):,} characters)"
    return cut.encode("utf-8", "backslashreplace").decode()


def _blamed(culprit: str, kind: type[HarnessError], text: str) -> HarnessError:
    found = kind(text)
    found.culprit = culprit
    return found
