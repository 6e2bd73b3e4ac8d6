import builtins
import decimal
import gc
import locale
import logging
import multiprocessing
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import types
import warnings

import numpy as np
import pytest
import torch

from alharness.errors import SamplerError
from alharness.guard.border import TRAITS, Border, Snapshot


def leak(name, action):
    return pytest.param(action, id=name)


class Finder:
    def find_spec(self, name, path=None, target=None):
        return None


def hide_a_module():
    sys.modules["json"] = types.ModuleType("json")


def leave_function_mode():
    torch.overrides.TorchFunctionMode().__enter__()


def replace_the_path():
    sys.path = ["/elsewhere"]


def set_a_handler():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def end_everything():
    signal.alarm(60)


def limit_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))


LEAKS = [
    leak("dtype", lambda: torch.set_default_dtype(torch.float64)),
    leak("device", lambda: torch.set_default_device("meta")),
    leak("threads", lambda: torch.set_num_threads(torch.get_num_threads() + 1)),
    leak("grad", lambda: torch.set_grad_enabled(False)),
    leak("deterministic", lambda: torch.use_deterministic_algorithms(True)),
    leak("warn only", lambda: torch.use_deterministic_algorithms(True, warn_only=True)),
    leak("matmul", lambda: torch.set_float32_matmul_precision("medium")),
    leak("fp32", lambda: setattr(torch.backends, "fp32_precision", "tf32")),
    leak("benchmark", lambda: setattr(torch.backends.cudnn, "benchmark", True)),
    leak("cudnn", lambda: setattr(torch.backends.cudnn, "enabled", False)),
    leak("mkldnn", lambda: torch.backends.mkldnn.set_flags(False)),
    leak("anomaly", lambda: torch.autograd.set_detect_anomaly(True)),
    leak("autocast", lambda: torch.set_autocast_enabled("cpu", True)),
    leak("autocast dtype", lambda: torch.set_autocast_dtype("cpu", torch.float16)),
    leak("denormal", lambda: torch.set_flush_denormal(True)),
    leak("function mode", leave_function_mode),
    leak("hook", lambda: torch.nn.modules.module.register_module_forward_hook(lambda *_: None)),
    leak("attention", lambda: torch.backends.cuda.enable_math_sdp(False)),
    leak("patch", lambda: setattr(torch.nn.functional, "relu", torch.nn.functional.gelu)),
    leak("patched method", lambda: setattr(torch.nn.Linear, "forward", lambda self, x: x)),
    leak("patched numpy", lambda: setattr(np, "unique", np.sort)),
    leak("patched harness", lambda: setattr(Snapshot, "put_back", lambda self: ([], []))),
    leak("patched builtin", lambda: setattr(builtins, "sorted", list)),
    leak("nperr", lambda: np.seterr(all="raise")),
    leak("npcall", lambda: np.seterrcall(lambda *_: None)),
    leak("npprint", lambda: np.set_printoptions(precision=2)),
    leak("npbuffer", lambda: np.setbufsize(16384)),
    leak("recursion", lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 7)),
    leak("switch", lambda: sys.setswitchinterval(0.5)),
    leak("stdout", lambda: setattr(sys, "stdout", None)),
    leak("excepthook", lambda: setattr(sys, "excepthook", print)),
    leak("profile", lambda: sys.setprofile(lambda *_: None)),
    leak("path", lambda: sys.path.insert(0, "/elsewhere")),
    leak("another path", replace_the_path),
    leak("finder", lambda: sys.meta_path.insert(0, Finder())),
    leak("module", hide_a_module),
    leak("module gone", lambda: sys.modules.pop("json")),
    leak("warnings", lambda: warnings.simplefilter("error")),
    leak("showwarning", lambda: setattr(warnings, "showwarning", print)),
    leak("logging disabled", lambda: logging.disable(logging.CRITICAL)),
    leak("root level", lambda: logging.root.setLevel(3)),
    leak("root handler", lambda: logging.root.addHandler(logging.NullHandler())),
    leak("a logger", lambda: setattr(logging.getLogger("alharness"), "disabled", True)),
    leak("gc", gc.disable),
    leak("gc threshold", lambda: gc.set_threshold(1)),
    leak("decimal", lambda: setattr(decimal.getcontext(), "prec", 3)),
    leak(
        "locale",
        lambda: locale.setlocale(locale.LC_ALL, "C" if locale.setlocale(locale.LC_ALL) != "C" else "C.UTF-8"),
    ),
    leak("handler", set_a_handler),
    leak("alarm", end_everything),
    leak("mask", lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})),
    leak("environment", lambda: os.environ.update(LEAKED="secret")),
    leak("environment gone", lambda: os.environ.pop("PATH")),
    leak("folder", lambda: os.chdir("/")),
    leak("umask", lambda: os.umask(0o777)),
    leak("limit", limit_files),
    leak("affinity", lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})),
    leak("stack", lambda: threading.stack_size(2**20)),
    leak("closed descriptor", lambda: os.close(1)),
    leak("descriptor", lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2)),
    leak("torch prints", lambda: torch.set_printoptions(precision=1)),
    leak("sklearn", lambda: sys.modules["sklearn"].set_config(assume_finite=True)),
    leak("sockets", lambda: socket.setdefaulttimeout(1)),
    leak("tracemalloc", tracemalloc.start),
    leak("start method", lambda: multiprocessing.set_start_method("spawn", force=True)),
    leak("torch module", lambda: sys.modules.pop("torch.nn")),
    leak("child", lambda: subprocess.Popen(["sleep", "60"])),
]


