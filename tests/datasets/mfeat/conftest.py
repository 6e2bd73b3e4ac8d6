from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from alharness.datasets.mfeat import facts, importer


def content_of(view):
    """A CSV file of the published form, with numbers that encode view, row and column."""
    header = [*map(str, range(view.size)), "0"]
    rows = np.arange(facts.SAMPLES)
    features = [[f"{row}.{column % 10}" for column in range(view.size)] for row in rows]
    lines = [",".join([*values, str(row // 200)]) for row, values in zip(rows, features, strict=True)]
    return "\n".join([",".join(header), *lines, ""]).encode()


@pytest.fixture(scope="session")
def contents():
    """CSV name -> content, in the place of the published files."""
    return {view.csv: content_of(view) for view in facts.VIEWS}


@pytest.fixture
def published(contents, monkeypatch):
    """The same; the import takes them for the published files."""
    views = tuple(replace(view, sha256=sha256(contents[view.csv]).hexdigest()) for view in facts.VIEWS)
    monkeypatch.setattr(importer, "VIEWS", views)
    return contents


@pytest.fixture
def source(published, tmp_path):
    """A folder that holds the files."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name, content in published.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def empty(tmp_path):
    """The folder that the import fills."""
    folder = tmp_path / "mfeat"
    folder.mkdir()
    return folder
