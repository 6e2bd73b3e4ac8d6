"""The modalities of this field, and those that parameters of a model name. No heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
