"""How fast the samplers' kernels are, beside others' programs and the bare arithmetic: `python -m benchmarks`."""
