"""Speed of kernels, trainings and whole runs, next to other programs and floors: `python -m benchmarks`."""
