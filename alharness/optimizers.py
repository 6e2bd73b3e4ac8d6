"""The old name of `alharness.kernels.optimizers`, for models written before it."""

import warnings

from alharness.kernels.optimizers import *  # noqa: F403

warnings.warn(
    "alharness.optimizers is now alharness.kernels.optimizers: import from there", DeprecationWarning, stacklevel=2
)
