"""What a labeling tool is to a project: a file, or a place on a server."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from alharness.api.vocabulary import Task
from alharness.errors import DataError, RunError
from alharness.runs.files import explain, write
from alharness.text.words import counted

from .answers import LABEL
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from alharness.labeling.batch import Batch

    from .answers import Answer
    from .contents import Contents

AGENT = "alharness"
"""Who guesses: the same in all batches, since Label Studio shows the guesses of one."""
KNOWN = {"Label Studio": "1.23", "Argilla": "2.8"}
"""Versions of the tools that were tried."""
PIECE = 100
"""Samples that go to a server at once: a long list may be refused."""


@contextmanager
def understood(who: str, tool: str) -> Iterator[None]:
    """Around the reading of what a tool has written, which may be something else.

    Raises:
        RunError: it has another form than what is known of the tool.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{who}: is not understood ({type(error).__name__}: {str(error)[:100]}); does it come from {tool}, "
            f"and is that much newer, or older, than {KNOWN[tool]}?"
        ) from error


class Absent(RunError):
    """A server has no such project or dataset yet; `--to` makes it."""


class Tool(ABC):
    """Where people label: a file that goes to and fro, or a server.

    Attributes:
        tool: its name.
        where: the file or the address, for messages.
    """

    tool: ClassVar[str]
    where: str

    @abstractmethod
    def require_ready(self) -> None:
        """Raise HarnessError if nothing can be sent, as far as it is known before there is a batch."""

    @abstractmethod
    def send(self, batch: Batch, contents: Contents) -> str:
        """Send samples that are not there yet, and say what was done.

        Raises:
            HarnessError: they cannot be sent, or not all of them. Then those that are there stay, and the next
                call sends the others.
        """

    @abstractmethod
    def answers(self) -> list[Answer]:
        """What people have said so far of all samples.

        Raises:
            Absent: nothing was ever sent.
            HarnessError: it cannot be had.
        """


class File(Tool):
    """A JSON file that the tool imports, or has exported.

    Args:
        path: of it.
    """

    companion: ClassVar[str]
    """How the name of the second file ends, which describes what people see."""

    def __init__(self, path: Path) -> None:
        self.path, self.where = path, str(path)

    def require_ready(self) -> None:
        """What is there may be an earlier batch, but nothing with labels."""
        if not self.path.parent.is_dir():
            raise DataError(f"{self.path}: there is no folder {self.path.parent}; make it first")
        if self.path.is_dir() or (self.path.exists() and not self._is_batch()):
            raise DataError(f"{self.path}: holds something else than a batch without labels; give another name")

    def _is_batch(self) -> bool:
        try:
            found = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return False
        return isinstance(found, list) and all(isinstance(one, dict) and self.is_blank(one) for one in found)

    @abstractmethod
    def is_blank(self, record: Mapping[str, Any]) -> bool:
        """Whether it is a sample without a label."""

    def answers(self) -> list[Answer]:
        """Of the export."""
        with understood(self.where, self.tool):
            return self.answered()

    @abstractmethod
    def answered(self) -> list[Answer]:
        """All answers in the file."""

    def keep(self, records: Sequence[Any], description: str) -> str:
        """Write both files, and say so."""
        self.require_ready()
        other = self.path.with_suffix(self.companion)
        for path, text in ((other, description), (self.path, to_json(records))):
            try:
                write(path, text)
            except OSError as error:
                raise RunError(explain(error, path)) from error
        return f"{counted(len(records), 'sample')} for {self.tool}: {self.path}, with {other}"


