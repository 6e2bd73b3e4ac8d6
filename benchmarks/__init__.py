"""How fast kernels, training and whole runs are, beside others' programs and floors: `python -m benchmarks`."""
