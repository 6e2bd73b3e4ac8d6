"""What a project or a call gets that names nothing else."""

SAMPLER, SAMPLER_FOR_NUMBERS = "badge", "coreset"
MODEL = "linear"
"""Trains in milliseconds: people who label need not wait for it."""
SIZE, PLANNED = 20, 10
"""Samples of a batch, and batches that are planned."""
