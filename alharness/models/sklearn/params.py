"""What can be chosen about `sklearn`."""

from __future__ import annotations

import re

from pydantic import Field, JsonValue, field_validator

from alharness.api.estimators import EstimatorParams

PATH = re.compile(r"sklearn(\.[a-z][a-z0-9_]*)+[.:][A-Z]\w*")


class SklearnParams(EstimatorParams):
    """The estimator, and its parameters."""

    estimator: str
    """Module and class, such as `sklearn.ensemble:RandomForestClassifier`; of scikit-learn alone."""
    params: dict[str, JsonValue] = Field({})
    """Arguments of its constructor, such as `{n_estimators: 200}`. A `random_state` that is left out comes from
    the seed."""

    @field_validator("estimator")
    @classmethod
    def _public(cls, estimator: str) -> str:
        if not PATH.fullmatch(estimator):
            raise ValueError(
                "expected an estimator of scikit-learn, such as sklearn.ensemble:RandomForestClassifier; others "
                "are given as objects in Python"
            )
        module, name = re.split(r"[.:](?=[A-Z])", estimator)
        return f"{module}:{name}"
