"""What alharness knows of this field before anything is loaded: its data sets and its models."""

from __future__ import annotations

from alharness import DatasetPlugin, ModelPlugin, hookimpl

from .av_mc.plugin import AV_MC
from .cherma.plugin import CHERMA
from .lfmim.plugin import LFMIM
from .mmsa.plugin import MMSA


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """`simsv2`, `sims`, `mosi`, `mosei`, `cherma`, and `mmsa` for features of one's own."""
    return [dataset.plugin for dataset in (*MMSA, CHERMA)]


@hookimpl
def alharness_models() -> list[ModelPlugin]:
    """`av_mc` and `lfmim`."""
    return [AV_MC, LFMIM]
