"""A stand-in for a GPU: tensors that say they are on a device of their own, their numbers in the CPU's memory.

It shows without a GPU what code does with devices. Operations on tensors of two devices raise as with CUDA,
dropout is the one operation that it is on a GPU, and what makes a GPU wait is counted. To be used in a process of
its own, since torch cannot forget a device.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from unittest import mock

import torch
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

_setup_privateuseone_for_python_backend("gpu")
GPU, CPU = torch.device("gpu", 0), torch.device("cpu")
ops = torch.ops.aten
COPIES = (ops._to_copy.default, ops.copy_.default)
# Indices may be on the CPU: torch copies them.
INDEXING = (ops.index.Tensor, ops.index_put_.default, ops.index_put.default)
SIZED_BY_VALUES = (ops.nonzero.default, ops.masked_select.default, ops.unique_consecutive.default)
waits: Counter[str] = Counter()
"""How often each operation made the host wait for the device."""


class OnDevice(torch.Tensor):
    """A tensor on the device."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=GPU,
        )
        made.held = held
        return made

    @property
    def data(self):
        return self.detach()

    @data.setter
    def data(self, value):
        torch.Tensor.data.__set__(self, value)
        self.held = value.held

    def tolist(self):
        return self.cpu().tolist()

    def __repr__(self):
        return f"OnDevice({self.held})"

    def __deepcopy__(self, memo):
        copied = OnDevice(self.held.clone()).requires_grad_(self.requires_grad)
        return torch.nn.Parameter(copied, self.requires_grad) if isinstance(self, torch.nn.Parameter) else copied

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return carry_out(operation, args, kwargs or {})


class Device(TorchDispatchMode):
    """Inside, tensors can be made on the device."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return carry_out(operation, args, kwargs or {})


def mapped(kind, change, value):
    """The same with what is of this kind changed. torch's own tree_map_only would take most of the time here."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, (tuple, list)):
        return type(value)([mapped(kind, change, part) for part in value])
    if isinstance(value, dict):
        return {name: mapped(kind, change, part) for name, part in value.items()}
    return value


def carry_out(operation, args, kwargs):
    """An operation on tensors of one device, on the numbers that they hold."""
    tensors = []
    mapped(torch.Tensor, tensors.append, (args, kwargs))
    there = [x for x in tensors if isinstance(x, OnDevice)]
    here = [x for x in tensors if not isinstance(x, OnDevice) and x.ndim]
    if there and here and operation not in (*COPIES, *INDEXING):
        raise RuntimeError(f"{operation}: expected all tensors to be on the same device")
    asked = kwargs.get("device")
    to = torch.device(asked) if asked is not None else GPU if there else CPU
    if waits_for(operation, to, bool(there), args, kwargs):
        waits[str(operation)] += 1
    if asked is not None:
        kwargs = {**kwargs, "device": CPU}
    held = mapped(OnDevice, lambda x: x.held, (args, kwargs))
    found = operation(*held[0], **held[1])
    if operation is ops.copy_.default:
        return args[0]
    if to == CPU:
        return found
    if torch.Tag.inplace_view in operation.tags:  # the tensor itself gets the new sizes
        with no_dispatch():
            operation(*args, **kwargs)
    known = {id(x.held): x for x in there}  # what an operation in place gives is what it was given
    return mapped(torch.Tensor, lambda x: known[id(x)] if id(x) in known else OnDevice(x), found)


def waits_for(operation, to, there, args, kwargs):
    """Whether the host would wait for a GPU."""
    if operation is ops.copy_.default:
        return type(args[0]) is not type(args[1]) and not (kwargs.get("non_blocking") or True in args[2:])
    if operation is ops._to_copy.default:
        return (to == GPU) is not there and not kwargs.get("non_blocking")
    return there and (operation is ops._local_scalar_dense.default or to != GPU or operation in SIZED_BY_VALUES)


@contextmanager
def device(free=64 * 2**30):
    """The device, with so many bytes free."""
    with ExitStack() as stack:
        for name, value in (
            ("synchronize", None),
            ("reset_peak_memory_stats", None),
            ("max_memory_allocated", 0),
            ("max_memory_reserved", 0),
            ("memory_allocated", 0),
        ):
            stack.enter_context(mock.patch.object(torch.accelerator, name, lambda *_, value=value: value))
        memory = torch.get_device_module(GPU)
        memory.mem_get_info = lambda *_: (free, free)
        memory.get_amp_supported_dtype = lambda: [torch.bfloat16]
        memory.memory_reserved = memory.memory_allocated = lambda *_: 0
        # As under fake tensors: `torch.tensor(..., device=...)` is a tensor of the CPU that is copied.
        torch._C._set_only_lift_cpu_tensors(True)
        stack.callback(torch._C._set_only_lift_cpu_tensors, False)
        stack.enter_context(Device())
        yield GPU
