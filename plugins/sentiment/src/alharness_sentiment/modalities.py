"""The modalities of this field, and those that parameters of a model name. No heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from alharness import SpecError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from alharness import DatasetFacts

MODALITIES = ("text", "audio", "vision")


def unknown_modality(named: Mapping[str, Collection[str]], modalities: Collection[str]) -> str:
    """What is wrong if a parameter names a modality that is not there; empty if nothing is.

    Args:
        named: parameter -> modalities that it names.
        modalities: those of the data set.
    """
    for parameter, names in named.items():
        if unknown := sorted(set(names) - set(modalities)):
            return (
                f"model.params.{parameter} speaks of {', '.join(unknown)}, but the data set's modalities are "
                f"{', '.join(modalities)}"
            )
    return ""


class NamesModalities(Protocol):
    """Parameters of a model that may name modalities."""

    def mistake(self, modalities: Collection[str]) -> str:
        """What is wrong with these names of modalities; empty if nothing is."""
        ...


def review(params: NamesModalities, facts: DatasetFacts) -> tuple[str, ...]:
    """Nothing to warn of. Raises SpecError if the data set's modalities do not fit the parameters."""
    if mistake := params.mistake(facts.modalities):
        raise SpecError(mistake)
    return ()
