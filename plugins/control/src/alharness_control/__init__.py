"""A control, not a sampler: it knows which labels of made-up data are worth buying."""
