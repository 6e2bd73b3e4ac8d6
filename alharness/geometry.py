"""The old name of `alharness.kernels`, for samplers written before it."""

import warnings

from alharness.kernels import *  # noqa: F403

warnings.warn("alharness.geometry is now alharness.kernels: import from there", DeprecationWarning, stacklevel=2)
