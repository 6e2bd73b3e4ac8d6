"""A stand-in on disk, in the layout of an imported data set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from alharness_sentiment.stored.writer import Writer

from .generator import generate
from .sequences import Sequences

if TYPE_CHECKING:
    from pathlib import Path

    from alharness_sentiment.stored.manifest import Repairs

    from .settings import StandInSettings

REMARK = (
    "SYNTHETIC: made by alharness, nothing of it was measured or annotated; not comparable with any figure of the "
    "data set that it replaces"
)


def write(folder: Path, name: str, settings: StandInSettings, *, sequences: bool) -> None:
    """Fill an empty folder.

    Args:
        folder: the folder to write to.
        name: the data set that it replaces.
        settings: what can be chosen.
        sequences: write the sequences too, and not only the vectors that they are pooled to.
    """
    standin = generate(name, settings)
    design = standin.recipe.design
    writer = Writer(folder)
    repairs: dict[str, dict[str, Repairs]] = {}
    for split, part in standin.parts.items():
        writer.ids(split, part.population.ids)
        repairs[split] = {}
        for modality in design.channels:
            made = Sequences(standin, split, modality)
            if sequences:
                writer.sequence(
                    split,
                    modality,
                    made.blocks(),
                    shape=made.shape,
                    lengths=made.lengths,
                    pooling=made.pooling,
                )
            else:
                writer.vectors(split, modality, made.vectors(), pooling=made.pooling)
            repairs[split][modality] = made.repairs()
        own = {} if design.sentiment and not design.sentiment.own else part.labels.own
        writer.labels(split, part.labels.fused, own)
    writer.finish(
        modalities=tuple(design.channels),
        dataset=name,
        synthetic=True,
        task=standin.recipe.facts.task,
        classes=design.classes,
        repairs=repairs if settings.dirty else {},
        remarks=(REMARK, f"made with {json.dumps(settings.model_dump(mode='json'))}"),
    )
