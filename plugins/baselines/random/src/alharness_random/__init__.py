"""Random sampling: the baseline that every other sampler has to beat."""
