"""Seconds and MiB, measured with the accelerator synchronized; what cannot be measured is absent, never 0."""

from __future__ import annotations

import errno
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
import torch

from alharness.errors import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

MIB = 2**20
UNAVAILABLE = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")
"""What torch and CUDA libraries write into a plain RuntimeError."""


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def free_memory(device: torch.device) -> int:
    """Bytes that can be taken; of an accelerator also those that torch has taken and that nothing uses.

    Of one that processes share by `torch.cuda.set_per_process_memory_fraction`, no more than is this one's.
    """
    if device.type == "cpu":
        return psutil.virtual_memory().available
    memory: Any = torch.get_device_module(device)
    free: int = memory.mem_get_info(device)[0] + memory.memory_reserved(device) - memory.memory_allocated(device)
    if device.type != "cuda" or (share := memory.get_per_process_memory_fraction(device)) >= 1:
        return free
    own: int = int(share * memory.mem_get_info(device)[1]) - memory.memory_allocated(device)
    return max(0, min(free, own))


def wants_memory(error: BaseException) -> bool:
    """Whether an exception, or one that it was raised from, says that memory is lacking."""
    return any(
        isinstance(link, MemoryError | torch.OutOfMemoryError)
        or (isinstance(link, OSError) and link.errno == errno.ENOMEM)
        or (type(link) is RuntimeError and any(words in text_of(link) for words in UNAVAILABLE))
        for link in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and so on."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


class Clock:
    """Splits elapsed time into named phases. Entering a phase stops charging the one around it."""

    def __init__(self, device: torch.device, rest: str) -> None:
        self.seconds: dict[str, float] = {rest: 0.0}
        self._device = device
        self._stack = [rest]
        self._since = time.perf_counter()

    @property
    def phase(self) -> str:
        """The phase being charged."""
        return self._stack[-1]

    @contextmanager
    def charge(self, phase: str) -> Iterator[None]:
        """Charge what happens inside to `phase`."""
        self.lap()
        self._stack.append(phase)
        try:
            yield
        finally:
            self.lap()
            self._stack.pop()

    def lap(self) -> None:
        """Charge the time since the last lap to the current phase."""
        synchronize(self._device)
        now = time.perf_counter()
        self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self._since
        self._since = now


class Meter:
    """Measures a block: wall and CPU seconds, peak memory of the process and of the accelerator.

    After the block `cost` holds `seconds`, `cpu_seconds`, `cpu_peak_mib` (peak resident memory), and
    `cpu_peak_increase_mib` (peak minus what was resident before), and on an accelerator
    `gpu_peak_alloc_mib` (tensors) and `gpu_peak_reserved_mib` (the caching allocator); neither of the last two
    holds the accelerator's own context.
    """

    def __init__(self, device: torch.device) -> None:
        self.cost: dict[str, float] = {}
        self._device = device
        self._memory = _ResidentPeak()

    def __enter__(self) -> Self:
        if self._device.type != "cpu":
            torch.accelerator.reset_peak_memory_stats(self._device)
        self._memory.start()
        synchronize(self._device)
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        synchronize(self._device)
        self.cost["seconds"] = time.perf_counter() - self._wall
        self.cost["cpu_seconds"] = time.process_time() - self._cpu
        before, peak = self._memory.stop()
        self.cost["cpu_peak_mib"] = peak / MIB
        self.cost["cpu_peak_increase_mib"] = max(0, peak - before) / MIB
        if self._device.type != "cpu":
            self.cost["gpu_peak_alloc_mib"] = torch.accelerator.max_memory_allocated(self._device) / MIB
            self.cost["gpu_peak_reserved_mib"] = torch.accelerator.max_memory_reserved(self._device) / MIB


class _ResidentPeak:
    """Peak resident memory of this process, in bytes.

    Linux keeps a high-water mark that can be reset, which is exact and free. Elsewhere, and if the reset is
    not permitted, a thread reads it every 50 ms; shorter intervals slow down what is measured.
    """

    INTERVAL = 0.05

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._watch: _Watch | None = None

    def start(self) -> None:
        self._before = self._process.memory_info().rss
        if not self._reset_mark():
            self._watch = _Watch(self._process, self.INTERVAL)
            self._watch.start()

    def stop(self) -> tuple[int, int]:
        """Bytes resident at the start, and the most since."""
        if self._watch:
            return self._before, max(self._before, self._watch.finish())
        return self._before, self._mark()

    @staticmethod
    def _reset_mark() -> bool:
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            return False
        return True

    @staticmethod
    def _mark() -> int:
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


class _Watch(threading.Thread):
    def __init__(self, process: psutil.Process, interval: float) -> None:
        super().__init__(daemon=True)
        self._process, self._interval = process, interval
        self._done = threading.Event()
        self._peak = 0

    def run(self) -> None:
        while not self._done.wait(self._interval):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def finish(self) -> int:
        self._done.set()
        self.join()
        return max(self._peak, self._process.memory_info().rss)
