"""A dirty stand-in, pickled in the form of the published files and imported, is the stand-in that is stored."""

import pickle

import numpy as np
import pytest

from alharness_sentiment.mmsa.conversion import convert
from alharness_sentiment.mmsa.facts import CORPORA
from alharness_sentiment.standin.cache import ensure
from alharness_sentiment.standin.generator import generate
from alharness_sentiment.standin.sequences import Sequences
from alharness_sentiment.standin.settings import StandInSettings
from alharness_sentiment.stored.manifest import read_manifest
from alharness_sentiment.stored.reader import open_stored

DIRTY = StandInSettings(share=0.03, dirty=True)


def published(name):
    """What the published file would hold: features before any correction, in shuffled order."""
    standin, content = generate(name, DIRTY), {}
    for split, part in standin.parts.items():
        order = np.random.default_rng(0).permutation(len(part.population))
        found = {"id": [part.population.ids[i] for i in order], "regression_labels": part.labels.fused[order]}
        for modality, own in part.labels.own.items():
            array, lengths = Sequences(standin, split, modality).raw(order)
            found[modality] = array.astype(np.float64)
            if modality != "text":
                found[f"{modality}_lengths"] = lengths
            if standin.recipe.design.sentiment.own:
                found[f"regression_labels_{modality[0].upper()}"] = own[order]
        content[split] = found
    return content


@pytest.mark.parametrize("name", ["sims", "mosei"])
def test_an_imported_stand_in_is_the_stored_one(cache, tmp_path, name):
    source, folder = tmp_path / "file.pkl", tmp_path / "imported"
    source.write_bytes(pickle.dumps(published(name), 4))
    folder.mkdir()
    convert(CORPORA[name], source, folder)
    imported, stored = open_stored(folder, name), open_stored(ensure(name, DIRTY, sequences=True), name)
    for split, samples in imported.parts.items():
        same = stored.parts[split]
        assert samples.ids == same.ids
        assert (samples.labels == same.labels).all()
        assert samples.unimodal_labels.keys() == same.unimodal_labels.keys()
        assert all((own == same.unimodal_labels[m]).all() for m, own in samples.unimodal_labels.items())
        for modality, array in samples.inputs.arrays.items():
            assert array.tobytes() == same.inputs.arrays[modality].tobytes()
        for modality in ("audio", "vision"):
            assert (samples.inputs.lengths[modality] == same.inputs.lengths[modality]).all()
        for modality, vectors in imported.pooled().parts[split].inputs.arrays.items():
            assert (vectors == stored.pooled().parts[split].inputs.arrays[modality]).all()
    found, expected = (read_manifest(f, name) for f in (folder, ensure(name, DIRTY, sequences=True)))
    assert found.repairs == expected.repairs
    assert sum(repairs["audio"].inf for repairs in found.repairs.values()) > 0
    assert (found.synthetic, expected.synthetic) == (False, True)
