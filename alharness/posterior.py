"""The old name of `alharness.kernels.posterior`, for samplers written before it."""

import warnings

from alharness.kernels.posterior import *  # noqa: F403

warnings.warn(
    "alharness.posterior is now alharness.kernels.posterior: import from there", DeprecationWarning, stacklevel=2
)
