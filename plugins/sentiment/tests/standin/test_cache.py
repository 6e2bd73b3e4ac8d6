"""Stored stand-ins: made once, whole or not at all, whichever process asks or is killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from alharness import registry
from alharness.errors import DataError
from alharness_sentiment.standin import cache as stored
from alharness_sentiment.standin.cache import ensure, locate, open_standin
from alharness_sentiment.standin.settings import StandInSettings
from alharness_sentiment.stored.manifest import read_manifest
from alharness_sentiment.stored.reader import StoredFolder, open_stored

TINY = StandInSettings(share=0.01)


def test_a_stored_stand_in_is_what_was_generated_and_says_that_it_is_synthetic(cache, small):
    folder = ensure("simsv2", TINY)
    assert folder.parent == cache
    manifest = read_manifest(folder, "simsv2")
    assert manifest.synthetic
    assert manifest.facts.sizes == (28, 7, 11)
    assert "SYNTHETIC" in manifest.remarks[0]
    dataset = open_stored(folder, "simsv2")
    assert dataset.synthetic
    standin = small(share=0.01)
    for split, samples in dataset.pooled().parts.items():
        part = standin.parts[split]
        assert samples.ids == part.population.ids
        assert (samples.labels == part.labels.fused).all()
        for modality, vectors in part.features.items():
            assert (samples.inputs.arrays[modality] == vectors).all()
            assert (samples.unimodal_labels[modality] == part.labels.own[modality]).all()


@pytest.mark.parametrize(("name", "own"), [("sims", 3), ("mosi", 0), ("mosei", 0), ("cherma", 3)])
def test_labels_of_modalities_are_there_where_the_real_data_set_has_them(cache, name, own):
    dataset = open_standin(name, TINY)
    assert len(dataset.pooled().parts["train"].unimodal_labels) == own
    assert dataset.classes[:2] == (("anger", "disgust") if name == "cherma" else ())


def test_sequences_are_made_when_they_are_asked_for_and_not_before(cache):
    dataset = open_standin("simsv2", TINY)
    pooled = dataset.pooled().parts["test"].inputs
    assert [path.name for path in cache.glob("*-sequences")] == []
    inputs = dataset.parts["test"].inputs
    assert len(list(cache.glob("simsv2-*-sequences"))) == 1
    assert {m: a.shape for m, a in inputs.arrays.items()} == {
        "text": (11, 50, 768),
        "audio": (11, 925, 25),
        "vision": (11, 232, 177),
    }
    assert isinstance(inputs.arrays["vision"], np.memmap)
    again = inputs.pooled()
    for modality, vectors in pooled.arrays.items():
        assert np.allclose(again.arrays[modality], vectors, rtol=1e-5, atol=1e-6)
    assert (dataset.parts["test"].labels == dataset.pooled().parts["test"].labels).all()


def test_repairs_of_dirty_sequences_are_in_the_manifest(cache):
    dirty = StandInSettings(share=0.05, dirty=True)
    assert read_manifest(ensure("simsv2", dirty), "simsv2").repairs["train"]["audio"].inf > 0
    assert open_standin("simsv2", dirty).remarks != open_standin("simsv2", TINY).remarks
    assert read_manifest(ensure("simsv2", TINY), "simsv2").repairs == {}


def test_it_is_made_once(cache, monkeypatch):
    folder = ensure("mosi", TINY)
    monkeypatch.setattr(stored, "_make", lambda *_, **__: pytest.fail("made again"))
    assert ensure("mosi", TINY) == folder


def test_other_settings_data_sets_and_versions_lie_elsewhere(cache, monkeypatch):
    folders = {
        locate("mosi", TINY),
        locate("mosei", TINY),
        locate("mosi", TINY, sequences=True),
        locate("mosi", StandInSettings(share=0.01, seed=1)),
        locate("mosi", StandInSettings(share=0.01, snr={"audio": 0.25})),
    }
    monkeypatch.setattr(stored, "VERSION", stored.VERSION + 1)
    folders.add(locate("mosi", TINY))
    assert len(folders) == 6
    assert locate("mosi", StandInSettings(share=0.01, seed=0)) == locate("mosi", TINY)


def test_the_users_cache_is_the_default(monkeypatch, tmp_path):
    monkeypatch.delenv("ALHARNESS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert locate("mosi", TINY).is_relative_to(tmp_path / "alharness" / "stand-ins")


def test_two_processes_at_once_make_one_folder(cache, tmp_path, monkeypatch):
    settings, make = StandInSettings(share=0.3), stored._make

    def noting(*arguments, **options):
        with (tmp_path / "made").open("a") as file:
            file.write("x")
        make(*arguments, **options)

    monkeypatch.setattr(stored, "_make", noting)
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(2), context.Queue()

    def answer():
        barrier.wait()
        answers.put(str(ensure("simsv2", settings)))

    workers = [context.Process(target=answer) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert [answers.get(timeout=60) for _ in workers] == [str(locate("simsv2", settings))] * 2
    for worker in workers:
        worker.join()
    assert (tmp_path / "made").read_text() == "x"
    StoredFolder.open(locate("simsv2", settings), "simsv2").verify()


SCRIPT = """
from alharness_sentiment.standin.cache import ensure
from alharness_sentiment.standin.settings import StandInSettings
ensure("simsv2", StandInSettings(share=0.2), sequences=True)
"""


def test_a_kill_leaves_nothing_that_reads_as_good_and_nothing_behind(cache):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], env=dict(os.environ))
    deadline = time.monotonic() + 60
    while not list(cache.glob(".simsv2-*/new/train/*.npy")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    settings = StandInSettings(share=0.2)
    assert not locate("simsv2", settings, sequences=True).exists()
    assert list(cache.glob(".simsv2-*"))
    folder = ensure("simsv2", settings, sequences=True)
    StoredFolder.open(folder, "simsv2").verify()
    assert list(cache.glob(".simsv2-*")) == []


def test_a_folder_without_a_manifest_is_made_anew(cache):
    folder = ensure("mosi", TINY)
    (folder / "manifest.json").unlink()
    (folder / "train" / "labels.npy").write_bytes(b"half")
    StoredFolder.open(ensure("mosi", TINY), "mosi").verify()


def test_a_damaged_file_is_told_with_the_way_out(cache):
    folder = ensure("mosi", TINY)
    labels = folder / "train" / "labels.npy"
    labels.write_bytes(labels.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="damaged .*; remove .*-vectors, and it is made again"):
        open_standin("mosi", TINY).pooled().parts  # noqa: B018


def test_a_cache_that_cannot_be_written_is_told_with_the_variable(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ALHARNESS_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="cannot be made: .*ALHARNESS_CACHE"):
        ensure("mosi", TINY)


@pytest.mark.parametrize(
    ("name", "metrics"),
    [("simsv2", "sims"), ("sims", "sims"), ("mosi", "mosi"), ("mosei", "mosi"), ("cherma", "emotions")],
)
def test_a_data_set_is_measured_as_its_papers_do_real_or_not(name, metrics, monkeypatch, tmp_path):
    monkeypatch.setenv("ALHARNESS_CACHE", str(tmp_path / "cache"))
    plugin = registry.load().dataset(name).plugin
    given = {"path": tmp_path / "nowhere", "if_missing": "stand_in", "stand_in": {"share": 0.02}}
    made = plugin.make(plugin.params(**given))
    assert made.metrics.name == metrics
    # An import of the same files is no stand-in.
    (stored,) = (tmp_path / "cache").rglob("manifest.json")
    assert plugin.make(plugin.params(path=stored.parent)).metrics.name == metrics
