"""`chicago`: its registration. No heavy imports."""

from __future__ import annotations

from enum import StrEnum

from alharness import DatasetFacts, DatasetPlugin, Params, Task, hookimpl
from alharness.api.dataset import split_sizes

DAYS = 5698
"""From 22 January 2001 to 28 August 2016, without a gap."""

FORTNIGHT = 14
"""Days of a stretch: as long as the time between the riders of the other stations and the day itself."""


class Split(StrEnum):
    """How the days are split."""

    FORTNIGHTS = "fortnights"
    DAYS = "days"
    TIME = "time"

    @property
    def stretch(self) -> int:
        """Days next to each other that stay together in a drawn split."""
        return FORTNIGHT if self is Split.FORTNIGHTS else 1


class ChicagoParams(Params):
    """What can be chosen about `chicago`."""

    split: Split = Split.FORTNIGHTS
    """`fortnights`: every seed draws fortnights, so that few days have a neighbour in another part; `days`: every
    seed draws days; `time`: the oldest days are the pool, the latest are the test, and riders grow in between."""


def inspect(params: ChicagoParams) -> DatasetFacts:
    """What is known without loading."""
    return DatasetFacts(
        task=Task.REGRESSION,
        modalities=("stations", "weather", "calendar"),
        sizes=split_sizes(DAYS, stretch=params.split.stretch),
    )


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `chicago`."""
    return [
        DatasetPlugin(
            name="chicago",
            params=ChicagoParams,
            inspect=inspect,
            make="alharness_chicago.reader:read",
            summary="5698 days: riders of a station in Chicago from other stations, weather and calendar; "
            "real regression, nothing to download",
            reference="M. Kuhn, K. Johnson: Feature Engineering and Selection. Chapman and Hall/CRC, 2020. "
            "DOI 10.1201/9781315108230",
            license="MIT (as part of modeldata); counts of the Chicago Transit Authority",
        )
    ]