class Remote(Tool):
    """A project or a dataset on a server.

    Args:
        address: of the server, or of one of its projects.
        title: of the project, if the address names none; it is made if it is not there.
        warn: gets what the user should know.
    """

    noun: ClassVar[str]
    """What a project is called there."""
    path: ClassVar[str]
    """What is between the address of the server and the identity of a project, in a browser."""
    identity: ClassVar[str]
    """Pattern of the identity."""
    variable: ClassVar[str]
    """Name of the environment variable with the token."""

    def __init__(self, address: str, title: str, warn: Callable[[str], None]) -> None:
        self.title, self.warn = title, warn
        found = re.match(rf"(?P<base>.*?){self.path}(?P<identity>{self.identity})(/|\?|#|$)", address)
        base = found["base"] if found else re.split(r"[?#]", address)[0]
        self.project = found["identity"] if found else ""
        self.server = Server(base.rstrip("/"), tool=self.tool, variable=self.variable)

    @property
    def where(self) -> str:  # type: ignore[override]  # it is known once the project is
        """Address of the project, or of the server."""
        return f"{self.server.base}{self.path}{self.project}" if self.project else self.server.base

    def require_ready(self) -> None:
        """The server answers, and has the project if its address was given."""
        with understood(f"what {self.where} answers", self.tool):
            self._find()

    def _find(self) -> Any:
        """The project as the server describes it; None if it must be made first."""
        self.authorize()
        if not self.project:
            named = self.named(self.title)
            if len(named) > 1:
                raise RunError(
                    f"{self.where}: {len(named)} {self.noun}s are called {self.title!r}; give the address of one, "
                    f"as in {self.server.base}{self.path}{named[0]}"
                )
            if not named:
                return None
            self.project = named[0]
        return self.described()

    def send(self, batch: Batch, contents: Contents) -> str:
        """Add what is not there to the project, which is made if need be."""
        with understood(f"what {self.where} answers", self.tool):
            found = self._find()
            if found is None:
                require_classes(batch)
                self.project = self.make(batch, contents)
                found = self.described()
            there = set(self.prepared(found, batch, contents))
        fresh = [item.id for item in batch.items if item.id not in there]
        for start in range(0, len(fresh), PIECE):
            self.add(fresh[start : start + PIECE], batch, contents)
        count = len(batch.items)
        if not fresh:
            return f"nothing, as all {count:,} samples are there already: {self.where}"
        rest = f" ({count - len(fresh):,} are there already)" if len(fresh) < count else ""
        return f"{counted(len(fresh), 'sample')} to {self.tool}{rest}: {self.where}"

    def answers(self) -> list[Answer]:
        """Of all people, in the whole project."""
        with understood(f"what {self.where} answers", self.tool):
            if self._find() is not None:
                return self.answered()
        raise Absent(
            f"{self.where}: there is no {self.noun} {self.title!r}; --to makes it, or give the address of another"
        )

    def question(self, questions: Mapping[str, Collection[str]], batch: Batch, what: str, remedy: str) -> str:
        """The one whose answers are labels; warns of classes that cannot be chosen.

        Args:
            questions: those of the right kind -> what can be chosen.
            batch: what is asked.
            what: kind of the question, for messages.
            remedy: what to do about classes that cannot be chosen.
        """
        name = LABEL if LABEL in questions or len(questions) != 1 else next(iter(questions))
        if name not in questions:
            several = f"; there are {', '.join(questions)[:200]}" if questions else ""
            raise DataError(f"{self.where}: has no {what} with the name {LABEL!r}{several}; add it, or rename one")
        missing = [one for one in batch.classes if one not in questions[name]]
        if missing and batch.task == Task.CLASSIFICATION:
            self.warn(f"{self.where}: people cannot choose {', '.join(map(repr, missing))[:200]}; {remedy}")
        return name

    @abstractmethod
    def authorize(self) -> None:
        """Give the server's calls the token of the environment, if there is one."""

    @abstractmethod
    def named(self, title: str) -> list[str]:
        """Identities of all projects with this title."""

    @abstractmethod
    def described(self) -> Any:
        """The project as the server describes it."""

    @abstractmethod
    def make(self, batch: Batch, contents: Contents) -> str:
        """Make the project; its identity."""

    @abstractmethod
    def prepared(self, found: Any, batch: Batch, contents: Contents) -> Iterable[str]:
        """See that samples of the batch can be added; the ids of those that are there."""

    @abstractmethod
    def add(self, ids: Collection[str], batch: Batch, contents: Contents) -> None:
        """Add these samples of the batch."""

    @abstractmethod
    def answered(self) -> list[Answer]:
        """All answers in the project."""


def require_classes(batch: Batch) -> None:
    """Raise DataError if there is nothing that people could choose from."""
    if batch.task == Task.CLASSIFICATION and len(batch.classes) < 2:
        raise DataError("people need classes to choose from, and none are known yet: name each with --class")


def to_json(content: Any) -> str:
    """As text that people can read."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def read_json(path: Path) -> Any:
    """What is in a file. Raises DataError."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"{path}: not found") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: is no whole JSON file ({error.msg}); export it again") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); export it as JSON") from None
