"""The results of one or many runs as tidy tables, for people who use pandas."""

from __future__ import annotations

import math
from functools import cached_property
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

from alharness.errors import RunError
from alharness.text.spreadsheets import unique
from alharness.text.words import choices

from .aggregate import Estimate
from .basis import listed
from .run import COLUMNS, KINDS, RunResults
from .settings import name_settings, settings
from .summary import COSTS, OVERALL, STACKED, seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Self

    import pandas as pd
    from matplotlib.axes import Axes

    from alharness.api.plan import Statistics

    from .statistics import Mean
    from .utilisation import Use


PLACE = ("run", "setting", "sampler", "seed", "replicate", "cycle", "labeled")
"""Columns that identify a number."""
ORDER = [*KINDS]
"""Of columns with numbers, by their kind."""


class Results:
    """The results of one or many runs as tidy tables.

    Each run is a setting of its own: its seeds are never pooled with those of another run. A number that was not
    measured is NaN, never 0.

    Args:
        runs: the runs, each once.

    Attributes:
        runs: name of a setting -> its run.

    Raises:
        RunError: a run is named twice, or none is.

    >>> results = Results.load("runs/digits_quick-1a2b3c4d")  # doctest: +SKIP
    >>> results.summary()  # doctest: +SKIP
    """

    def __init__(self, runs: Iterable[RunResults]) -> None:
        self.runs: Mapping[str, RunResults] = name_settings(runs)
        if not self.runs:
            raise RunError("no run is named: results are those of at least one")

    @classmethod
    def load(cls, *folders: str | Path, statistics: Statistics | None = None) -> Self:
        """Read run directories. Neither their specs, nor their data, nor their plugins are needed.

        Args:
            folders: run directories.
            statistics: `blocks` or `paired_t`: whose noise tests take, in place of what the specs say.

        Raises:
            RunError: a folder is no run directory, or cannot be read; or a run is named twice.
        """
        return cls(RunResults.read(Path(folder), with_pool=False, statistics=statistics) for folder in folders)

    def __len__(self) -> int:
        """How many runs there are."""
        return len(self.runs)

    def __repr__(self) -> str:
        """The table that a run ends with, for each run."""
        from alharness.report.display import as_text

        return as_text(self.runs)

    def _repr_html_(self) -> str:
        """The same, as notebooks show it."""
        from alharness.report.display import as_html

        return as_html(self.runs)

    def plot(
        self,
        metric: str | None = None,
        *,
        samplers: str | Collection[str] | None = None,
        ax: Axes | Sequence[Axes] | None = None,
    ) -> Axes | Any:
        """Draw learning curves: the mean over the same seeds and its 95 % confidence interval, as in the report.

        The figure is pyplot's: a notebook shows it, and in a script `matplotlib.pyplot.show()` does. What is
        returned can be changed and saved: `results.plot().figure.savefig("curves.pdf")`.

        Args:
            metric: which metric; None for that by which each setting ranks.
            samplers: label of a sampler, or of several; None for all.
            ax: axes to draw into, one for each run; None for a new figure.

        Returns:
            The axes; of several runs an array of them.

        Raises:
            RunError: there is no such metric or sampler, or no cell is complete yet.
        """
        from alharness.report.display import draw

        return draw(self.runs, metric, samplers, ax)

    @cached_property
    def cycles(self) -> pd.DataFrame:
        """Every cycle of every cell, one a row, with a column for each number but those that samplers log.

        So `seaborn.lineplot(results.cycles, x="labeled", y="accuracy", hue="sampler")` draws learning curves as it
        is. Columns: run, setting, sampler (`full-data` is the reference), seed, replicate (1, and more of Random
        alone if the spec asks for them), cycle, labeled; the metrics on the test split; how much the model uses
        each modality, such as `share/text`; costs in seconds and MiB. A cell that is not complete has the cycles
        that it finished; `cells` says which these are. `measurements` has the same numbers one a row, and what
        samplers logged.
        """
        import pandas as pd

        table = self.measurements[self.measurements["kind"] != "choice"]
        rows = table[[*PLACE]].drop_duplicates(ignore_index=True)
        columns = table[["kind", "metric"]].drop_duplicates()
        columns = columns.sort_values("kind", key=lambda kinds: kinds.map(ORDER.index), kind="stable")
        # Put in order afterwards: pandas before 3 puts numbers in wrong places if it is to keep an order itself.
        wide = table.set_index([*PLACE, "kind", "metric"])["value"].unstack(["kind", "metric"])
        wide = wide.reindex(index=pd.MultiIndex.from_frame(rows), columns=pd.MultiIndex.from_frame(columns))
        names = unique([*PLACE, *columns["metric"]])  # a metric may be called `seed`
        return pd.concat([rows, wide.reset_index(drop=True)], axis=1).set_axis(names, axis=1)

    @cached_property
    def measurements(self) -> pd.DataFrame:
        """Every number of every cell, one a row.

        Columns: run, setting, sampler, seed, replicate, cycle, labeled; kind (`quality`, `utilisation`, `cost`, or
        `choice` for what the sampler logged), metric, value; status of the cell, and whether it counts in
        comparisons (`compared`).
        """
        import pandas as pd

        rows = [(one.run.experiment, name, *row) for name, one in self.runs.items() for row in one.numbers()]
        table = pd.DataFrame(rows, columns=["run", "setting", *COLUMNS]).rename(columns={"labels": "labeled"})
        return table[[*PLACE, "kind", "metric", "value", "status", "compared"]]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Every cell, one a row: how it ended, and what it cost.

        Columns: run, setting, sampler, seed, replicate; status (`ok` if complete) and error; how many cycles are
        finished; whether the cell counts in comparisons (`compared`); seconds of all its trainings and queries.
        """
        import pandas as pd

        rows = [
            (
                *(one.run.experiment, name, record.cell.label, record.cell.seed, record.cell.replicate),
                *(
                    record.status,
                    record.error,
                    len(record.cycles),
                    one.counts(record),
                    seconds(record, *OVERALL) if record.cycles else math.nan,
                ),
            )
            for name, one in self.runs.items()
            for record in one.records
        ]
        return pd.DataFrame(rows, columns=[*PLACE[:5], "status", "error", "cycles", "compared", "seconds"])

    def summary(self) -> pd.DataFrame:
        """Means over seeds, one a row: of each sampler and metric, after the last cycle and as an area; and costs.

        Samplers are compared over the same seeds: rows of one setting and `seed_set` may be compared. A sampler
        that lacks seeds of the others has a seed set of its own, with Random over the seeds that both have.

        Columns: run, setting, seed_set, sampler, labeled (after the last cycle), metric, statistic (`final`;
        `area` under the budget curve; or `cost`, of one query, of all trainings of a cell, or overall, of all
        trainings and queries; `train_stacked`, how many models were trained together, on average, is there if any
        were, and then seconds of trainings are shares of theirs); mean over seeds, low and high bound of its 95 %
        confidence interval (Student's t), sd, n; seeds, such as `0-4`.
        """
        import pandas as pd

        rows = [
            (
                *(one.run.experiment, name, row.seed_set, row.label, row.labels, metric, statistic),
                *(mean.value, mean.low, mean.high, mean.sd, mean.n, listed(row.over)),
            )
            for name, one in self.runs.items()
            for row in one.summary
            for costs in [{name: row.costs[name] for name in (*COSTS, STACKED) if row.costs[name].n}]
            for statistic, means in (("final", row.final), ("area", row.areas), ("cost", costs))
            for metric, mean in means.items()
        ]
        about = ["run", "setting", "seed_set", "sampler", "labeled", "metric", "statistic"]
        return pd.DataFrame(rows, columns=[*about, "mean", "low", "high", "sd", "n", "seeds"])

    def utilisation(self) -> pd.DataFrame:
        """How much the models use each modality: a row for each modality of each sampler of each setting.

        All are means over seeds of areas under the curve (of `full-data`, the reference, of its values). Samplers
        are compared over the same seeds, as in `summary`. Settings with one modality have no rows.

        Columns: run, setting, seed_set, sampler, modality; n; share in what modalities change in predictions;
        drop, by how much the ranking metric is worse without the modality; moved, how far predictions are from
        those without it; difference of the share to that with Random; each of these with low and high bound of its
        95 % confidence interval (`share_low`, ...); p_corrected, over all samplers and modalities; neglected:
        whether the share is shown to be smaller than with Random by a tenth or more. "What the model uses" in the
        documentation says how to read them.
        """
        import pandas as pd

        from .utilisation import MEASURES, SHARE, uses

        def row(name: str, one: RunResults, use: Use) -> Iterator[tuple[str, Any]]:
            yield from (("run", one.run.experiment), ("setting", name))
            yield from (("seed_set", one.basis.seed_sets.index(use.seed_set)), ("sampler", use.label))
            yield from (("modality", use.modality), ("n", use.measures[SHARE].n))
            means: dict[str, Mean] = {**use.measures, **({"difference": use.difference} if use.difference else {})}
            for measure, mean in means.items():
                ends = ((measure, mean.value), (f"{measure}_low", mean.low), (f"{measure}_high", mean.high))
                yield from ends
            yield "p_corrected", use.difference.adjusted if use.difference else math.nan
            yield "neglected", use.neglected

        rows = [dict(row(name, one, use)) for name, one in self.runs.items() for use in uses(one)]
        about = ["run", "setting", "seed_set", "sampler", "modality", "n"]
        numbers = [f"{name}{end}" for name in (*MEASURES, "difference") for end in ("", "_low", "_high")]
        return pd.DataFrame(rows, columns=[*about, *numbers, "p_corrected", "neglected"])

    def power(self, margin: float | None = None) -> pd.DataFrame:
        """How many seeds each comparison with Random needs, by areas: a row for each sampler of each setting.

        Columns: run, setting, sampler, n (seeds so far), difference to Random (larger is better for the sampler)
        with low and high bound of its interval, verdict (`better`, `worse`, `no relevant difference` or `open`),
        relevant (the margin: smaller differences do not matter); seeds that show a difference as large as this one
        in four of five experiments (`show`); seeds that decide, however large the difference is: the interval then
        excludes 0, or is within the margin (`decide`). Both are missing if they are more than 2,000.

        Args:
            margin: a difference that does not matter; None for a tenth of the way from Random's area to a model
                with all labels, or a hundredth of Random's area.

        Raises:
            RunError: a run has not enough seeds to say anything, or the margin is no positive number.
        """
        import pandas as pd

        from .planning import plan_seeds

        rows = [
            (
                *(one.run.experiment, name, need.label, need.difference.n),
                *(need.difference.value + 0.0, need.difference.low, need.difference.high),
                *(need.verdict, need.margin, need.show, need.decide),
            )
            for name, one in self.runs.items()
            for need in plan_seeds(one, margin).needs
        ]
        about = ["run", "setting", "sampler", "n", "difference", "low", "high", "verdict", "relevant"]
        table = pd.DataFrame(rows, columns=[*about, "show", "decide"])
        return table.astype({"show": "Int64", "decide": "Int64"})

    def overall(self) -> pd.DataFrame:
        """What is known of each sampler over all settings: a row for each, the best average rank first.

        Columns: sampler; rank; above_random, the difference of its interquartile mean score to Random's;
        beats_random, the probability that a run of it is better than one of Random; better_in_practice, the
        probability to be better by more than the region of practical equivalence; better and worse, in how many of
        so many settings it significantly is; speed_up; score. Names with `_low` and `_high` are ends of their
        intervals. What settings and seeds cannot support is missing. "Statistics over settings" in the
        documentation has the definitions.

        Raises:
            RunError: the runs have no sampler in common.
        """
        import pandas as pd

        found = settings(self.runs.values())
        scored, tested = found.scores, {label for _, label in found.against_random}

        def row(label: str) -> Iterator[tuple[str, Any]]:
            yield from (("sampler", label), ("rank", found.ranking.of(label)))
            rival = label in tested
            known: dict[str, Estimate] = {}
            if rival and not scored.refusal:
                known |= {"above_random": scored.gain(label), "beats_random": scored.improvement(label)}
            if not scored.refusal:
                known["score"] = scored.interquartile_mean(label)
            if rival:
                known["speed_up"] = found.speed_ups[label][1]
            for name in ("above_random", "beats_random", "speed_up", "score"):
                estimate = known.get(name, Estimate(value=math.nan))
                yield from ((name, estimate.value), (f"{name}_low", estimate.low), (f"{name}_high", estimate.high))
            possible = rival and not (scored.refusal or scored.without_posterior)
            yield "better_in_practice", scored.posterior(label).better if possible else math.nan
            pairs = [pair for (_, other), pair in found.against_random.items() if other == label]
            yield from (("better", sum(p.better for p in pairs)), ("worse", sum(p.worse for p in pairs)))
            yield "settings", len(found.runs)

        return pd.DataFrame([dict(row(label)) for label in sorted(found.common, key=found.ranking.of)])

    def compare(self, metric: str | None = None, against: str | None = None) -> pd.DataFrame:
        """Differences between the areas of two samplers, paired by seed: a row for each pair of each setting.

        Args:
            metric: which metric; None for that by which each setting ranks.
            against: label of a sampler: only differences of the others to it. The correction stays that over the
                whole family.

        Columns: run, setting, metric, first, second, n (seeds that both finished); difference (larger is better
        for the first) with low and high bound of its 95 % confidence interval, its sd over seeds and the effect
        (difference / sd); p of the t-test; p_corrected, after the correction over `tests` differences: those to
        Random, or those of the other samplers to each other; p_wilcoxon of the signed-rank test (from six seeds
        on); significant (p_corrected < 0.05, from three seeds on). Intervals are corrected as well, unless the
        spec says `statistics: paired_t`.

        Raises:
            RunError: no run has such a metric or sampler.
        """
        import pandas as pd

        labels = {label for one in self.runs.values() for label in one.run.labels}
        metrics = {name for one in self.runs.values() for name in one.metrics()}
        for wanted, known, what in ((against, labels, "sampler"), (metric, metrics, "metric")):
            if wanted is not None and not (isinstance(wanted, str) and wanted in known):
                raise RunError(f"no run has a {what} {wanted!r}{choices(str(wanted), sorted(known))}")
        rows = []
        for name, one in self.runs.items():
            which = metric or one.metric
            if which not in one.metrics():
                continue  # it was not measured in this setting
            found = one.differences(which)
            for first, second in permutations(one.ranked, 2):
                d = found[first, second]
                if against == second or (against is None and one.ranked.index(first) < one.ranked.index(second)):
                    pair = one.run.experiment, name, which, first, second, d.n
                    size = d.value + 0.0, d.low, d.high, d.sd, d.effect  # no -0
                    rows.append((*pair, *size, d.p, d.adjusted, d.tests, d.p_ranks, d.significant))
        about = ["run", "setting", "metric", "first", "second", "n", "difference", "low", "high", "sd", "effect"]
        return pd.DataFrame(rows, columns=[*about, "p", "p_corrected", "tests", "p_wilcoxon", "significant"])
