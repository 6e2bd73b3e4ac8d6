"""What a project or a call gets that names nothing else."""

SAMPLER = "badge"
MODEL = "linear"
"""Trains in milliseconds, so that nobody who labels waits for it."""
SIZE, PLANNED = 20, 10
"""Samples of a batch, and batches that are planned."""
