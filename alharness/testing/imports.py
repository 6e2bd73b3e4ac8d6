"""What an import brings along."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache


@cache  # plugins are tested with many sets of parameters, and a new process takes a while
def imports_torch(module: str) -> bool:
    """Whether torch is loaded after this module was, in a process of its own.

    Raises:
        ModuleNotFoundError: the module cannot be imported there.
    """
    code = f"import sys, {module}; print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if run.returncode:
        raise ModuleNotFoundError(f"{module} cannot be imported in a new process:\n{run.stderr}")
    return run.stdout.strip() == "True"
