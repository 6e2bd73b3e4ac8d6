"""What plugins can change in torch: switches that decide what operations compute, in what type, where, and how."""

from __future__ import annotations

from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .trait import Trait, cannot, nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


STACKS = (
    "_len_torch_function_stack",
    "_len_torch_dispatch_stack",
    "_pop_torch_function_stack",
    "_pop_torch_dispatch_stack",
)
"""What torch has for the stacks of its modes, under private names only."""


def traits() -> list[Trait]:
    """All switches that change what operations compute, in what type, where, with how many threads."""
    backends = torch.backends
    return [
        # First: a mode decides what all other calls do.
        *_of(
            torch._C,  # noqa: SLF001
            STACKS,
            lambda: Trait("torch's modes of functions", _modes, _restore_modes, shown=nothing),
        ),
        Trait(
            "torch's global generator",
            torch.get_rng_state,
            torch.set_rng_state,
            same=torch.equal,
            loudness="quiet",
        ),
        *_cuda(),
        Trait("torch's inference mode", torch.is_inference_mode_enabled, cannot),
        Trait(
            "torch's default device",
            torch.get_default_device,
            _restore_device,
            shown=lambda before, after: f"{before} → {after}",
        ),
        Trait("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype),
        Trait("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
        Trait(
            "torch's number of threads between operations",
            torch.get_num_interop_threads,
            torch.set_num_interop_threads,
        ),
        Trait("torch's gradient mode", torch.is_grad_enabled, _set_grad_enabled),
        Trait(
            "torch's deterministic algorithms",
            lambda: (
                torch.are_deterministic_algorithms_enabled(),
                torch.is_deterministic_algorithms_warn_only_enabled(),
            ),
            lambda before: torch.use_deterministic_algorithms(before[0], warn_only=before[1]),
        ),
        Trait(
            "torch's anomaly detection",
            lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
            lambda before: _autograd().set_detect_anomaly(*before),
        ),
        Trait(
            "torch's autocast",
            lambda: [
                (kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in ("cpu", "cuda")
            ],
            _restore_autocast,
            shown=nothing,
        ),
        Trait("torch's cache of autocast", torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled),
        Trait("how torch treats denormal numbers", _flushes, torch.set_flush_denormal),
        # The older name of the same switches comes first: it sets some of the newer ones.
        Trait(
            "torch's precision of products", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
        ),
        *(
            _flag(f"{path}.fp32_precision")
            for path in (
                "backends",
                "backends.cuda.matmul",
                "backends.cudnn",
                "backends.cudnn.conv",
                "backends.cudnn.rnn",
                "backends.mkldnn",
                "backends.mkldnn.conv",
                "backends.mkldnn.matmul",
                "backends.mkldnn.rnn",
            )
        ),
        *(
            _flag(name)
            for name in (
                "backends.cudnn.enabled",
                "backends.cudnn.benchmark",
                "backends.cudnn.deterministic",
                "backends.cuda.matmul.allow_fp16_reduced_precision_reduction",
                "backends.cuda.matmul.allow_bf16_reduced_precision_reduction",
                "backends.mkldnn.enabled",
                "backends.mkldnn.deterministic",
                "backends.opt_einsum.enabled",
                "backends.opt_einsum.strategy",
                "utils.deterministic.fill_uninitialized_memory",
            )
        ),
        Trait(
            "torch's fast path of attention", backends.mha.get_fastpath_enabled, backends.mha.set_fastpath_enabled
        ),
        *(
            Trait(f"torch's {name} attention", getattr(backends.cuda, read), getattr(backends.cuda, write))
            for name, read, write in (
                ("flash", "flash_sdp_enabled", "enable_flash_sdp"),
                ("memory-efficient", "mem_efficient_sdp_enabled", "enable_mem_efficient_sdp"),
                ("plain", "math_sdp_enabled", "enable_math_sdp"),
                ("cuDNN", "cudnn_sdp_enabled", "enable_cudnn_sdp"),
            )
        ),
        *_of(
            torch._C,  # noqa: SLF001 - the public name is a context manager
            ["_set_multithreading_enabled"],
            lambda: Trait(
                "torch's threads of differentiation",
                torch.autograd.is_multithreading_enabled,
                torch._C._set_multithreading_enabled,  # noqa: SLF001
            ),
        ),
        *_of(
            torch._tensor_str,  # noqa: SLF001
            ["PRINT_OPTS"],
            lambda: Trait(
                "how torch prints",
                lambda: dict(vars(torch._tensor_str.PRINT_OPTS)),  # noqa: SLF001
                lambda before: vars(torch._tensor_str.PRINT_OPTS).update(before),  # noqa: SLF001
                shown=nothing,
            ),
        ),
        Trait("torch's repeated warnings", torch.is_warn_always_enabled, torch.set_warn_always),
        Trait(
            "how torch's processes share tensors",
            torch.multiprocessing.get_sharing_strategy,
            torch.multiprocessing.set_sharing_strategy,
        ),
        Trait(
            "torch's hooks of all modules",
            lambda: [(hooks, dict(hooks)) for hooks in _hooks_of_all_modules()],
            _restore_hooks,
            same=lambda before, after: [old for _, old in before] == [new for _, new in after],
            shown=nothing,
        ),
    ]


def _of(owner: Any, private: Iterable[str], make: Callable[[], Trait]) -> list[Trait]:
    """A trait that only private names of torch reach; none if this version of torch lacks one of them."""
    return [make()] if all(hasattr(owner, name) for name in private) else []


def _flag(path: str) -> Trait:
    """An attribute below `torch`."""
    *owner, name = path.split(".")
    found = reduce(getattr, owner, torch)
    return Trait(f"torch.{path}", partial(getattr, found, name), partial(setattr, found, name))


def _cuda() -> list[Trait]:
    """Nothing as long as CUDA is not in use: what reads it would begin to use it."""

    def used(read: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: read() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]

    def state() -> Any:
        return torch.stack(torch.cuda.get_rng_state_all())

    return [
        Trait(
            "torch's global generators of CUDA",
            used(state),
            lambda before: None if before is None else torch.cuda.set_rng_state_all(list(before)),
            same=lambda before, after: before is None or torch.equal(before, after),
            loudness="quiet",
        ),
        Trait(
            "the current CUDA device",
            used(torch.cuda.current_device),
            lambda before: None if before is None else torch.cuda.set_device(before),
            same=lambda before, after: before is None or before == after,
        ),
        Trait(
            "the current CUDA stream",
            used(torch.cuda.current_stream),
            lambda before: None if before is None else torch.cuda.set_stream(before),
            same=lambda before, after: before is None or before == after,
            shown=nothing,
        ),
    ]


def _autograd() -> Any:
    return torch.autograd


def _set_grad_enabled(on: bool) -> None:
    torch.set_grad_enabled(on)


def _modes() -> tuple[int, int]:
    """Lengths of the stacks of what intercepts torch's functions."""
    return torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()  # noqa: SLF001


def _restore_modes(before: tuple[int, int]) -> None:
    functions, dispatches = before
    while torch._C._len_torch_function_stack() > functions:  # noqa: SLF001
        torch._C._pop_torch_function_stack()  # noqa: SLF001
    while torch._C._len_torch_dispatch_stack() > dispatches:  # noqa: SLF001
        torch._C._pop_torch_dispatch_stack(None)  # noqa: SLF001


def _restore_device(before: torch.device) -> None:
    torch.set_default_device(None)
    if torch.get_default_device() != before:
        torch.set_default_device(before)


def _restore_autocast(before: list[tuple[str, bool, torch.dtype]]) -> None:
    for kind, on, dtype in before:
        torch.set_autocast_enabled(kind, on)
        torch.set_autocast_dtype(kind, dtype)


def _flushes() -> bool:
    """Whether denormal numbers count as 0: torch does not report the setting."""
    return bool(np.float64(5e-324) * np.float64(1) == 0)


def _hooks_of_all_modules() -> list[dict[int, Any]]:
    known = vars(torch.nn.modules.module)
    return [value for name, value in known.items() if name.startswith("_global_") and isinstance(value, dict)]


def _restore_hooks(before: list[tuple[dict[int, Any], dict[int, Any]]]) -> None:
    for hooks, old in before:
        hooks.clear()
        hooks.update(old)
