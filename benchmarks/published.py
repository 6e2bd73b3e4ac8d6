"""Published figures of rliable, computed again from the same scores with the statistics of alharness.

    python -m benchmarks.published FOLDER

FOLDER holds scores of agents on the 26 games of Atari 100k as JSON, game -> scores of single runs, one file for
each agent, and HUMAN.json and RANDOM.json, by which scores are normalized. rliable gives these scores away; the
public repository of IRIS (Micheli et al., 2023) has them in `results/data`. They are no part of alharness.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from alharness.results.aggregate import bounds, interquartile_mean, plain_weights, resampled_weights

FIGURES = {
    "SPR": {"median": 0.39562938291779215, "mean": 0.6157957428691673, "IQM": 0.337},
    "DrQ(eps)": {"median": 0.312901399063074, "mean": 0.4647412513971657, "IQM": 0.280},
    "SimPLe": {"median": 0.13405558483729887, "mean": 0.3319978533732483},
    "IRIS": {"median": 0.289, "mean": 1.046, "IQM": 0.501},
}
"""Means and medians with all digits are printed in rliable's notebook; the others are in table A.1 of Schwarzer et
al., Bigger, Better, Faster (ICML 2023)."""


def figures(folder: Path, agent: str) -> tuple[dict[str, float], tuple[float, float]]:
    """Median, mean and interquartile mean of the normalized scores of an agent; and the last one's interval."""
    scores, human, random = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in (agent, "HUMAN", "RANDOM")
    )
    normalized = [
        (np.array(scores[game], float) - random[game][0]) / (human[game][0] - random[game][0])
        for game in sorted(scores)
    ]
    counts, runs = [len(game) for game in normalized], np.concatenate(normalized)[None]
    means = [float(game.mean()) for game in normalized]
    low, high = bounds(interquartile_mean(runs, resampled_weights(counts))[0], counts)
    found = {
        "median": float(np.median(means)),
        "mean": float(np.mean(means)),
        "IQM": float(interquartile_mean(runs, plain_weights(counts))[0, 0]),
    }
    return found, (float(low), float(high))


def main(folder: Path) -> int:
    """Print both, and say whether all agree to the last published digit."""
    wrong = 0
    for agent, published in FIGURES.items():
        found, (low, high) = figures(folder, agent)
        for name, value in published.items():
            digits = len(str(value).partition(".")[2])
            same = abs(found[name] - value) < max(0.5001 * 10**-digits, 1e-13)
            wrong += not same
            sys.stdout.write(f"{agent:9} {name:6} published {value:<20} here {found[name]:.16f} {same}\n")
        sys.stdout.write(f"{agent:9} IQM    {found['IQM']:.4f}, interval {low:.4f} to {high:.4f}\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
