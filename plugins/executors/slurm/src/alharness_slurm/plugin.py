"""What alharness knows of Slurm before a job is submitted."""

from __future__ import annotations

from alharness import BatchPlugin, ExecutorPlugin, hookimpl

from .params import SlurmParams


@hookimpl
def alharness_executors() -> list[ExecutorPlugin]:
    """Slurm."""
    return [
        BatchPlugin(
            name="slurm",
            params=SlurmParams,
            make="alharness_slurm.slurm:Slurm",
            summary="jobs of a Slurm cluster, which write their journals themselves on a shared disk",
        )
    ]
