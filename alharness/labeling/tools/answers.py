"""What people have answered in a labeling tool, and the one label of a sample that comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alharness.errors import DataError
from alharness.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LABEL = "label"
"""Name of the question whose answers are labels."""
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one person said of one sample.

    Attributes:
        id: of the sample.
        label: name of a class, or a number.
        final: whether it overrules the others, as it was marked as the truth.
        question: that was answered.
    """

    id: str
    label: str | float
    final: bool = False
    question: str = LABEL

    @classmethod
    def of(cls, name: Any, question: str, value: Any, where: str, *, final: bool = False) -> Answer:
        """An answer as a tool gives it: a text, a number, or a list with one of them.

        Raises:
            DataError: it is something else.
        """
        label = (
            value[0] if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1 else value
        )
        if isinstance(label, bool) or not isinstance(label, str | int | float):
            said = ", ".join(map(str, value)) if isinstance(value, Sequence) else str(value)
            raise DataError(
                f"{where}: the answer for {str(name)[:80]!r} is {said[:200]}, and a sample has one label: correct "
                "it, and ask a question that has one answer"
            )
        label = label.strip() if isinstance(label, str) else float(label)
        return cls(id=str(name), label=label, final=final, question=question)


def of_labels(answers: Sequence[Answer], where: str) -> list[Answer]:
    """Those to the question `label`, or to the only one.

    Raises:
        DataError: there are several others.
    """
    questions = [*dict.fromkeys(answer.question for answer in answers)]
    if LABEL not in questions and len(questions) > 1:
        raise DataError(
            f"{where}: people answer several questions: {', '.join(questions)[:200]}; give the one whose answers "
            f"are labels the name {LABEL!r}"
        )
    return [answer for answer in answers if answer.question == LABEL or LABEL not in questions]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What several people agree on.

    Attributes:
        labels: by id.
        open: samples of which as many said one thing as another -> what they said.
    """

    labels: Mapping[str, str]
    open: Mapping[str, tuple[str, ...]]

    @property
    def warning(self) -> str:
        """On samples that are open; empty if none is."""
        if not self.open:
            return ""
        some = [f"{name[:80]} ({', '.join(said)})" for name, said in [*self.open.items()][:SHOWN]]
        more = ", ..." if len(self.open) > SHOWN else ""
        return (
            f"people disagree on {counted(len(self.open), 'sample')}, with no majority: {', '.join(some)}{more}. "
            "No label is taken for them until one more person answers, or an answer is changed"
        )


def settle(answers: Iterable[Answer]) -> Settled:
    """One label per sample: what is marked as the truth, or what most people said; of numbers the mean.

    >>> said = [Answer(id="a", label="cat"), Answer(id="a", label="dog"), Answer(id="a", label="cat")]
    >>> said += [Answer(id="b", label="cat"), Answer(id="b", label="dog")]
    >>> found = settle(said)
    >>> found.labels, found.open
    ({'a': 'cat'}, {'b': ('cat', 'dog')})
    """
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        if answer.label != "":
            groups.setdefault(answer.id, []).append(answer)
    labels, tied = {}, {}
    for name, group in groups.items():
        said = [answer.label for answer in group if answer.final] or [answer.label for answer in group]
        numbers = [label for label in said if not isinstance(label, str)]
        if len(numbers) == len(said):
            labels[name] = f"{sum(numbers) / len(numbers):.12g}"
            continue
        (first, most), *others = Counter(map(str, said)).most_common()
        if others and others[0][1] == most:
            tied[name] = tuple(sorted({*map(str, said)}))
        else:
            labels[name] = first
    return Settled(labels=labels, open=tied)
