import threading

import filelock
import pytest
import torch

from alharness.loop import Fit
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


def test_nothing_is_left_of_a_fit_that_could_not_be_stored(store, make_trainer, make_samples, monkeypatch):
    fits, _, folder = store

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        fits.fit(make_trainer(epochs=1), Fit(cycle=0, labeled=make_samples(9).pooled(), seed=0))
    assert not list(folder.iterdir())


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
