"""Functions and classes that others call by their names: replaced ones are put back."""

from __future__ import annotations

import builtins
import functools
import importlib
import json
import logging
import math
import os
import random
import sys
import time
import warnings
from contextlib import suppress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .trait import Trait, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = (builtins, functools, importlib, json, logging, math, os, random, sys, time, warnings)
LIBRARIES = (
    np,
    np.linalg,
    np.random,
    torch,
    torch.autograd,
    torch.linalg,
    torch.nn,
    torch.nn.functional,
    torch.nn.init,
    torch.optim,
    torch.optim.lr_scheduler,
    torch.random,
    torch.special,
)
CLASSES = (
    logging.Logger,
    torch.Tensor,
    torch.nn.Module,
    torch.nn.Linear,
    torch.nn.Parameter,
    torch.nn.Dropout,
    torch.nn.LSTM,
    torch.nn.LayerNorm,
    torch.optim.Optimizer,
    torch.optim.Adam,
    torch.optim.SGD,
)
"""Those whose methods training and evaluation call most."""

OF_TORCH = (
    "Generator Size Tensor abs addmm arange argmax argsort as_tensor autocast baddbmm bernoulli bmm "
    "cat cdist clamp cos cumsum device dropout einsum empty enable_grad equal exp eye from_numpy "
    "full gather get_rng_state inference_mode index_select isfinite layer_norm linspace load log "
    "log_softmax manual_seed matmul max maximum mean min minimum mm mul multinomial no_grad norm "
    "ones rand randint randn randperm relu save set_default_dtype set_grad_enabled set_num_threads "
    "set_rng_state sigmoid sin softmax sort split sqrt square stack std sum tanh tensor topk unique "
    "var where zeros zeros_like"
)
OF_NUMPY = (
    "abs add all any arange argmax argsort array array_equal asarray bincount concatenate cumsum "
    "diff divide dot empty exp flatnonzero float32 float64 full geterr int64 isfinite isnan load log "
    "matmul max maximum mean median memmap min minimum multiply ndarray nonzero ones percentile ptp "
    "quantile save searchsorted seterr sort sqrt stack std subtract sum unique var where zeros"
)
OF_OS = (
    "close dup2 environ fsync getcwd getenv getpid kill link listdir makedirs mkdir open read remove "
    "rename replace rmdir scandir stat unlink write"
)

LARGE = {torch: OF_TORCH.split(), np: OF_NUMPY.split(), os: OF_OS.split()}
"""What training, evaluation and journals use of modules that are too large to compare as a whole."""


class _Watched:
    """The functions and classes that a module or a class holds under names."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.names = [
            name
            for name in (LARGE[owner] if owner in LARGE else list(vars(owner)))
            if callable(value := vars(owner).get(name)) or isinstance(value, property | classmethod | staticmethod)
        ]
        # Of one name it would not give a tuple. Thousands of names are looked up before and after every call.
        self._get = itemgetter(*self.names, *self.names[:1]) if self.names else lambda _: ()

    def held(self) -> tuple[Any, ...]:
        """What is held under the names now; None for what is gone."""
        held = vars(self.owner)
        try:
            return tuple(self._get(held))
        except KeyError:
            return tuple(map(held.get, [*self.names, *self.names[:1]]))


Found = list[tuple[_Watched, tuple[Any, ...]]]


def traits() -> list[Trait]:
    """One for all of them."""
    return [
        Trait(
            "functions of others",
            _Namespaces().held,
            _restore,
            same=_same,
            loudness="quiet after imports",  # torch's compiler, for one, wraps some when it is imported
            shown=lambda before, _: listed([f"{owner.__name__}.{name}" for owner, name, _ in _replaced(before)]),
        )
    ]


class _Namespaces:
    """Shared modules, some classes, and all of alharness and its plugins."""

    def __init__(self) -> None:
        self._modules = 0
        self._watched: list[_Watched] = []

    def held(self) -> Found:
        """What all of them hold now."""
        if len(sys.modules) != self._modules:  # most calls import nothing
            self._modules = len(sys.modules)
            ours = [module for name, module in list(sys.modules.items()) if name.startswith("alharness")]
            classes = [
                value
                for module in ours
                for value in list(vars(module).values())
                if isinstance(value, type) and value.__module__ == module.__name__
            ]
            self._watched = [_Watched(owner) for owner in (*SHARED, *LIBRARIES, *CLASSES, *ours, *classes)]
        return [(watched, watched.held()) for watched in self._watched]


def _same(before: Found, after: Found) -> bool:
    # Quick, since what is identical is not compared further. Imports add to the second list.
    with suppress(Exception):  # a class may compare as it likes
        if [held for _, held in before] == [held for _, held in after]:
            return True
    return next(_replaced(before), None) is None


def _replaced(before: Found) -> Iterator[tuple[Any, str, Any]]:
    """(owner, name, what it held) of what is not there any more."""
    for watched, held in before:
        for name, old, new in zip(watched.names, held, watched.held(), strict=False):
            if new is not old and not _by_torch_itself(name, old, new):
                yield watched.owner, name, old


def _by_torch_itself(name: str, old: Any, new: Any) -> bool:
    """Whether it is a replacement that torch makes in ordinary use.

    With another default dtype it puts another `Storage` in place, and the first optimizer of a kind wraps the
    `step` of its class.
    """
    wrapped = getattr(new, "hooked", False) and getattr(new, "__wrapped__", None) is old
    return name == "Storage" or (name == "step" and wrapped)


def _restore(before: Found) -> None:
    for owner, name, old in list(_replaced(before)):
        setattr(owner, name, old)
