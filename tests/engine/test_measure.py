import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from alharness.engine import measure
from alharness.engine.measure import Clock, Meter

CPU = torch.device("cpu")


def test_a_clock_charges_a_phase_and_pauses_the_one_around_it(monkeypatch):
    now = 100.0
    monkeypatch.setattr(measure, "time", SimpleNamespace(perf_counter=lambda: now))
    clock = Clock(CPU, rest="selection")
    now += 1
    with clock.charge("gradients"):
        now += 2
        with clock.charge("inference"):
            now += 4
        now += 8
    now += 16
    clock.lap()
    assert clock.seconds == {"selection": 17, "gradients": 10, "inference": 4}


def test_a_phase_ends_when_its_block_raises():
    clock = Clock(CPU, rest="selection")
    with pytest.raises(ValueError, match="inside"), clock.charge("gradients"):
        raise ValueError("inside")
    assert clock.phase == "selection"


def test_a_meter_reports_wall_and_cpu_seconds():
    with Meter(CPU) as meter:
        time.sleep(0.1)
    assert 0.1 <= meter.cost["seconds"] < 10  # a busy machine wakes it late
    assert meter.cost["cpu_seconds"] < 0.05


def spike():
    block = np.ones(25_000_000)  # 191 MiB, gone again before the end
    return float(block[0])


def test_a_meter_sees_a_spike_that_is_gone_at_the_end():
    with Meter(CPU) as meter:
        spike()
    assert 185 < meter.cost["cpu_peak_increase_mib"] < 300
    with Meter(CPU) as quiet:
        time.sleep(0.01)
    assert quiet.cost["cpu_peak_increase_mib"] < 20  # the mark was reset: the old spike is not seen again


def test_the_fallback_samples_the_memory(monkeypatch):
    monkeypatch.setattr(measure._ResidentPeak, "_reset_mark", staticmethod(lambda: False))
    with Meter(CPU) as meter:
        block = np.ones(25_000_000)
        time.sleep(0.5)
        del block
    assert 185 < meter.cost["cpu_peak_increase_mib"] < 300


def test_without_a_gpu_there_is_no_number_for_it():
    with Meter(CPU) as meter:
        pass
    assert not [name for name in meter.cost if "gpu" in name]
