import time

import numpy as np
import pytest
import torch

from alharness.engine import measure
from alharness.engine.measure import Clock, Meter

CPU = torch.device("cpu")


def test_a_clock_charges_a_phase_and_pauses_the_one_around_it():
    clock = Clock(CPU, rest="selection")
    time.sleep(0.02)
    with clock.charge("gradients"):
        time.sleep(0.04)
        with clock.charge("inference"):
            time.sleep(0.08)
    clock.lap()
    seconds = clock.seconds
    assert seconds["selection"] == pytest.approx(0.02, abs=0.015)
    assert seconds["gradients"] == pytest.approx(0.04, abs=0.015)
    assert seconds["inference"] == pytest.approx(0.08, abs=0.03)


def test_a_phase_ends_when_its_block_raises():
    clock = Clock(CPU, rest="selection")
    with pytest.raises(ValueError, match="inside"), clock.charge("gradients"):
        raise ValueError("inside")
    assert clock.phase == "selection"


def test_a_meter_reports_wall_and_cpu_seconds():
    with Meter(CPU) as meter:
        time.sleep(0.1)
    assert meter.cost["seconds"] == pytest.approx(0.1, abs=0.05)
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
        time.sleep(0.2)
        del block
    assert 185 < meter.cost["cpu_peak_increase_mib"] < 300


def test_without_a_gpu_there_is_no_number_for_it():
    with Meter(CPU) as meter:
        pass
    assert not [name for name in meter.cost if "gpu" in name]
