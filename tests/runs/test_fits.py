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
def test_case_14_and_case_15_a_damaged_fit_is_told_and_removed(store, damage):
    fits, warnings, folder = store
    fits.put("a", bytes(range(200)))
    (entry,) = folder.iterdir()
    data = bytearray(entry.read_bytes())
    if damage == "flip":
        data[-100] ^= 1
    elif damage == "sum":
        data[:64] = b"0"
    entry.write_bytes({"truncate": data[:100], "empty": b""}.get(damage, data))
    assert fits.get("a") is None
    assert len(warnings) == 1
    assert "is damaged" in warnings[0]
    assert not entry.exists()


def test_a_fit_that_is_a_link_costs_its_target_nothing(store, tmp_path):
    fits, _, folder = store
    fits.put("a", b"one")
    (entry,) = folder.iterdir()
    target = entry.rename(tmp_path / "target")
    target.write_bytes(b"precious")
    entry.symlink_to(target)
    assert fits.get("a") is None
    entry.symlink_to(target)
    fits.put("a", b"two")
    assert target.read_bytes() == b"precious"
    assert not entry.is_symlink()
    assert fits.get("a") == b"two"


def test_case_11_a_fit_that_cannot_be_stored_costs_a_warning(store):
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
    assert "fits: is a symbolic link" in warnings[0]
    assert not list((tmp_path / "outside").iterdir())
