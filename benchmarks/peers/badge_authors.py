"""The BADGE authors' own program, from a checkout of its repository (JordanAsh/badge) that BADGE_CHECKOUT names.

The repository has no license and is no package, so nothing of it is here.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.bench import Call, Kernel, Unavailable

if TYPE_CHECKING:
    from benchmarks.problems import Pool

VARIABLE = "BADGE_CHECKOUT"
FILE = Path("query_strategies") / "badge_sampling.py"


def badge(problem: Pool) -> Call:
    """Its `BadgeSampling.query`, with the network's answers at hand."""
    strategy = _strategy()
    data = problem.data()
    probabilities = data.log_probabilities.exp()

    def call() -> object:
        sampling = strategy()
        sampling.X, sampling.Y, sampling.n_pool = data.pool, torch.zeros(problem.N), problem.N
        sampling.idxs_lb = np.zeros(problem.N, dtype=bool)
        sampling.get_embedding = lambda *_, **__: (data.pool, probabilities)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints a line for every pick
            return sampling.query(problem.k)

    return call


def _strategy() -> Any:
    """Makes its class. The file is not imported: it imports networks, a debugger and more that this needs not."""
    if not (checkout := os.environ.get(VARIABLE)):
        raise Unavailable(f"needs {VARIABLE}")
    path = Path(checkout) / FILE
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise Unavailable(f"{VARIABLE} has no {FILE}") from error
    from scipy import stats

    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names: dict[str, Any] = {"np": np, "stats": stats, "torch": torch, "Strategy": type("Strategy", (), {})}
    exec(compile(tree, str(path), "exec"), names)  # noqa: S102 - the user named this program to be run
    found = names["BadgeSampling"]
    return lambda: found.__new__(found)


AUTHORS = Kernel(name="the authors' program", prepare=badge, foreign=True)
