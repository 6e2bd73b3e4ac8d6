"""CoreSet from a pool in parts, next to CoreSet in one process: seconds, memory, and the radius that is reached.

python -m benchmarks.pools FOLDER [--rows 10000000] [--parts 4] [--size 1000] [--executor ray]

The folder keeps the pool, which is made if it is not there: `rows` × 128 numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from alharness.kernels import k_center
from alharness.pools import Arrays, select

WIDTH, LABELED, CLUSTERS, BLOCK = 128, 200, 50, 2**16


def make(folder: Path, rows: int, parts: int, precision: str) -> list[Arrays]:
    """Write the pool: samples around 50 centers. Parts that are there already are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    centers = 3 * np.random.default_rng(0).standard_normal((CLUSTERS, WIDTH), dtype=np.float32)
    labeled = folder / "labeled.npy"
    np.save(labeled, _drawn(centers, np.random.default_rng(1), LABELED))
    found = []
    for number, some in enumerate(np.array_split(np.arange(rows), parts)):
        path = folder / f"{precision}-{rows}-{number + 1}-of-{parts}.npy"
        if not path.exists():
            rng = np.random.default_rng([2, number])
            begun = path.with_suffix(".part")
            written = np.lib.format.open_memmap(begun, "w+", precision, (len(some), WIDTH))
            for start in range(0, len(some), BLOCK):
                written[start : start + BLOCK] = _drawn(centers, rng, min(BLOCK, len(some) - start))
            written.flush()
            begun.rename(path)
        found.append(Arrays(embeddings=path, labeled=Arrays(embeddings=labeled)))
    return found


def in_one_process(parts: list[Arrays], size: int) -> dict[str, float]:
    """The same rows in memory, one thread: seconds of `k_center`, and its radius."""
    torch.set_num_threads(1)
    rows = torch.cat([torch.from_numpy(np.load(str(part.embeddings))).float() for part in parts])
    labeled = parts[0].labeled
    assert labeled is not None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    centers = torch.from_numpy(np.load(str(labeled.embeddings)))
    wall, cpu = time.perf_counter(), time.process_time()
    picks = k_center(rows, centers, size)
    seconds = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    torch.set_num_threads(threads)
    chosen = torch.cat([centers, rows[picks]])
    farthest = max(torch.cdist(some, chosen).amin(1).max().item() for some in torch.split(rows, BLOCK))
    return {**seconds, "radius": farthest}


def in_parts(parts: list[Arrays], size: int, executor: str | None, given: dict[str, Any]) -> dict[str, float]:
    """Seconds of the query, once all workers are there, the radius, and memory in MiB."""
    found = select("coreset", parts, size=size, executor=executor, executor_params=given)
    return {
        "seconds": found.cost["query_seconds"],
        "cpu_seconds": found.cost["query_cpu_seconds"],
        "parts_cpu_seconds": found.cost["parts_cpu_seconds"],
        "radius": found.diagnostics["radius"],
        "rounds": found.diagnostics["rounds"],
        "here_mib": found.cost["cpu_peak_increase_mib"],
        "worker_mib": found.cost["part_cpu_peak_increase_mib"],
    }


def _drawn(centers: np.ndarray, rng: np.random.Generator, n: int) -> np.ndarray:
    return centers[rng.integers(0, CLUSTERS, n)] + rng.standard_normal((n, WIDTH), dtype=np.float32)


def _show(name: str, found: dict[str, float]) -> None:
    sys.stdout.write(json.dumps({name: found}) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Measure both, and print a JSON object a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pools", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--precision", choices=["float16", "float32"], default="float16")
    parser.add_argument("--executor")
    parser.add_argument("-x", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--only", choices=["one", "parts"])
    chosen = parser.parse_args(arguments)
    parts = make(chosen.folder, chosen.rows, chosen.parts, chosen.precision)
    if chosen.only != "parts":
        _show("one", in_one_process(parts, chosen.size))
    if chosen.only != "one":
        given = {
            name: float(text) if name == "cpus" else text for name, text in (x.split("=", 1) for x in chosen.x)
        }
        _show("parts", in_parts(parts, chosen.size, chosen.executor, given))


if __name__ == "__main__":
    main(sys.argv[1:])
