"""`python -m benchmarks.gpu`: check and measure what needs a GPU, and renew docs/explanation/gpu.md."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime

from benchmarks.commands import ROOT

PAGE = ROOT / "docs" / "explanation" / "gpu.md"


def main() -> int:
    """0: all is as it must be, or there is no GPU and the command works without; 1: something is not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument(
        "--cpu", action="store_true", help="try it out: the same in small on the CPU, nothing is kept"
    )
    chosen = parser.parse_args()

    import torch

    from benchmarks import page

    from . import tables
    from .problems import Place

    tiny = chosen.cpu or not torch.cuda.is_available()
    began = time.monotonic()
    found = tables.Tables(Place.on("cpu" if tiny else "cuda", tiny=tiny))
    for heading in found.measure():
        print(f"{time.monotonic() - began:4.0f} s  {heading}", flush=True)
    print(f"\n{found.text}\n")
    for bound in found.missed:
        print(f"FAIL: {bound}")
    if tiny:
        print("no GPU was measured: this was the same in small on the CPU, and nothing is kept")
    else:
        gpu = torch.cuda.get_device_name()
        page.put(f"{datetime.now(UTC):%Y-%m-%d}, on one {gpu}; {page.machine()}\n\n{found.text}", PAGE)
        print(f"{time.monotonic() - began:.0f} s; the tables are in {PAGE.relative_to(ROOT)}")
    return 1 if found.missed else 0


if __name__ == "__main__":
    sys.exit(main())
