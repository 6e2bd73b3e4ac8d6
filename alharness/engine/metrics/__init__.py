"""Quality of predictions on the test split: which metrics a data set is scored by, and which of them ranks."""

from __future__ import annotations

from .classification import classification, emotions
from .regression import regression
from .scoring import HEADLINE, LOWER_IS_BETTER, PRIMARY, evaluate
from .sentiment import mosi, sims

__all__ = [
    "HEADLINE",
    "LOWER_IS_BETTER",
    "PRIMARY",
    "classification",
    "emotions",
    "evaluate",
    "mosi",
    "regression",
    "sims",
]
