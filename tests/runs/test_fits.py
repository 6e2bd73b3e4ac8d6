import hashlib
import resource

import pytest

from alharness.runs.fits import FitStore, key


@pytest.fixture
def store(tmp_path):
    warnings = []
    return FitStore(tmp_path / "fits", warnings.append), warnings, tmp_path / "fits"


def test_what_was_stored_is_found(store):
    fits, warnings, _ = store
    assert fits.get("a") is None
    fits.put("a", b"one")
    assert fits.get("a") == b"one"
    fits.put("a", b"other")
    assert fits.get("a") == b"other"
    assert not warnings


def test_other_samples_seeds_and_contexts_are_other_fits():
    keys = {key({"model": model}, ids, seed) for model in "ab" for ids in (["x"], ["x", "y"]) for seed in (3, 4)}
    assert len(keys) == 8
    assert key({"a": 1, "b": [2]}, ("x",), 3) == key({"b": [2], "a": 1}, ["x"], 3)


@pytest.mark.parametrize("damage", ["flip", "truncate", "sum", "empty"])
def test_a_damaged_fit_is_told_and_removed(store, damage):
    fits, warnings, folder = store
    fits.put("a", bytes(range(200)))
    entry = folder / "a"
    data = bytearray((entry / "fit.pt").read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
        (entry / "fit.pt").write_bytes(data)
    elif damage == "truncate":
        (entry / "fit.pt").write_bytes(data[:100])
    elif damage == "sum":
        (entry / "sha256").write_text("0")
    else:
        (entry / "fit.pt").unlink()
    assert fits.get("a") is None
    assert len(warnings) == 1
    assert "is damaged" in warnings[0]
    assert not entry.exists()


def test_a_fit_that_is_a_link_costs_its_target_nothing(store, tmp_path):
    fits, _, folder = store
    fits.put("a", b"one")
    entry = folder / "a"
    target = entry.rename(tmp_path / "target")
    (target / "sha256").write_text("0")
    entry.symlink_to(target)
    assert fits.get("a") is None
    fits.put("a", b"two")
    assert sorted(path.name for path in target.iterdir()) == ["fit.pt", "sha256"]
    assert not entry.is_symlink()


def test_a_fit_that_cannot_be_stored_costs_a_warning(store):
    fits, warnings, folder = store
    # A limit on the size of files stops every write, as a full disk does.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        fits.put("a", bytes(1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(warnings) == 1
    assert "the fit cannot be stored (" in warnings[0]
    assert not list(folder.iterdir())
    fits.put("a", bytes(1000))
    assert fits.get("a") == bytes(1000)


def test_a_store_that_cannot_be_made_costs_a_warning(store, tmp_path):
    fits, warnings, _ = store
    (tmp_path / "fits").write_text("in the way")
    fits.put("a", b"one")
    assert fits.get("a") is None
    assert len(warnings) >= 1


def test_no_fit_is_stored_through_a_link(store, tmp_path):
    fits, warnings, folder = store
    (tmp_path / "outside").mkdir()
    folder.symlink_to(tmp_path / "outside")
    fits.put("a", b"one")
    assert "its folder is a symbolic link" in warnings[0]
    assert not list((tmp_path / "outside").iterdir())


def test_its_checksum_is_that_of_earlier_versions(store):
    fits, _, folder = store
    fits.put("a", b"one")
    assert (folder / "a" / "sha256").read_text() == hashlib.sha256(b"one").hexdigest()
