"""Registration of `embeddings`."""

from __future__ import annotations

from alharness.api.dataset import DatasetFacts, DatasetPlugin
from alharness.api.hooks import hookimpl

from .params import EmbeddingsParams


def inspect(params: EmbeddingsParams) -> DatasetFacts:
    """What the names of columns and the labels say. Raises DataError if they do not fit together."""
    from .reader import look

    return look(params)


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `embeddings`."""
    return [
        DatasetPlugin(
            name="embeddings",
            params=EmbeddingsParams,
            inspect=inspect,
            make="alharness.datasets.embeddings.reader:load",
            summary="your own embeddings: columns of a parquet, CSV, npz or npy file, or of the Hugging Face Hub",
            license="yours",
        )
    ]