def fingerprint():
    return [trait.value() for trait in TRAITS]


@pytest.fixture(autouse=True)
def there_before():
    import sklearn  # noqa: F401

    logging.getLogger("alharness")


@pytest.mark.parametrize("action", LEAKS)
def test_case_31_what_a_plugin_changes_is_put_back_and_told(action):
    before, told = Snapshot(), []
    with Border("leaky (x 1.0)", SamplerError, told.append).crossed():
        action()
    assert before.changes() == []
    assert len(told) == 1
    assert told[0].startswith("leaky (x 1.0) changed ")
    assert "secret" not in told[0]


@pytest.mark.parametrize(
    "draw", [lambda: torch.rand(3), lambda: np.random.seed(1), random.random, lambda: torch.manual_seed(3)]
)
def test_case_28_global_generators_are_put_back_without_a_word(draw):
    before, told = Snapshot(), []
    with Border("x", SamplerError, told.append).crossed():
        draw()
    assert (before.changes(), told) == ([], [])


def test_the_default_way_to_start_processes_is_left_open_without_a_word():
    """A pool of threads settles for it, as the default one of joblib does."""
    chosen, told = multiprocessing.get_start_method(allow_none=True), []
    multiprocessing.set_start_method(None, force=True)
    try:
        with Border("x", SamplerError, told.append).crossed():
            multiprocessing.get_context()
        assert (multiprocessing.get_start_method(allow_none=True), told) == (None, [])
    finally:
        multiprocessing.set_start_method(chosen, force=True)


def test_it_is_put_back_after_an_error_too():
    before = Snapshot()
    with (
        pytest.raises(SamplerError, match="x: KeyError, in cycle 2"),
        Border("x", SamplerError, print).crossed("cycle 2"),
    ):
        os.chdir("/")
        raise KeyError
    assert before.changes() == []


def test_the_least_depth_of_calls_that_a_plugin_can_leave_is_enough_to_put_it_back():
    def depth():
        frame, number = sys._getframe(), 0
        while frame := frame.f_back:
            number += 1
        return number

    def lower():
        for least in range(depth(), limit):
            try:
                sys.setrecursionlimit(least)
            except RecursionError:
                continue
            return

    limit = sys.getrecursionlimit()
    try:
        with Border("x", SamplerError, print).crossed():
            lower()
        assert sys.getrecursionlimit() == limit
    finally:
        sys.setrecursionlimit(limit)


def test_what_a_library_sets_when_it_is_imported_is_put_back_without_a_word():
    told = []
    with Border("x", SamplerError, told.append).crossed():
        os.environ["SET_BY_AN_IMPORT"] = "1"
        warnings.simplefilter("always")
        sys.modules["a_new_module"] = types.ModuleType("a_new_module")
    del sys.modules["a_new_module"]
    assert told == []
    assert "SET_BY_AN_IMPORT" not in os.environ


def test_a_thread_that_goes_on_is_refused_by_its_name():
    done, refused = threading.Event(), pytest.raises(SamplerError, match=r"x: it changed threads .*\(forgotten\)")
    try:
        with refused, Border("x", SamplerError, print).crossed():
            threading.Thread(target=done.wait, name="forgotten").start()
    finally:
        done.set()


def test_a_thread_that_ends_soon_is_nothing():
    told = []
    with Border("x", SamplerError, told.append).crossed():
        threading.Thread(target=time.sleep, args=(0.05,)).start()
    assert told == []


def test_inference_mode_cannot_be_put_back_and_is_refused():
    mode = torch.inference_mode()
    try:
        with (
            pytest.raises(SamplerError, match="torch's inference mode"),
            Border("x", SamplerError, print).crossed(),
        ):
            mode.__enter__()
    finally:
        mode.__exit__(None, None, None)


def test_an_innocent_plugin_is_not_told_of():
    told = []
    with Border("x", SamplerError, told.append).crossed():
        torch.nn.Linear(3, 2)(torch.rand(5, 3)).sum().backward()
        with torch.no_grad(), torch.autocast("cpu"), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.linalg.svd(np.random.default_rng(0).normal(size=(20, 20)))
    assert told == []


def test_a_crossing_takes_little_time():
    seconds = []
    for _ in range(20):
        began = time.process_time()
        with Border("x", SamplerError, print).crossed():
            pass
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.01
