import hashlib
import math
import resource
import threading

import filelock
import pytest
import torch

from alharness.engine.loop import Fit
from alharness.runs.fits import FitStore


@pytest.fixture
def store(tmp_path):
    warnings = []
    return FitStore(tmp_path / "fits", {"model": "m"}, warnings.append), warnings, tmp_path / "fits"


def equal(one, other):
    pairs = zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_an_equal_request_is_trained_once(store, make_trainer, make_samples, monkeypatch):
    fits, warnings, _ = store
    trainer, request = make_trainer(epochs=2), Fit(cycle=0, labeled=make_samples(20).pooled(), seed=3)
    first = fits.fit(trainer, request)
    monkeypatch.setattr(trainer, "fit", lambda *_: pytest.fail("trained again"))
    second = fits.fit(trainer, request)
    assert equal(first, second)
    assert "train_reused" not in first.cost
    assert second.cost == {**first.cost, "train_reused": 1.0}
    assert not second.model.training
    assert not any(p.requires_grad for p in second.model.parameters())
    assert not warnings


def test_other_samples_seeds_and_contexts_are_other_fits(store, make_trainer, make_samples, tmp_path):
    fits, _, folder = store
    trainer = make_trainer(epochs=1)
    for n, seed in ((20, 3), (21, 3), (20, 4)):
        fits.fit(trainer, Fit(cycle=0, labeled=make_samples(n).pooled(), seed=seed))
    other = FitStore(folder, {"model": "other"}, print)
    other.fit(trainer, Fit(cycle=0, labeled=make_samples(20).pooled(), seed=3))
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize("damage", ["flip", "truncate", "sum", "empty"])
def test_a_damaged_fit_is_told_and_trained_again(store, make_trainer, make_samples, damage):
    fits, warnings, folder = store
    trainer, request = make_trainer(epochs=2), Fit(cycle=0, labeled=make_samples(20).pooled(), seed=3)
    first = fits.fit(trainer, request)
    entry = next(folder.iterdir())
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
    again = fits.fit(trainer, request)
    assert equal(first, again)
    assert "train_reused" not in again.cost
    assert len(warnings) == 1
    assert "is damaged" in warnings[0]
    assert fits.fit(trainer, request).cost["train_reused"] == 1


@pytest.mark.parametrize(
    "content",
    [
        {"weights": {}, "epochs": 1},
        {"weights": {"x": torch.zeros(1)}, "epochs": 1, "cost": {}},
        {"weights": {}, "epochs": "1", "cost": {}},
        {"weights": {}, "epochs": 1, "cost": {"train_seconds": math.nan}},
        {"weights": {}, "epochs": 1, "cost": ["train_seconds"]},
        [1, 2],
    ],
)
def test_a_fit_whose_checksum_fits_but_that_cannot_be_is_trained_again(store, make_trainer, make_samples, content):
    fits, warnings, folder = store
    trainer, request = make_trainer(epochs=1), Fit(cycle=0, labeled=make_samples(20).pooled(), seed=3)
    fits.fit(trainer, request)
    entry = next(folder.iterdir())
    torch.save(content, entry / "fit.pt")
    (entry / "sha256").write_text(hashlib.sha256((entry / "fit.pt").read_bytes()).hexdigest())
    assert "train_reused" not in fits.fit(trainer, request).cost
    assert ["is damaged" in warning for warning in warnings] == [True]


def test_a_fit_that_is_a_link_costs_its_target_nothing(store, make_trainer, make_samples, tmp_path):
    fits, _, folder = store
    trainer, request = make_trainer(epochs=1), Fit(cycle=0, labeled=make_samples(20).pooled(), seed=3)
    fits.fit(trainer, request)
    entry = next(folder.iterdir())
    target = entry.rename(tmp_path / "target")
    (target / "sha256").write_text("0")
    entry.symlink_to(target)
    assert "train_reused" not in fits.fit(trainer, request).cost
    assert sorted(path.name for path in target.iterdir()) == ["fit.pt", "sha256"]
    assert not entry.is_symlink()


def on_a_full_disk(action):
    """Do something while a limit on the size of files stops every write, as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        return action()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_fit_that_cannot_be_stored_costs_a_warning(store, make_trainer, make_samples):
    fits, warnings, folder = store
    trainer, request = make_trainer(epochs=1), Fit(cycle=0, labeled=make_samples(9).pooled(), seed=0)
    found = on_a_full_disk(lambda: fits.fit(trainer, request))
    assert "train_reused" not in found.cost
    assert len(warnings) == 1
    assert "the fit cannot be stored (" in warnings[0]
    assert not list(folder.iterdir())
    assert "train_reused" not in fits.fit(trainer, request).cost
    assert fits.fit(trainer, request).cost["train_reused"] == 1


@pytest.mark.parametrize("name", ["fits", "fit-locks"])
def test_a_store_that_cannot_be_made_costs_no_cell(store, make_trainer, make_samples, tmp_path, name):
    fits, warnings, _ = store
    (tmp_path / name).write_text("in the way")
    found = fits.fit(make_trainer(epochs=1), Fit(cycle=0, labeled=make_samples(9).pooled(), seed=0))
    assert found.epochs == 1
    assert len(warnings) == (name == "fits")


def test_no_fit_is_stored_through_a_link(store, make_trainer, make_samples, tmp_path):
    fits, warnings, folder = store
    (tmp_path / "outside").mkdir()
    folder.symlink_to(tmp_path / "outside")
    fits.fit(make_trainer(epochs=1), Fit(cycle=0, labeled=make_samples(9).pooled(), seed=0))
    assert "its folder is a symbolic link" in warnings[0]
    assert not list((tmp_path / "outside").iterdir())


def test_a_fit_that_another_process_is_making_is_waited_for(store, make_trainer, make_samples, monkeypatch):
    fits, _, folder = store
    trainer, request = make_trainer(epochs=1), Fit(cycle=0, labeled=make_samples(20).pooled(), seed=3)
    first = fits.fit(trainer, request)
    (made,) = folder.iterdir()
    aside = made.rename(folder.with_name("aside"))
    monkeypatch.setattr(trainer, "fit", lambda *_: pytest.fail("trained again"))
    found = []
    waiting = threading.Thread(target=lambda: found.append(fits.fit(trainer, request)))
    with filelock.FileLock(folder.with_name("fit-locks") / made.name):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        aside.rename(made)
    waiting.join(10)
    assert equal(first, found[0])
