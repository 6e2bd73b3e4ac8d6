"""`worlds`: its registration. No heavy imports."""

from __future__ import annotations

from alharness.api.dataset import DatasetFacts, DatasetPlugin
from alharness.api.hooks import hookimpl

from .params import TRUTH, WorldsParams


def inspect(params: WorldsParams) -> DatasetFacts:
    """What is known before it is made."""
    return DatasetFacts(
        task=params.task,
        modalities=params.modalities,
        sizes=(params.pool, params.valid, params.test),
        synthetic=True,
        incomplete=params.incomplete,
        truth=TRUTH,
    )


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `worlds`."""
    return [
        DatasetPlugin(
            name="worlds",
            params=WorldsParams,
            inspect=inspect,
            make="alharness.datasets.worlds.making:make",
            summary="made-up data with known truth: what each modality shows, and what goes wrong",
            license="made by alharness: no terms",
        )
    ]
